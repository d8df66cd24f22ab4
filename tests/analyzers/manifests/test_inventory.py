"""The inventory: every workload kind, owners, label sets, named ports, namespaces and services."""

from __future__ import annotations

import pytest

from analyzers.interest import INTEREST
from analyzers.manifests.inventory import host_network_note, take_inventory
from analyzers.manifests.load import load
from analyzers.manifests.objects import settle
from analyzers.model.cluster import Cluster, HostNetwork
from tests.analyzers.reading import objects
from tests.property.product import MemoryTree

TEMPLATE = "{metadata: {labels: {app: x}}, spec: {containers: [{name: c, ports: [{name: web, containerPort: 80}]}]}}"


def cluster(text: str) -> Cluster:
    return take_inventory(objects(text))


def ids(text: str) -> list[str]:
    return [workload.id for workload in cluster(text).workloads]


@pytest.mark.parametrize(
    ("api", "kind", "spec"),
    [
        ("v1", "ReplicationController", f"{{template: {TEMPLATE}}}"),
        ("apps/v1", "Deployment", f"{{template: {TEMPLATE}}}"),
        ("apps/v1", "ReplicaSet", f"{{template: {TEMPLATE}, replicas: 0}}"),
        ("apps/v1", "DaemonSet", f"{{template: {TEMPLATE}}}"),
        ("apps/v1", "StatefulSet", f"{{template: {TEMPLATE}}}"),
        ("batch/v1", "Job", f"{{template: {TEMPLATE}}}"),
        ("batch/v1", "CronJob", f"{{jobTemplate: {{spec: {{template: {TEMPLATE}}}}}}}"),
        ("extensions/v1beta1", "Deployment", f"{{template: {TEMPLATE}}}"),
    ],
)
def test_every_kind_with_a_pod_template_is_a_workload(api: str, kind: str, spec: str) -> None:
    (workload,) = cluster(f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: w, namespace: shop}}\nspec: {spec}\n").workloads
    assert workload.id == f"shop/w[{kind}]"
    (shape,) = workload.shapes
    assert shape.labels == (("app", "x"),)
    assert [(str(named), number) for named, number in shape.named_ports] == [("TCP web", 80)]


def test_a_pod_without_an_owner_stands_for_itself_in_the_default_namespace() -> None:
    assert ids("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c}]}\n") == ["default/p[Pod]"]


def pod(name: str, owner: str, labels: str = "{app: x}") -> str:
    metadata = f"{{name: {name}, namespace: shop, labels: {labels}, ownerReferences: [{owner}]}}"
    return f"---\napiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec: {{containers: [{{name: c}}]}}\n"


@pytest.mark.parametrize(
    ("owner", "labels", "shown"),
    [
        ("{kind: StatefulSet, name: db, controller: true}", "{app: x}", "shop/db[StatefulSet]"),
        ("{kind: ReplicaSet, name: web-5d4f, controller: true}", "{pod-template-hash: 5d4f}", "shop/web[Deployment]"),
        ("{kind: ReplicaSet, name: web-5d4f, controller: true}", "{app: x}", "shop/web-5d4f[ReplicaSet]"),
        ("{kind: ReplicaSet, name: web-5d4f, controller: true}", "{pod-template-hash: other}", "shop/web-5d4f[ReplicaSet]"),
        ("{kind: Node, name: node-1, controller: true}", "{app: x}", "shop/p[Pod]"),
        ("{kind: StatefulSet, name: db}", "{app: x}", "shop/p[Pod]"),
        ("{kind: StrimziPodSet, name: kafka, controller: true}", "{app: x}", "shop/kafka[StrimziPodSet]"),
    ],
)
def test_a_pod_counts_as_its_controller(owner: str, labels: str, shown: str) -> None:
    assert ids(pod("p", owner, labels)) == [shown]


def test_a_job_of_a_cron_job_counts_as_the_cron_job() -> None:
    owned = "{name: backup-1, namespace: shop, ownerReferences: [{kind: CronJob, name: backup, controller: true}]}"
    job = f"apiVersion: batch/v1\nkind: Job\nmetadata: {owned}\nspec: {{template: {TEMPLATE}}}\n"
    assert ids(job + pod("p", "{kind: Job, name: backup-1, controller: true}")) == ["shop/backup[CronJob]"]


def test_a_replica_set_that_stands_for_itself_keeps_its_pods() -> None:
    metadata = "{name: web-5d4f, namespace: shop}"
    declared = f"apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {metadata}\nspec: {{template: {TEMPLATE}}}\n"
    owned = pod("p", "{kind: ReplicaSet, name: web-5d4f, controller: true}", "{pod-template-hash: 5d4f}")
    assert ids(declared + owned) == ["shop/web-5d4f[ReplicaSet]"]


def test_a_job_of_anything_but_a_cron_job_stands_for_itself() -> None:
    owned = "{name: part-1, namespace: shop, ownerReferences: [{kind: JobSet, name: whole, controller: true}]}"
    job = f"apiVersion: batch/v1\nkind: Job\nmetadata: {owned}\nspec: {{template: {TEMPLATE}}}\n"
    assert ids(job + pod("p", "{kind: Job, name: part-1, controller: true}")) == ["shop/part-1[Job]"]


def test_pods_of_one_workload_that_differ_keep_their_label_sets() -> None:
    owner = "{kind: StatefulSet, name: db, controller: true}"
    (workload,) = cluster(
        pod("p", owner, "{role: primary}") + pod("q", owner, "{role: replica}") + pod("r", owner, "{role: replica}")
    ).workloads
    assert [dict(shape.labels) for shape in workload.shapes] == [{"role": "primary"}, {"role": "replica"}]


def test_named_ports_come_from_containers_then_sidecars_and_the_first_of_a_name_counts() -> None:
    text = """\
        apiVersion: v1
        kind: Pod
        metadata: {name: p, namespace: shop}
        spec:
          initContainers:
          - {name: setup, ports: [{name: setup, containerPort: 1}]}
          - {name: proxy, restartPolicy: Always, ports: [{name: web, containerPort: 2}, {name: proxy, containerPort: 3}]}
          containers:
          - {name: one, ports: [{name: web, containerPort: 80}, {name: web, containerPort: 81, protocol: UDP}, {containerPort: 9}]}
          - {name: two, ports: [{name: web, containerPort: 8080}]}
        """
    (workload,) = cluster(text).workloads
    assert [(str(named), number) for named, number in workload.shapes[0].named_ports] == [
        ("TCP proxy", 3),
        ("TCP web", 80),
        ("UDP web", 81),
    ]


def test_a_namespace_has_its_name_label_whatever_is_written_and_without_an_object() -> None:
    found = cluster("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {kubernetes.io/metadata.name: lie, team: a}}\n")
    assert found.namespace_labels("shop") == (("kubernetes.io/metadata.name", "shop"), ("team", "a"))
    assert found.namespace_labels("nowhere") == (("kubernetes.io/metadata.name", "nowhere"),)


def test_a_service_has_its_selector_and_target_ports() -> None:
    ports = "{port: 80}, {port: 81, targetPort: 8081, name: b}, {port: 82, targetPort: web, name: c, protocol: UDP}"
    spec = f"{{selector: {{app: x}}, ports: [{ports}]}}"
    (service,) = cluster(f"apiVersion: v1\nkind: Service\nmetadata: {{name: s, namespace: shop}}\nspec: {spec}\n").services
    assert service.selector == (("app", "x"),)
    assert [(port.port, port.target, str(port.protocol)) for port in service.ports] == [
        (80, 80, "TCP"),
        (81, 8081, "TCP"),
        (82, "web", "UDP"),
    ]


def test_of_two_documents_of_one_object_the_later_counts_and_both_places_are_named() -> None:
    text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {from: %s}}\n"
    loaded = load(MemoryTree({"b.yaml": (text % "b").encode(), "a.yaml": (text % "a").encode()}), INTEREST)
    settled, (problem,) = settle(loaded.found)
    found = take_inventory(settled)
    assert dict(found.namespace_labels("shop"))["from"] == "b"
    assert (problem.code, problem.path, problem.line) == ("duplicate-object", "b.yaml", 1)
    assert "a.yaml:1" in problem.message


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: Upper}\nspec: {}\n", "invalid-object", "DNS-1123"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: a.b}\nspec: {}\n", "invalid-object", "DNS-1123"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: '{{ .Release.Name }}'}\nspec: {}\n", "needs-rendering", "Release"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: '${APP}'}}\nspec: {}\n", "needs-rendering", "APP"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: yes}}\nspec: {}\n", "invalid-object", "quote it"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 2}\n", "invalid-object", "pod template"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: 'true'}\n", "invalid-object", "true or false"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, ownerReferences: [{controller: true}]}\nspec: {}\n", "invalid-object", "required"),
    ],
)
def test_an_object_the_api_server_would_reject_is_a_diagnostic_with_its_place(text: str, code: str, part: str) -> None:
    loaded = load(MemoryTree({"a.yaml": text.encode()}), INTEREST)
    settled, settling = settle(loaded.found)
    found = take_inventory(settled)
    (problem,) = (*loaded.diagnostics, *settling)
    assert (problem.code, problem.path) == (code, "a.yaml")
    assert part in problem.message
    assert found.workloads == ()


def test_the_report_says_which_pods_the_host_network_setting_concerns() -> None:
    found = cluster("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {hostNetwork: true, containers: [{name: c}]}\n")
    (note,) = host_network_note(found, HostNetwork.NODE)
    assert "default/p[Pod]" in note.message
    assert "is read as the addresses of its node" in note.message
    assert host_network_note(Cluster({}, ()), HostNetwork.NODE) == ()

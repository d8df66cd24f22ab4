"""More kinds that make pods: those with a template, those whose pods an operator makes, and those that configuration names."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from analyzers.manifests.inventory import take_inventory
from analyzers.manifests.kinds import CustomKinds
from analyzers.manifests.operator_kinds import OPERATOR_KINDS, OperatorKind, OperatorPort, PodSet
from analyzers.manifests.shelf import MemoryShelf
from analyzers.manifests.workload_kinds import WorkloadKind
from analyzers.model.cluster import Workload
from analyzers.model.records import ObjectRecord
from analyzers.pipeline import Options, matrix
from analyzers.reports import render
from tests.analyzers.reading import objects
from tests.property.product import MemoryTree

POD = "{metadata: {labels: {app: x}}, spec: {containers: [{name: c, ports: [{name: web, containerPort: 80}]}]}}"


def workloads(text: str) -> list[Workload]:
    return list(take_inventory(objects(text)).workloads)


def document(api: str, kind: str, spec: str, name: str = "w", namespace: str = "shop") -> str:
    return f"---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


TEMPLATES: list[tuple[str, str, str, dict[str, str]]] = [
    ("apps.openshift.io/v1", "DeploymentConfig", f"{{template: {POD}}}", {"app": "x", "deploymentconfig": "w"}),
    ("v1", "DeploymentConfig", f"{{template: {POD}}}", {"app": "x", "deploymentconfig": "w"}),
    ("argoproj.io/v1alpha1", "Rollout", f"{{template: {POD}}}", {"app": "x"}),
    (
        "serving.knative.dev/v1",
        "Service",
        f"{{template: {POD}}}",
        {"app": "x", "serving.knative.dev/configuration": "w", "serving.knative.dev/service": "w"},
    ),
    (
        "kubevirt.io/v1",
        "VirtualMachine",
        "{template: {metadata: {labels: {app: x}}, spec: {domain: {devices: {interfaces: [{name: i, ports: [{name: web, port: 80}]}]}}}}}",
        {"app": "x", "kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": "w"},
    ),
]


@pytest.mark.parametrize(("api", "kind", "spec", "labels"), TEMPLATES, ids=[f"{case[0]} {case[1]}" for case in TEMPLATES])
def test_kind_with_a_pod_template_is_a_workload_with_the_labels_of_its_controller(
    api: str, kind: str, spec: str, labels: dict[str, str]
) -> None:
    (workload,) = workloads(document(api, kind, spec))
    assert (workload.id, workload.by_operator) == (f"shop/w[{kind}]", False)
    (shape,) = workload.shapes
    assert dict(shape.labels) == labels
    assert [(str(named), number) for named, number in shape.named_ports] == [("TCP web", 80)]


def test_rollout_borrows_the_template_that_it_refers_to() -> None:
    borrowing = document("argoproj.io/v1alpha1", "Rollout", "{workloadRef: {apiVersion: apps/v1, kind: Deployment, name: d}}")
    lender = document("apps/v1", "Deployment", f"{{template: {POD}}}", name="d")
    one, other = workloads(borrowing + lender)
    assert (one.id, other.id) == ("shop/d[Deployment]", "shop/w[Rollout]")
    assert one.shapes == other.shapes


def test_rollout_whose_template_is_missing_leaves_the_report_incomplete() -> None:
    text = document("argoproj.io/v1alpha1", "Rollout", "{workloadRef: {apiVersion: apps/v1, kind: Deployment, name: d}}")
    report = matrix(MemoryTree({"a.yaml": text.encode()}))
    assert [each.code for each in report.diagnostics] == ["pods-unknown"]
    assert not report.complete


MONITORING = "monitoring.coreos.com/v1"
OPERATED: list[tuple[str, str, str, list[dict[str, str]]]] = [
    (
        MONITORING,
        "Prometheus",
        "{podMetadata: {labels: {team: a}}}",
        [
            {
                "app.kubernetes.io/instance": "w",
                "app.kubernetes.io/managed-by": "prometheus-operator",
                "app.kubernetes.io/name": "prometheus",
                "operator.prometheus.io/name": "w",
                "operator.prometheus.io/shard": "0",
                "prometheus": "w",
                "team": "a",
            }
        ],
    ),
    (
        "postgresql.cnpg.io/v1",
        "Cluster",
        "{instances: 3}",
        [{"cnpg.io/cluster": "w", "cnpg.io/instanceRole": role, "cnpg.io/podRole": "instance"} for role in ("primary", "replica")],
    ),
    (
        "operator.victoriametrics.com/v1beta1",
        "VMAgent",
        "{}",
        [
            {
                "app.kubernetes.io/component": "monitoring",
                "app.kubernetes.io/instance": "w",
                "app.kubernetes.io/name": "vmagent",
                "managed-by": "vm-operator",
            }
        ],
    ),
]


@pytest.mark.parametrize(("api", "kind", "spec", "labels"), OPERATED, ids=[case[1] for case in OPERATED])
def test_custom_resource_stands_for_the_pods_that_its_operator_makes(api: str, kind: str, spec: str, labels: list[dict[str, str]]) -> None:
    (workload,) = workloads(document(api, kind, spec))
    assert (workload.id, workload.by_operator) == (f"shop/w[{kind}]", True)
    assert [dict(shape.labels) for shape in workload.shapes] == labels


def test_components_that_a_resource_leaves_out_have_no_pods() -> None:
    (kafka,) = workloads(document("kafka.strimzi.io/v1beta2", "Kafka", "{kafka: {}}"))
    assert [dict(shape.labels)["strimzi.io/name"] for shape in kafka.shapes] == ["w-kafka"]
    (whole,) = workloads(document("kafka.strimzi.io/v1beta2", "Kafka", "{kafka: {}, zookeeper: {replicas: 3}, entityOperator: {}}"))
    assert [dict(shape.labels)["strimzi.io/name"] for shape in whole.shapes] == ["w-entity-operator", "w-kafka", "w-zookeeper"]


@pytest.mark.parametrize("row", OPERATOR_KINDS, ids=[row.kind for row in OPERATOR_KINDS])
def test_every_row_of_the_operator_table_makes_pods(row: OperatorKind) -> None:
    given = "".join(f"{path[-1]}: {{}}, " for pods in row.pods for path in [pods.when] if path)
    (workload,) = workloads(document(f"{row.group}/v1", row.kind, f"{{{given}}}"))
    assert len(workload.shapes) == len(row.pods)
    assert all("{" not in value for shape in workload.shapes for _, value in shape.labels)


def test_port_that_the_resource_gives_takes_the_place_of_the_usual_one() -> None:
    (agent,) = workloads(document("operator.victoriametrics.com/v1beta1", "VMAgent", '{port: "9999"}'))
    assert [(str(named), number) for named, number in agent.shapes[0].named_ports] == [("TCP http", 9999)]


def test_ports_of_containers_that_the_resource_adds_come_before_the_usual_ones() -> None:
    spec = "{listenLocal: true, containers: [{name: proxy, ports: [{name: web, containerPort: 9091}]}]}"
    (proxied,) = workloads(document(MONITORING, "Prometheus", spec))
    assert [(str(named), number) for named, number in proxied.shapes[0].named_ports] == [("TCP reloader-web", 8080), ("TCP web", 9091)]
    (renamed,) = workloads(document(MONITORING, "Prometheus", "{portName: http}"))
    assert ("TCP http", 9090) in [(str(named), number) for named, number in renamed.shapes[0].named_ports]


def test_pods_that_the_manifests_hold_themselves_are_not_made_up_again() -> None:
    real = "{metadata: {labels: {cnpg.io/cluster: w, cnpg.io/instanceRole: primary, cnpg.io/podRole: instance, role: primary}}, spec: {}}"
    text = document("postgresql.cnpg.io/v1", "Cluster", "{}") + document("apps/v1", "StatefulSet", f"{{template: {real}}}", name="w-1")
    made = {each.id: [dict(shape.labels)["cnpg.io/instanceRole"] for shape in each.shapes] for each in workloads(text)}
    assert made == {"shop/w-1[StatefulSet]": ["primary"], "shop/w[Cluster]": ["replica"]}


CUSTOM = CustomKinds(
    (WorkloadKind(("x.example",), "App", ("template",)),),
    (OperatorKind("x.example", "Db", (PodSet((("db", "{name}"),), (OperatorPort("sql", 5432),)),)),),
)
OWN = dedent(
    f"""\
    apiVersion: x.example/v1
    kind: App
    metadata: {{name: a, namespace: shop}}
    template: {POD}
    ---
    apiVersion: x.example/v1
    kind: Db
    metadata: {{name: b, namespace: shop}}
    """
)


def test_kinds_of_configuration_are_read_as_it_says_and_unknown_without_it() -> None:
    tree = MemoryTree({"a.yaml": OWN.encode()})
    shown = json.loads("".join(render("json", matrix(tree, Options(kinds=CUSTOM)))))["endpoints"]
    inside = [each for each in shown if each["kind"] != "External"]
    assert [(each["id"], each["labels"], each.get("via")) for each in inside] == [
        ("shop/a[App]", {"app": "x"}, None),
        ("shop/b[Db]", {"db": "b"}, "operator"),
    ]
    assert matrix(tree).endpoints == ()


def test_readings_of_one_configuration_are_not_taken_for_those_of_another() -> None:
    shelf: MemoryShelf[ObjectRecord] = MemoryShelf()
    tree = MemoryTree({"a.yaml": OWN.encode()})
    counts = [matrix(tree, Options(shelf=shelf, kinds=kinds)).scope.workloads for kinds in (CustomKinds(), CUSTOM, CustomKinds(), CUSTOM)]
    assert counts == [0, 2, 0, 2]

"""What runs in a cluster beside what a repository declares: laws, folding, and snapshots that are wrong or hostile."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.interest import INTEREST, read_running
from analyzers.manifests.running import Running, SnapshotError, SnapshotLimits, read_snapshot, reduced_list
from analyzers.pipeline import Options, Revision, compare, explain, matrix
from analyzers.reports import render
from tests.rendering.repositories import deny, deployment, tree

TAKEN = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
Object = dict[str, Any]


def namespace(name: str, **labels: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pod(name: str, namespace: str = "shop", owner: Object | None = None, **labels: str) -> Object:
    metadata: Object = {"name": name, "namespace": namespace, "labels": labels}
    metadata |= {"ownerReferences": [{"controller": True, "apiVersion": "x/v1", "uid": "1", **owner}]} if owner else {}
    container = {"name": "c", "image": "i", "env": [{"name": "PASSWORD", "value": "hunter2"}], "args": ["--token=hunter2"]}
    spec = {"containers": [container], "nodeName": "n"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Running"}}


def owned(kind: str, name: str) -> Object:
    return {"kind": kind, "name": name}


def controller(kind: str, name: str, owner: Object | None = None, group: str = "apps/v1", **labels: str) -> Object:
    metadata = {"name": name, "namespace": "shop", **({"ownerReferences": [{"controller": True, **owner}]} if owner else {})}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c"}]}}
    return {"apiVersion": group, "kind": kind, "metadata": metadata, "spec": {"template": template}}


def running_deployment(name: str) -> list[Object]:
    """A Deployment as a cluster holds it: with the generations before, which have no pod."""
    made = [controller("Deployment", name, app=name)]
    for number in (1, 2):
        made.append(controller("ReplicaSet", f"{name}-{number}", owned("Deployment", name), app=name, old=str(number)))
    return [*made, pod(f"{name}-2-x", owner=owned("ReplicaSet", f"{name}-2"), app=name, **{"pod-template-hash": "2"})]


def snapshot(*objects: Object) -> bytes:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}).encode()


def running(*objects: Object) -> dict[str, Running]:
    return {"": read_running(snapshot(*objects), "prod.json")}


def texts(*manifests: str) -> dict[str, str]:
    return {f"{number}.yaml": text for number, text in enumerate(manifests)}


def diffed(base: Mapping[str, str], head: Mapping[str, str], live: Mapping[str, Running] | None = None) -> Any:
    options = Options(running=live or {})
    report = compare(tree(base), tree(head), options, base_revision=Revision("base"), head_revision=Revision("head"))
    return json.loads("".join(render("json", report)))


def rows(files: Mapping[str, str], live: Mapping[str, Running] | None = None) -> dict[tuple[str, str], Any]:
    document = json.loads("".join(render("json", matrix(tree(files), Options(running=live or {})))))
    return {(each["source"], each["destination"]): each["connections"] for each in document["flows"]}


WEB, DB = deployment("web", "shop"), deployment("db", "shop")
SHOP = namespace("shop")


def test_a_snapshot_of_exactly_what_is_declared_changes_nothing() -> None:
    base, head = texts(WEB, DB), texts(WEB, DB, deny(namespace="shop"))
    live = running(*(yaml.safe_load(text) for text in base.values()))
    plain, judged = diffed(base, head), diffed(base, head, live)
    assert plain["changes"] == judged["changes"]
    assert plain["digest"] == judged["digest"]
    assert rows(base, live) == rows(base)


def test_a_declared_workload_is_not_doubled_by_its_pods_and_generations() -> None:
    files = texts(WEB, DB)
    assert rows(files, running(SHOP, *running_deployment("web"), *running_deployment("db"))) == rows(files)


def test_a_pod_of_the_snapshot_adds_exactly_its_rows_to_both_sides() -> None:
    files = texts(WEB, DB)
    known, more = rows(files), rows(files, running(SHOP, pod("probe", app="probe")))
    added = {pair: connections for pair, connections in more.items() if pair not in known}
    assert {pair: more[pair] for pair in known} == known
    assert added
    assert all("shop/probe[Pod]" in pair for pair in added)
    assert not diffed(files, files, running(SHOP, pod("probe", app="probe")))["changes"]


def test_what_only_runs_never_looks_added_or_removed() -> None:
    found = diffed(texts(WEB), texts(WEB, deny(namespace="shop")), running(SHOP, *running_deployment("db")))
    assert found["workloads"] == {"added": [], "removed": [], "relabelled": []}
    closed = {(each["source"], each["destination"]) for each in found["changes"] if each["closed"]}
    assert ("shop/web[Deployment]", "shop/db[Deployment]") in closed
    assert ("shop/db[Deployment]", "shop/web[Deployment]") in closed


def test_swapping_the_sides_swaps_opened_and_closed_beside_what_runs() -> None:
    live = running(SHOP, *running_deployment("db"))
    there, back = diffed(texts(WEB), texts(WEB, deny(namespace="shop")), live), diffed(texts(WEB, deny(namespace="shop")), texts(WEB), live)
    assert [each["opened"] for each in there["changes"]] == [each["closed"] for each in back["changes"]]


def test_a_workload_counts_with_the_labels_of_its_pods_and_not_of_older_generations() -> None:
    document = json.loads("".join(render("json", matrix(tree(texts(WEB)), Options(running=running(SHOP, *running_deployment("db")))))))
    (db,) = (each for each in document["endpoints"] if each["id"] == "shop/db[Deployment]")
    assert db["labels"] == {"app": "db", "pod-template-hash": "2"}


def test_a_workload_without_pods_counts_with_its_template() -> None:
    live = running(SHOP, controller("Deployment", "db", app="db"), controller("ReplicaSet", "db-1", owned("Deployment", "db"), app="old"))
    document = json.loads("".join(render("json", matrix(tree(texts(WEB)), Options(running=live)))))
    assert [each["labels"] for each in document["endpoints"] if each["id"] == "shop/db[Deployment]"] == [{"app": "db"}]


def test_pods_of_a_job_count_as_its_cron_job() -> None:
    job = controller("Job", "backup-1", owned("CronJob", "backup"), group="batch/v1", app="backup")
    live = running(SHOP, job, pod("backup-1-x", owner=owned("Job", "backup-1"), app="backup"))
    assert any("shop/backup[CronJob]" in pair for pair in rows(texts(WEB), live))


def test_pods_that_have_ended_do_not_run() -> None:
    ended = {**pod("old", app="old"), "status": {"phase": "Succeeded"}}
    assert rows(texts(WEB), running(SHOP, ended)) == rows(texts(WEB))


def test_policies_that_run_and_are_not_declared_count_on_both_sides() -> None:
    live = running(SHOP, yaml.safe_load(deny("platform", "shop")))
    found = diffed(texts(WEB, DB), texts(WEB, DB, deny(namespace="shop")), live)
    assert not found["changes"]
    assert diffed(texts(WEB, DB), texts(WEB, DB, deny(namespace="shop")))["changes"]


@pytest.mark.parametrize("declaring", ["base", "head"])
def test_a_policy_that_either_side_declares_is_taken_from_the_sides_alone(declaring: str) -> None:
    live = running(SHOP, yaml.safe_load(deny(namespace="shop")))
    without, having = texts(WEB, DB), texts(WEB, DB, deny(namespace="shop"))
    sides = (having, without) if declaring == "base" else (without, having)
    assert diffed(*sides, live)["changes"] == diffed(*sides)["changes"]


def test_labels_of_a_running_namespace_reach_the_policies_of_the_repository() -> None:
    policy = """\
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: in, namespace: shop}
        spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]}
        """
    files = texts(WEB, policy)
    live = running(SHOP, namespace("ops", team="a"), pod("agent", "ops", app="agent"))
    assert ("ops/agent[Pod]", "shop/web[Deployment]") in rows(files, live)
    assert ("ops/agent[Pod]", "shop/web[Deployment]") not in rows(files, running(SHOP, namespace("ops"), pod("agent", "ops")))


def test_what_runs_for_a_declared_object_is_that_object() -> None:
    custom = "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: k8s, namespace: shop}\nspec: {}\n"
    stateful = controller("StatefulSet", "prometheus-k8s", owned("Prometheus", "k8s"), app="p")
    live = running(SHOP, stateful, pod("prometheus-k8s-0", owner=owned("StatefulSet", "prometheus-k8s"), app="p"))
    assert rows(texts(WEB, custom), live) == rows(texts(WEB, custom))


def test_what_head_adds_and_runs_already_is_told() -> None:
    found = diffed(texts(WEB), texts(WEB, DB), running(SHOP, *running_deployment("db")))
    assert [each["message"] for each in found["diagnostics"] if each["code"] == "already-running"] == [
        "runs already, and is compared as new because base does not declare it: shop/db[Deployment]"
    ]
    assert found["workloads"]["added"] == ["shop/db[Deployment]"]


def test_the_report_says_beside_what_it_was_judged() -> None:
    report = compare(
        tree(texts(WEB)),
        tree(texts(WEB)),
        Options(running=running(SHOP, pod("x"))),
        base_revision=Revision("a"),
        head_revision=Revision("b"),
    )
    said = "judged beside 1 workload and 0 policies that run and are not declared, of prod.json"
    assert said in " ".join("".join(render("text", report)).split())
    assert said in "".join(render("markdown", report)).replace("`prod.json`", "prod.json")


def test_a_snapshot_without_namespaces_is_incomplete() -> None:
    found = diffed(texts(WEB), texts(WEB), running(pod("x", "other")))
    assert not found["complete"]
    assert [each["message"] for each in found["diagnostics"] if each["code"] == "inventory-partial"] == [
        "prod.json holds no Namespace other, in which workloads run: the labels of namespaces are not known"
    ]


def test_a_policy_kind_that_is_not_analysed_makes_the_report_incomplete_and_only_its_name_is_kept() -> None:
    mesh = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "x", "namespace": "shop"}, "spec": {"a": "b"}}
    live = running(SHOP, mesh)
    assert not diffed(texts(WEB), texts(WEB), live)["complete"]
    assert [dict(each.body) for each in live[""].manifests if each.kind == "CiliumNetworkPolicy"] == [
        {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "x", "namespace": "shop"}}
    ]


def test_explain_names_the_policy_that_runs() -> None:
    live = running(SHOP, yaml.safe_load(deny("platform", "shop")))
    found = explain(tree(texts(WEB, DB)), "shop/web[Deployment]", "shop/db[Deployment]", None, Options(running=live))
    assert found.verdict == "denied"
    assert {(each.policy, each.path, each.line) for each in found.ingress} == {("NetworkPolicy shop/platform", "inventory prod.json", 0)}


SECRET = "hunter2"
LEAKY: list[Object] = [
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}, "data": {"p": SECRET}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}, "data": {"p": SECRET}},
    pod("web", app="web"),
    {**SHOP, "metadata": {"name": "shop", "annotations": {"last-applied": SECRET}, "managedFields": [{"x": SECRET}]}},
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "shop", "annotations": {"auth": SECRET, "kubernetes.io/ingress.class": "nginx"}},
        "spec": {},
        "status": {"x": SECRET},
    },
    {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "shop"},
        "spec": {"rules": [{"filters": [{"requestHeaderModifier": {"set": [{"name": "A", "value": SECRET}]}}], "backendRefs": []}]},
    },
    {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": "k8s", "namespace": "shop"},
        "spec": {"containers": [{"name": "c", "env": [{"name": "P", "value": SECRET}]}]},
    },
]


def test_nothing_secret_of_a_snapshot_is_kept() -> None:
    live = read_running(snapshot(*LEAKY), "prod.json")
    kept = reduced_list(live.manifests, TAKEN).decode()
    assert SECRET not in kept
    assert sorted(each.kind for each in live.manifests) == ["HTTPRoute", "Ingress", "Namespace", "Pod"]
    assert "nginx" in kept


def test_reducing_a_reduced_snapshot_changes_nothing_and_it_knows_its_time() -> None:
    once = read_running(snapshot(*LEAKY, *running_deployment("db")), "prod.json")
    stored = reduced_list(once.manifests, TAKEN)
    again = read_running(gzip.compress(stored), "prod.json")
    assert reduced_list(again.manifests, TAKEN) == stored
    assert (once.taken, again.taken) == (None, TAKEN)


def test_a_typed_list_need_not_repeat_the_kind_of_its_items() -> None:
    bare = {key: value for key, value in pod("x").items() if key not in ("apiVersion", "kind")}
    data = json.dumps({"apiVersion": "v1", "kind": "PodList", "items": [bare]}).encode()
    assert [each.title for each in read_running(data, "x").manifests] == ["Pod shop/x"]


BOMB = gzip.compress(b" " * 3_000_000, mtime=0)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "prod.json:1: is not JSON"),
        (b"{\n  oops", "prod.json:2: is not JSON"),
        (b"apiVersion: v1\nkind: List\n", "prod.json:1: is not JSON .*-o json"),
        (b"\xff\xfe\xff", "prod.json: is not UTF-8"),
        (b"[]", "prod.json: must be a List"),
        (b'{"kind": "Pod"}', "prod.json: must be a List with items, not Pod"),
        (b'{"kind": "List", "items": {}}', "must be a List with items"),
        (b'{"kind": "List", "items": [1]}', r"prod.json: items\[0\]: must be an object"),
        (b'{"kind": "List", "items": [{"kind": "Pod"}]}', r"items\[0\]: must have apiVersion and kind"),
        (b'{"kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod"}]}', r"items\[0\]: Pod: metadata.name: is required"),
        (snapshot(pod("x"), pod("x")), r"items\[1\]: Pod shop/x stands at items\[0\] too"),
        (snapshot({**pod("x"), "metadata": {"name": "x", "namespace": 1}}), r"items\[0\]: Pod x: metadata.namespace: must be a string"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"kind": "List", "items": [' + b"1" * 10_000 + b"]}", "holds a number"),
        (b"\x1f\x8bnonsense", "gzip cannot unpack"),
        (gzip.compress(b"{}", mtime=0)[:-9], "ends in the middle"),
        (BOMB, "more than 1,000,000 bytes"),
        (b" " * 1_000_001, "more than 1,000,000 bytes"),
        (json.dumps({"kind": "List", "items": [], "metadata": {"annotations": {"flowdelta/taken": "soon"}}}).encode(), "is no time"),
    ],
)
def test_a_snapshot_that_is_wrong_is_refused_with_its_place(data: bytes, problem: str) -> None:
    with pytest.raises(SnapshotError, match=problem):
        read_snapshot(data, "prod.json", INTEREST.wanted, INTEREST.wanted, SnapshotLimits(bytes=1_000_000))


def test_more_objects_than_are_read_are_refused() -> None:
    with pytest.raises(SnapshotError, match="has 3 objects; at most 2 are read"):
        read_snapshot(snapshot(*map(pod, "abc")), "x", INTEREST.wanted, INTEREST.wanted, SnapshotLimits(objects=2))


def test_an_invalid_running_object_is_a_finding_and_the_rest_is_analysed() -> None:
    broken = {**pod("x"), "metadata": {"name": "x", "namespace": "shop", "labels": {"a": 1}}}
    found = diffed(texts(WEB), texts(WEB), running(SHOP, broken, pod("y")))
    assert [each["code"] for each in found["diagnostics"] if each["severity"] == "error"] == ["invalid-object"]
    assert not found["complete"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "name", "namespace", "spec", "labels", "containers", "ownerReferences", "template", "kind"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "apiVersion": st.sampled_from(["v1", "apps/v1"]),
                "kind": st.sampled_from(["Pod", "Service", "Deployment"]),
                "metadata": JSON,
                "spec": JSON,
            }
        ),
        max_size=3,
    )
)
def test_no_snapshot_ends_otherwise_than_with_an_error_or_an_analysis(items: list[Object]) -> None:
    try:
        live = read_running(snapshot(*items), "prod.json")
    except SnapshotError:
        return
    assert reduced_list(read_running(reduced_list(live.manifests, TAKEN), "prod.json").manifests, TAKEN) == reduced_list(
        live.manifests, TAKEN
    )
    rows(texts(WEB), {"": live})

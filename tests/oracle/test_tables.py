"""Tables of a revision and of two: replicas, label sets, and what an edit opens and closes."""

from __future__ import annotations

from tests.oracle.reading import Document, read
from tests.oracle.sample import AGENT, DB, TOOL, WEB, cluster, owned_pod
from tests.oracle.tables import Change, Flow, Name, Revision, Universe, diff, universe

Pair = tuple[Name, Name]


def matrix(documents: list[Document]) -> dict[Pair, Flow]:
    """The matrix of a revision on its own."""
    return Revision(documents, universe(documents), "node").matrix()


def changes(base: list[Document], head: list[Document]) -> tuple[dict[Pair, Change], Universe]:
    """What changes, and the points of it."""
    points = universe(base, head)
    return diff(Revision(base, points, "node"), Revision(head, points, "node")), points


def test_policy_applies_between_replicas_and_a_bare_pod_has_no_row_with_itself() -> None:
    assert (WEB, WEB) in matrix(cluster())
    assert (WEB, WEB) not in matrix(cluster("{podSelector: {}}"))
    assert (DB, DB) not in matrix(cluster())


def test_each_label_set_counts_and_the_best_answer_is_shown() -> None:
    pods = [owned_pod("a", {"role": "main"}, "StatefulSet", "db"), owned_pod("b", {"role": "spare"}, "StatefulSet", "db")]
    documents = [*cluster("{podSelector: {matchLabels: {role: main}}}"), *pods]
    flow = matrix(documents)[WEB, "shop/db[StatefulSet]"]
    assert flow.connections == universe(documents).ports.full


def test_a_change_to_one_label_set_shows_though_the_union_stays() -> None:
    pods = [owned_pod("a", {"role": "main"}, "StatefulSet", "db"), owned_pod("b", {"role": "spare"}, "StatefulSet", "db")]
    base, head = [*cluster(), *pods], [*cluster("{podSelector: {matchLabels: {role: main}}}"), *pods]
    found, points = changes(base, head)
    change = found[WEB, "shop/db[StatefulSet]"]
    assert (change.base, change.head, change.opened, change.closed) == (points.ports.full,) * 2 + (0, points.ports.full)


def test_a_container_port_edit_alone_opens_and_closes() -> None:
    spec = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}"
    base, head = cluster(spec), cluster(spec)
    head[3]["spec"]["containers"][0]["ports"][0]["containerPort"] = 6432
    found, points = changes(base, head)
    change = found[WEB, DB]
    assert points.ports.shown(change.opened) == ["6432/TCP"]
    assert points.ports.shown(change.closed) == ["5432/TCP"]


def test_a_workload_that_goes_closes_everything_and_leaves_nothing_behind() -> None:
    base = cluster()
    head = [document for document in base if document["metadata"]["name"] != "db"]
    found, points = changes(base, head)
    assert {end for pair in found for end in pair if isinstance(end, str)} == set(read(base).workloads)
    assert all(DB in pair and change.head == 0 and change.closed == points.ports.full for pair, change in found.items())


def test_a_namespace_object_alone_can_open_a_flow() -> None:
    base = cluster("{ingress: [{from: [{namespaceSelector: {matchLabels: {env: dev}}}]}]}")
    head = [*base, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bare", "labels": {"env": "dev"}}}]
    found, _ = changes(base, head)
    assert {pair for pair, change in found.items() if change.opened} == {(TOOL, DB), (TOOL, WEB)}


def test_a_change_from_may_to_allowed_opens_and_is_marked() -> None:
    base, head = cluster("{podSelector: {}}"), cluster("{ingress: [{}]}")
    found, points = changes(base, head)
    change = found[AGENT, DB]
    assert change == (points.ports.full, points.ports.full, points.ports.full, 0, points.ports.full)

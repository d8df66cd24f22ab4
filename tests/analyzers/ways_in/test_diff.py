"""Ways in in a diff: rows, groups, causes, outages; and that swapping the sides swaps what opens and closes."""

from __future__ import annotations

from typing import Any

from analyzers.model.revision import Revision
from analyzers.pipeline import diff
from analyzers.reports import render
from tests.analyzers.ways_in.asking import FRONT, WEB, compared, deployment, files, policy
from tests.oracle import laws
from tests.property.product import MemoryTree

OPEN = policy("[{from: [{namespaceSelector: {}}]}]")
SHUT = policy("[{from: [{podSelector: {}}]}]")
PORT = {"TCP": [[8080, 8080]]}


def through(report: dict[str, Any]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    return [(row["destination"], row["opened"], row["closed"]) for row in report["changes"] if row["source"] == "{ingress-controller}"]


def headline(base: str, head: str) -> str:
    trees = [MemoryTree(files(text)) for text in (base, head)]
    report = diff(trees[0], trees[1], base_revision=Revision("a"), head_revision=Revision("b"))
    return "".join(render("text", report)).partition("\n\n")[0].replace("\n", " ")


def test_ingress_that_comes_opens_and_one_that_goes_closes() -> None:
    assert through(compared(WEB, WEB + FRONT)) == [("shop/web[Deployment]", PORT, {})]
    assert through(compared(WEB + FRONT, WEB)) == [("shop/web[Deployment]", {}, PORT)]


def test_ingress_is_the_cause_of_what_it_opens() -> None:
    (group,) = compared(WEB, WEB + FRONT)["groups"]
    assert [cause["object"] for alternative in group["causes"] for cause in alternative["undo"]] == ["Ingress shop/front"]


def test_service_that_leads_elsewhere_is_the_cause_of_what_changes() -> None:
    report = compared(WEB + FRONT, WEB.replace("targetPort: http", "targetPort: 9090") + FRONT)
    assert through(report) == [("shop/web[Deployment]", {"TCP": [[9090, 9090]]}, PORT)]
    assert [cause["object"] for cause in report["groups"][0]["causes"][0]["undo"]] == ["Service shop/web"]


def test_policy_that_cuts_off_a_way_in_is_an_outage_and_said_first() -> None:
    report = compared(WEB + FRONT + OPEN, WEB + FRONT + SHUT)
    (blocked,) = report["blocked"]
    assert (blocked["way"], blocked["was_open"], blocked["policies"]) == ("Ingress shop/front", True, ["NetworkPolicy shop/p"])
    assert headline(WEB + FRONT + OPEN, WEB + FRONT + SHUT).startswith("Flowdelta: policy cuts off 1 way in; ")


def test_new_way_in_that_is_blocked_is_told_apart_from_an_outage() -> None:
    assert [each["was_open"] for each in compared(WEB + SHUT, WEB + FRONT + SHUT)["blocked"]] == [False]
    assert headline(WEB + SHUT, WEB + FRONT + SHUT).startswith("Flowdelta: 1 new way in is blocked by policy; no flow changes")


def test_way_in_that_was_blocked_before_is_not_blamed_on_the_change() -> None:
    moved = deployment("more") + WEB + FRONT + SHUT
    assert compared(WEB + FRONT + SHUT, moved)["blocked"] == []


def test_diff_of_a_thing_with_itself_is_empty() -> None:
    report = compared(WEB + FRONT + OPEN, WEB + FRONT + OPEN)
    assert report["changes"] == report["groups"] == report["blocked"] == report["published"] == []


def test_swapping_the_sides_swaps_opened_and_closed() -> None:
    one, other = WEB + FRONT + OPEN, deployment("db") + WEB.replace("8080", "9090") + FRONT
    report, swapped = compared(one, other), compared(other, one)
    turned = [
        {**row, "base": row["head"], "head": row["base"], "opened": row["closed"], "closed": row["opened"]} for row in swapped["changes"]
    ]
    assert report["changes"] == turned
    assert not list(laws.broken_by_diff(report))


def test_pods_that_differ_within_a_workload_are_compared_one_by_one() -> None:
    owner = "{kind: StatefulSet, name: s, controller: true}"
    metadata = f"{{name: %s, namespace: shop, labels: {{app: web, v: %s}}, ownerReferences: [{owner}]}}"
    spec = "{containers: [{name: c, ports: [{name: http, containerPort: %d}]}]}"
    pod = f"---\napiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec: {spec}\n"
    service = WEB.partition("---\napiVersion: v1\n")[2]
    text = pod % ("a", "one", 8080) + pod % ("b", "two", 9090) + "---\napiVersion: v1\n" + service + FRONT
    shut = policy("[]", selector="{matchLabels: {v: one}}")
    assert through(compared(text, text + shut)) == [("shop/s[StatefulSet]", {}, PORT)]

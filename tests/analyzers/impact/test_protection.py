"""Protection lost: found where no flow changes, told apart by what took it away, and never made up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analyzers.impact.assessment.protection import Reason
from analyzers.model.policy import Direction
from analyzers.reports import render
from tests.analyzers.impact.test_alternatives import PODS, compared, deployment, policy

DENY = policy("deny", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}")
BOTH = policy("deny", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress]}")
ALL = policy("all", "{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}")

Files = dict[str, str]


def lost(base: Files, head: Files) -> list[tuple[list[str], Direction, tuple[Reason, ...], bool]]:
    found = compared(base, head).protection.lost
    return [(list(each.workloads), each.direction, each.reasons, each.exposed) for each in found]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ({"deny": ""}, Reason.REMOVED),
        ({"deny": DENY.replace("app: web", "app: wbe")}, Reason.SELECTOR),
        ({"deny": DENY.replace("Ingress", "Egress")}, Reason.DIRECTION),
        ({"web": deployment("web", labels="app: front")}, Reason.RELABELLED),
        ({"web": PODS["web"].replace("spec: {containers", "spec: {hostNetwork: true, containers")}, Reason.NODE),
    ],
)
def test_what_took_the_protection_away_is_told(head: Files, reason: Reason) -> None:
    base = PODS | {"deny": DENY}
    head = {name: text for name, text in {**base, **head}.items() if text}
    assert lost(base, head) == [(["shop/web[Deployment]"], Direction.INGRESS, (reason,), True)]


def test_protection_that_another_policy_hides_is_lost_all_the_same() -> None:
    base = PODS | {"deny": DENY, "all": ALL}
    head = base | {"web": deployment("web", labels="app: front")}
    report = compared(base, head)
    assert not report.groups
    (each,) = report.protection.lost
    assert (list(each.workloads), each.exposed) == (["shop/web[Deployment]"], False)
    assert [str(policy) for policy in each.lost] == ["NetworkPolicy shop/deny"]


def test_a_policy_removed_where_another_still_isolates_loses_nothing() -> None:
    assert lost(PODS | {"deny": DENY, "all": ALL}, PODS | {"all": ALL}) == []


def test_each_direction_is_told_by_itself() -> None:
    found = lost(PODS | {"deny": BOTH}, PODS)
    assert [(direction, exposed) for _, direction, _, exposed in found] == [(Direction.INGRESS, True), (Direction.EGRESS, True)]


def test_workloads_that_come_or_go_have_lost_nothing() -> None:
    base = PODS | {"deny": DENY}
    assert lost(base, {name: text for name, text in base.items() if name != "web"}) == []
    assert lost({"deny": DENY}, base) == []


def test_nothing_is_lost_between_equal_revisions() -> None:
    base = PODS | {"deny": BOTH, "all": ALL}
    assert lost(base, base) == []
    assert compared(base, base).protection.idle == ()


@pytest.mark.parametrize(
    ("base", "head", "because"),
    [
        ({}, {"deny": DENY.replace("app: web", "app: wbe")}, "it is new"),
        ({"deny": DENY}, {"deny": DENY.replace("app: web", "app: wbe")}, "it selected some before"),
        ({"deny": DENY}, {"web": deployment("web", labels="app: front")}, "the pods that it selected were relabelled or removed"),
    ],
)
def test_a_policy_that_came_to_select_nothing_is_named(base: Files, head: Files, because: str) -> None:
    before = PODS | base
    (each,) = compared(before, before | head).protection.idle
    assert (str(each.policy), each.because) == ("NetworkPolicy shop/deny", because)


def test_a_policy_that_selected_nothing_before_is_not_news() -> None:
    idle = DENY.replace("app: web", "app: wbe")
    assert compared(PODS | {"deny": idle}, PODS | {"deny": idle, "web": deployment("web", labels="app: front")}).protection.idle == ()
    assert compared(PODS | {"deny": idle}, PODS | {"deny": idle.replace("Ingress", "Egress")}).protection.idle == ()


def document(base: Files, head: Files) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(render("json", compared(base, head))))
    return found


def test_the_document_has_a_row_for_each_workload_and_direction() -> None:
    found = document(PODS | {"deny": BOTH}, PODS | {"deny": BOTH.replace("app: web", "app: wbe")})
    assert [(row["workload"], row["direction"], row["lost"], row["exposed"]) for row in found["protection"]] == [
        ("shop/web[Deployment]", direction, ["NetworkPolicy shop/deny"], True) for direction in ("egress", "ingress")
    ]
    assert {(row["path"], row["line"], row["side"]) for row in found["protection"]} == {("deny.yaml", 1, "base")}
    assert [row["policy"] for row in found["selects_nothing"]] == ["NetworkPolicy shop/deny"]


@pytest.mark.parametrize("format", ["text", "markdown"])
def test_the_words_say_who_lost_what_even_where_no_flow_changes(format: str) -> None:
    base = PODS | {"deny": DENY, "all": ALL}
    text = " ".join("".join(render(format, compared(base, base | {"web": deployment("web", labels="app: front")}))).split()).replace(
        "`", ""
    )
    assert "Protection lost" in text
    assert "shop/web Deployment: ingress is not isolated any more by NetworkPolicy shop/deny, though other policies isolate it" in text


def test_the_headline_counts_workloads_that_nothing_isolates_any_more() -> None:
    text = "".join(render("text", compared(PODS | {"deny": BOTH}, PODS)))
    assert "1 workload loses its isolation" in text.partition("\n\n")[0].replace("\n", " ")

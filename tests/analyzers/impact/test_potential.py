"""Potential flows and reasons, case by case: what a person reads of a policy edit that changes no flow between known workloads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analyzers.impact.report import DiffReport, NoEffect, ReasonKind
from analyzers.model.revision import Revision
from analyzers.pipeline import diff
from analyzers.reports import render
from tests.property.product import MemoryTree

WORKLOADS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: c}]}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: obs, labels: {team: observability}}
"""
DENY = "spec: {podSelector: {}, policyTypes: [Ingress, Egress]}"
DENY_INGRESS = "spec: {podSelector: {}}"
SCRAPE = "{namespaceSelector: {matchLabels: {team: observability}}, podSelector: {matchLabels: {app: prometheus}}}"


def policy(name: str, spec: str, namespace: str = "shop") -> str:
    return f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\n{spec}\n"


def ingress(peer: str, port: int | str = 9090, subject: str = "{matchLabels: {app: web}}") -> str:
    return f"spec: {{podSelector: {subject}, ingress: [{{from: [{peer}], ports: [{{port: {port}}}]}}]}}"


def egress(peer: str, port: int = 9090, subject: str = "{matchLabels: {app: cart}}") -> str:
    return f"spec: {{podSelector: {subject}, policyTypes: [Egress], egress: [{{to: [{peer}], ports: [{{port: {port}}}]}}]}}"


def compared(base: dict[str, str], head: dict[str, str]) -> DiffReport:
    trees = [
        MemoryTree({"workloads.yaml": WORKLOADS.encode(), **{f"{name}.yaml": policy(name, spec).encode() for name, spec in each.items()}})
        for each in (base, head)
    ]
    return diff(trees[0], trees[1], base_revision=Revision("base"), head_revision=Revision("head"))


def document(report: DiffReport) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(render("json", report)))
    return found


def potential(base: dict[str, str], head: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = document(compared(base, head))["potential"]
    return found


def test_a_peer_without_a_known_pod_is_shown_as_its_selector_reads() -> None:
    found = potential({"deny": DENY}, {"deny": DENY, "scrape": ingress(SCRAPE)})
    (row,) = found["changes"]
    assert row["source"] == "pods app=prometheus in namespaces team=observability"
    assert row["destination"] == "shop/web[Deployment]"
    assert row["opened"] == {"TCP": [[9090, 9090]]}
    (pod,) = [each for each in found["endpoints"] if each["kind"] == "Representative"]
    assert pod["labels"] == {"app": "prometheus"}
    assert pod["namespace"] == "obs"


def test_known_flows_and_the_digest_do_not_know_potential_ones() -> None:
    report = document(compared({"deny": DENY}, {"deny": DENY, "scrape": ingress(SCRAPE)}))
    assert report["groups"] == report["changes"] == report["endpoints"] == []
    assert report["summary"]["pairs"] == 0


def test_a_peer_that_a_known_workload_is_has_no_representative() -> None:
    found = potential({"deny": DENY}, {"deny": DENY, "cart": ingress("{podSelector: {matchLabels: {app: cart}}}")})
    assert found["endpoints"] == []


def test_selectors_that_mean_the_same_are_one_representative() -> None:
    same = "{podSelector: {matchExpressions: [{key: app, operator: In, values: [prometheus]}, {key: app, operator: Exists}]}}"
    plain = "{podSelector: {matchLabels: {app: prometheus}}}"
    base = {"deny": DENY_INGRESS}
    found = potential(base, {**base, "one": ingress(same), "other": ingress(plain, 9091)})
    (row,) = found["changes"]
    assert row["source"] == "pods app=prometheus in namespace shop"
    assert row["opened"] == {"TCP": [[9090, 9091]]}


def test_a_port_name_on_a_pod_that_could_exist_may_be_any_port() -> None:
    found = potential({"deny": DENY}, {"deny": DENY, "new": ingress("{podSelector: {}}", "http", "{matchLabels: {app: none}}")})
    rows = [row for row in found["changes"] if row["source"] == "shop/cart[Deployment]"]
    assert rows == []  # its own egress is denied
    found = potential({}, {"new": ingress("{podSelector: {}}", "http", "{matchLabels: {app: none}}")})
    (row,) = [row for row in found["changes"] if row["source"] == "shop/cart[Deployment]"]
    assert row["head"] == row["may"] == {"TCP": [[1, 65535]]}
    assert row["conditions"] == ["the pod names a port http (TCP), at a number that manifests do not tell"]


def test_what_no_pod_can_be_is_said() -> None:
    never = "{podSelector: {matchExpressions: [{key: app, operator: Exists}, {key: app, operator: DoesNotExist}]}}"
    found = potential({"deny": DENY}, {"deny": DENY, "never": ingress(never)})
    assert found["impossible"] == ["pods !app, app in namespace shop"]
    assert found["changes"] == []


def test_nothing_is_potential_where_nothing_changed() -> None:
    found = potential({"scrape": ingress(SCRAPE)}, {"scrape": ingress(SCRAPE)})
    assert found == {"endpoints": [], "groups": [], "changes": [], "impossible": [], "left_out": 0}


def reason(base: dict[str, str], head: dict[str, str]) -> NoEffect:
    (found,) = compared(base, head).no_effect()
    return found


WEB_TO_CART = "{podSelector: {matchLabels: {app: cart}}}"


@pytest.mark.parametrize(
    ("base", "added", "kind", "objects"),
    [
        ({"deny": DENY}, ingress(WEB_TO_CART), ReasonKind.OTHER_END, ["NetworkPolicy shop/deny"]),
        ({"deny": DENY_INGRESS, "first": ingress(WEB_TO_CART)}, ingress(WEB_TO_CART), ReasonKind.ALLOWED, ["NetworkPolicy shop/first"]),
        ({"deny": DENY}, "spec: {podSelector: {matchLabels: {app: web}}}", ReasonKind.DENIED, ["NetworkPolicy shop/deny"]),
        ({"deny": DENY}, ingress(SCRAPE), ReasonKind.NO_PEER, ["NetworkPolicy shop/new"]),
        ({}, "spec: {podSelector: {matchLabels: {app: none}}}", ReasonKind.SELECTS_NOTHING, ["NetworkPolicy shop/new"]),
        ({}, "spec: {podSelector: {}, ingress: [{}]}", ReasonKind.SAME_MEANING, ["NetworkPolicy shop/new"]),
    ],
)
def test_a_policy_without_effect_has_a_reason(base: dict[str, str], added: str, kind: ReasonKind, objects: list[str]) -> None:
    found = reason(base, {**base, "new": added})
    assert found.reason is kind
    assert [each.object for each in found.objects] == objects


def test_a_policy_in_another_namespace_than_its_pods_names_them() -> None:
    base = MemoryTree({"workloads.yaml": WORKLOADS.encode()})
    lost = policy("lost", ingress(WEB_TO_CART), namespace="obs")
    head = MemoryTree({"workloads.yaml": WORKLOADS.encode(), "lost.yaml": lost.encode()})
    (found,) = diff(base, head, base_revision=Revision("base"), head_revision=Revision("head")).no_effect()
    assert found.reason is ReasonKind.OTHER_NAMESPACE
    assert [(each.object, each.path, each.line) for each in found.objects] == [("Deployment shop/web", "workloads.yaml", 1)]


def test_an_admin_tier_that_decides_first_is_named() -> None:
    admin = (
        "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: closed}\n"
        "spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}\n"
    )
    files = {"workloads.yaml": WORKLOADS.encode(), "admin.yaml": admin.encode()}
    files |= {"deny.yaml": policy("deny", "spec: {podSelector: {}}").encode()}
    new = policy("new", ingress(WEB_TO_CART))
    report = diff(
        MemoryTree(files), MemoryTree({**files, "new.yaml": new.encode()}), base_revision=Revision("base"), head_revision=Revision("head")
    )
    (found,) = report.no_effect()
    assert found.reason is ReasonKind.SHADOWED
    assert [each.object for each in found.objects] == ["AdminNetworkPolicy closed"]


def test_a_policy_that_changes_known_flows_needs_no_reason() -> None:
    assert compared({}, {"deny": DENY}).no_effect() == ()


def test_people_read_why_in_the_comment_and_the_terminal() -> None:
    report = compared({"deny": DENY}, {"deny": DENY, "new": ingress(WEB_TO_CART)})
    for name in ("text", "markdown"):
        said = " ".join("".join(render(name, report)).replace("`", "").split())
        assert "because NetworkPolicy shop/deny at the other end does not let shop/cart[Deployment] reach shop/web[Deployment]" in said


def test_what_only_pods_that_could_exist_are_let_through_by_is_told_once() -> None:
    report = compared(
        {"deny": DENY_INGRESS},
        {"deny": DENY_INGRESS, "scrape": ingress(SCRAPE), "none": ingress(WEB_TO_CART, subject="{matchLabels: {app: none}}")},
    )
    assert [each.potential for each in report.no_effect()] == [True, True]
    said = "".join(render("text", report))
    assert "changed without effect" not in said
    assert said.count("NetworkPolicy shop/scrape added") == 1
    assert "NetworkPolicy shop/none selects no known pod: it is new" in said


@pytest.mark.parametrize(
    ("peer", "said"),
    [
        (SCRAPE, "pods app=prometheus in namespaces team=observability"),
        ("{podSelector: {matchLabels: {app: prometheus}}}", "pods app=prometheus in namespace shop"),
        ("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: far}}}", "any pod in namespace far"),
        ("{namespaceSelector: {}, podSelector: {matchLabels: {all: 'yes'}}}", "pods all=yes in any namespace"),
        ("{namespaceSelector: {}, podSelector: {matchExpressions: [{key: all, operator: Exists}]}}", "pods all in any namespace"),
        (
            "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: far, a: b}}}",
            "any pod in namespaces a=b, kubernetes.io/metadata.name=far",
        ),
    ],
)
def test_selector_reads_in_plain_words(peer: str, said: str) -> None:
    text = " ".join(
        "".join(render("markdown", compared({"deny": DENY_INGRESS}, {"deny": DENY_INGRESS, "new": ingress(peer)}))).replace("`", "").split()
    )
    assert f"| {said} | shop/web Deployment | TCP 9090 |" in text


def test_people_read_potential_flows_apart_from_known_ones() -> None:
    report = compared({"deny": DENY}, {"deny": DENY, "scrape": ingress(SCRAPE)})
    for name in ("text", "markdown"):
        said = "".join(render(name, report))
        assert "no flow changes (2 workloads, 2 policies); potentially 1 flow opens" in said
        assert "Potentially opens" in said

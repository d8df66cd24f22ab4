"""True causes: which sets of changed objects undo a change, by examples that a reviewer would put to the tool."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analyzers.impact.report import DiffReport
from analyzers.model.revision import Revision
from analyzers.pipeline import diff
from analyzers.reports import render
from tests.property.product import MemoryTree

WEB, CART, DB = "shop/web[Deployment]", "shop/cart[Deployment]", "data/db[Deployment]"


def deployment(name: str, namespace: str = "shop", labels: str = "", ports: str = "") -> str:
    labels = labels or f"app: {name}"
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec:\n  template:\n    metadata: {{labels: {{{labels}}}}}\n    spec: {{containers: [{{name: c, ports: [{ports}]}}]}}\n"
    )


def policy(name: str, spec: str, namespace: str = "shop") -> str:
    return f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def namespace(name: str, labels: str) -> str:
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n"


def service(name: str, app: str, namespace: str = "shop") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{selector: {{app: {app}}}, ports: [{{port: 80, targetPort: 8080}}]}}\n"
    )


INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop, namespace: shop}\n"
    "spec: {defaultBackend: {service: {name: front, port: {number: 80}}}}\n"
)
PODS = {"web": deployment("web"), "cart": deployment("cart"), "db": deployment("db", "data")}
DENY = {
    "web-out": policy("web-out", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}"),
    "cart-in": policy("cart-in", "{podSelector: {matchLabels: {app: cart}}, policyTypes: [Ingress]}"),
}
TO_CART = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: cart}}}]}]}"
FROM_WEB = (
    "{podSelector: {matchLabels: {app: cart}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}"
)


def compared(base: dict[str, str], head: dict[str, str]) -> DiffReport:
    before, after = (MemoryTree({f"{name}.yaml": text.encode() for name, text in files.items()}) for files in (base, head))
    return diff(before, after, base_revision=Revision("base"), head_revision=Revision("head"))


def documents(base: dict[str, str], head: dict[str, str]) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = json.loads("".join(render("json", compared(base, head))))["groups"]
    return groups


def causes(base: dict[str, str], head: dict[str, str], source: str, destination: str) -> list[list[str]]:
    """What undoes the change from one end to the other, where the group has parts that of its part."""
    for group in documents(base, head):
        for unit in (*group.get("parts", []), group):
            if source in unit["sources"] and destination in unit["destinations"]:
                assert not unit["causes_truncated"]
                return [[cause["object"] for cause in alternative["undo"]] for alternative in unit["causes"]]
    raise AssertionError(f"nothing changes from {source} to {destination}")


def test_a_flow_that_needed_an_edit_at_either_end_has_two_alternatives_of_one() -> None:
    base, head = PODS | DENY, PODS | {"web-out": policy("web-out", TO_CART), "cart-in": policy("cart-in", FROM_WEB)}
    assert causes(base, head, WEB, CART) == [["NetworkPolicy shop/cart-in"], ["NetworkPolicy shop/web-out"]]


def test_two_edits_that_each_open_a_flow_are_one_alternative_of_two() -> None:
    base = PODS | {"cart-in": DENY["cart-in"]}
    head = base | {"cart-in": policy("cart-in", FROM_WEB), "more": policy("more", FROM_WEB)}
    assert causes(base, head, WEB, CART) == [["NetworkPolicy shop/cart-in", "NetworkPolicy shop/more"]]


def test_a_change_beside_the_flow_is_no_cause_of_it() -> None:
    base = PODS | DENY
    head = PODS | {"web-out": policy("web-out", TO_CART), "cart-in": policy("cart-in", "{podSelector: {matchLabels: {app: none}}}")}
    also = base | {"cart-in": head["cart-in"], "web-out": DENY["web-out"], "db": deployment("db", "data", "app: db, tier: data")}
    assert causes(base, head, WEB, CART) == [["NetworkPolicy shop/cart-in"], ["NetworkPolicy shop/web-out"]]
    assert causes(base, also, DB, CART) == [["NetworkPolicy shop/cart-in"]]


def test_a_relabelled_workload_and_the_policy_that_admits_its_new_label_are_both_needed() -> None:
    base = PODS | {"cart-in": DENY["cart-in"]}
    admits_front = FROM_WEB.replace("app: web", "tier: front")
    head = base | {"web": deployment("web", labels="app: web, tier: front"), "cart-in": policy("cart-in", admits_front)}
    assert causes(base, head, WEB, CART) == [["Deployment shop/web"], ["NetworkPolicy shop/cart-in"]]


def test_a_relabelled_namespace_is_a_cause() -> None:
    admits_prod = "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {matchLabels: {env: prod}}}]}]}"
    base = PODS | {"in": policy("in", admits_prod), "data": namespace("data", "env: dev")}
    head = base | {"data": namespace("data", "env: prod"), "web": deployment("web", labels="app: web, tier: front")}
    assert causes(base, head, DB, CART) == [["Namespace data"]]


def test_a_renamed_port_is_a_cause() -> None:
    admits_http = "{podSelector: {matchLabels: {app: cart}}, policyTypes: [Ingress], ingress: [{ports: [{port: http}]}]}"
    base = PODS | {"in": policy("in", admits_http), "cart": deployment("cart", ports="{name: http, containerPort: 80}")}
    head = base | {
        "cart": deployment("cart", ports="{name: web, containerPort: 80}"),
        "other": policy("other", "{podSelector: {}}", "data"),
    }
    assert causes(base, head, WEB, CART) == [["Deployment shop/cart"]]


def test_a_flow_of_a_new_workload_needs_the_workload_and_the_policy_that_admits_it() -> None:
    base = {"cart": PODS["cart"], "cart-in": DENY["cart-in"]}
    head = base | {"web": PODS["web"], "cart-in": policy("cart-in", FROM_WEB)}
    assert causes(base, head, WEB, CART) == [["Deployment shop/web"], ["NetworkPolicy shop/cart-in"]]


def test_a_removed_policy_is_undone_by_putting_it_back() -> None:
    base, head = PODS | DENY, PODS
    found = documents(base, head)
    assert causes(base, head, WEB, CART) == [["NetworkPolicy shop/cart-in"], ["NetworkPolicy shop/web-out"]]
    told = {(each["object"], each["change"], each["side"], each["line"]) for group in found for a in group["causes"] for each in a["undo"]}
    assert told == {("NetworkPolicy shop/cart-in", "removed", "base", 1), ("NetworkPolicy shop/web-out", "removed", "base", 1)}


def test_cells_of_a_group_with_causes_of_their_own_are_parts_of_it() -> None:
    base = PODS | {"deny": policy("deny", "{podSelector: {}, policyTypes: [Ingress]}")}
    admits = "{{podSelector: {{matchLabels: {{app: {0}}}}}, policyTypes: [Ingress], ingress: [{{from: [{{namespaceSelector: {{}}}}]}}]}}"
    head = base | {name: policy(name, admits.format(name)) for name in ("web", "cart")}
    head |= {"web-pod": PODS["web"], "cart-pod": PODS["cart"]}
    base |= {"web-pod": PODS["web"], "cart-pod": PODS["cart"]}
    del base["web"], base["cart"]
    (group,) = [each for each in documents(base, head) if DB in each["sources"]]
    assert [[cause["object"] for cause in each["undo"]] for each in group["causes"]] == [
        ["NetworkPolicy shop/cart", "NetworkPolicy shop/web"]
    ]
    assert {tuple(part["destinations"]): part["causes"][0]["undo"][0]["object"] for part in group["parts"]} == {
        (CART,): "NetworkPolicy shop/cart",
        (WEB,): "NetworkPolicy shop/web",
    }


ENTRY = "{ingress-controller}"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"ingress": ""}, {"ingress": INGRESS}, [["Ingress shop/shop"]]),
        (
            {"ingress": "", "front": ""},
            {"ingress": INGRESS, "front": service("front", "web")},
            [["Ingress shop/shop"], ["Service shop/front"]],
        ),
        ({"front": service("front", "none")}, {"front": service("front", "web")}, [["Service shop/front"]]),
        (
            {"front": service("front", "none"), "deny": policy("deny", "{podSelector: {}, policyTypes: [Ingress]}")},
            {"front": service("front", "web")},
            [["NetworkPolicy shop/deny"], ["Service shop/front"]],
        ),
    ],
)
def test_what_leads_in_from_outside_is_a_cause(before: dict[str, str], after: dict[str, str], expected: list[list[str]]) -> None:
    always = PODS | {"ingress": INGRESS, "front": service("front", "web")}
    base, head = ({name: text for name, text in {**always, **each}.items() if text} for each in (before, after))
    assert causes(base, head, ENTRY, WEB) == expected


def test_causes_that_are_too_many_to_be_told_apart_are_all_named_and_that_is_said() -> None:
    many = {f"p{number}": policy(f"p{number}", "{podSelector: {}, policyTypes: [Ingress]}") for number in range(120)}
    report = compared(PODS, PODS | many)
    assert report.groups
    for group in report.groups:
        assert group.causes_truncated
        assert [len(alternative) for alternative in group.causes] == [120]


def test_causes_and_parts_leave_the_digest_alone() -> None:
    one = PODS | {"a": DENY["cart-in"], "b": policy("b", "{podSelector: {}, policyTypes: [Egress]}", "data")}
    other = PODS | {"a": policy("other-name", "{podSelector: {matchLabels: {app: cart}}, policyTypes: [Ingress]}"), "b": one["b"]}
    assert compared(PODS, one).digest == compared(PODS, other).digest


def test_the_words_say_what_was_needed_together() -> None:
    base, head = PODS | DENY, PODS | {"web-out": policy("web-out", TO_CART), "cart-in": policy("cart-in", FROM_WEB)}
    text = " ".join("".join(render("text", compared(base, head))).split())
    assert "together with NetworkPolicy shop/web-out edited" in text

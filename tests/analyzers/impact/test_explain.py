"""Explanations: every policy and rule that decides, by file and line, and never at odds with the matrix."""

from __future__ import annotations

import re

import pytest

from analyzers.impact.explain import ExplainError
from analyzers.impact.report import Effect, Explanation
from analyzers.model.cluster import HostNetwork
from analyzers.pipeline import Options, explain, matrix
from analyzers.sets.connections import ConnectionSet
from tests.oracle.cases import case
from tests.property.product import MemoryTree

WORKLOADS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: c}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: shop}
spec: {containers: [{name: c}]}
"""
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress:
  - from:
    - podSelector: {matchLabels: {app: web}}
    ports:
    - port: 7070
  - from:
    - ipBlock: {cidr: 203.0.113.0/24}
"""
TREE = MemoryTree({"shop.yaml": WORKLOADS.encode(), "policies/cart.yaml": POLICY.encode()})


def asked(source: str, destination: str, port: str | None = None) -> Explanation:
    return explain(TREE, source, destination, port)


def test_the_rule_that_allows_is_named_with_file_and_line() -> None:
    found = asked("shop/web[Deployment]", "shop/cart[Deployment]", "7070/TCP")
    assert found.verdict == "allowed"
    assert [(step.effect, step.rule, step.path, step.line) for step in found.ingress] == [
        (Effect.ISOLATES, None, "policies/cart.yaml", 1),
        (Effect.ALLOWS, "ingress[0]", "policies/cart.yaml", 7),
        (Effect.NO_MATCH, "ingress[1]", "policies/cart.yaml", 11),
    ]
    assert [step.effect for step in found.egress] == [Effect.ALLOWS]
    assert "no policy selects it" in found.egress[0].detail


def test_a_port_that_no_rule_names_is_denied_and_each_rule_says_why_not() -> None:
    found = asked("shop/web", "shop/cart", "8080")
    assert found.verdict == "denied"
    assert "but not on 8080/TCP" in found.ingress[1].detail
    assert "does not match shop/web[Deployment]" in found.ingress[2].detail


def test_without_a_port_everything_that_passes_is_listed() -> None:
    found = asked("shop/web[Deployment]", "shop/cart[Deployment]")
    assert (found.verdict, found.connections.ranges()) == ("allowed", {"TCP": [[7070, 7070]]})


def test_with_a_port_only_that_port_is_spoken_of() -> None:
    found = asked("shop/cart", "shop/web", "8080/TCP")
    assert (found.verdict, found.connections.ranges()) == ("allowed", {"TCP": [[8080, 8080]]})


@pytest.mark.parametrize(("address", "verdict"), [("203.0.113.9", "allowed"), ("203.0.113.0/24", "allowed"), ("198.51.100.1", "denied")])
def test_an_end_may_be_an_address(address: str, verdict: str) -> None:
    assert asked(address, "shop/cart[Deployment]", "443").verdict == verdict


def test_a_pod_always_reaches_itself() -> None:
    assert asked("shop/alone[Pod]", "shop/alone[Pod]").connections == ConnectionSet.everything()


@pytest.mark.parametrize(
    ("source", "destination", "port", "reason", "part"),
    [
        ("shop/wbe[Deployment]", "shop/cart", None, "unknown-endpoint", "did you mean shop/web[Deployment]"),
        ("10.0.0.1", "10.0.0.2", None, "unknown-endpoint", "at least one must be a workload"),
        ("shop/web", "shop/cart", "0", "invalid-port", "8080/TCP"),
        ("shop/web", "shop/cart", "80/ICMP", "invalid-port", "8080/TCP"),
        ("203.0.0.0/16", "shop/cart", None, "not-uniform", "apart"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(source: str, destination: str, port: str | None, reason: str, part: str) -> None:
    with pytest.raises(ExplainError, match=re.escape(part)) as raised:
        asked(source, destination, port)
    assert raised.value.reason == reason


@pytest.mark.parametrize("seed", range(25))
def test_explanations_agree_with_the_matrix_on_random_clusters(seed: int) -> None:
    given = case(seed)
    tree, options = MemoryTree(given.base_files), Options(HostNetwork(given.host_network))
    report = matrix(tree, options)
    rows = {(flow.source, flow.destination): flow for flow in report.flows()}
    ids = [endpoint.id for endpoint in report.endpoints if endpoint.id.endswith("]")]
    for source in ids[:4]:
        for destination in ids:
            if source == destination and source.endswith("[Pod]"):
                continue
            found, row = explain(tree, source, destination, None, options), rows.get((source, destination))
            assert (found.connections, found.may) == ((row.connections, row.may) if row else (ConnectionSet(), ConnectionSet()))
            allowing = [any(step.effect is Effect.ALLOWS for step in side) for side in (found.egress, found.ingress)]
            assert all(allowing) or not found.connections - found.may

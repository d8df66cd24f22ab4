"""Explanations: every policy and rule that decides, by file and line, and never at odds with the matrix."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from analyzers.impact.explanation.explain import ExplainError
from analyzers.impact.report import Effect, Explanation, Step
from analyzers.model.cluster import HostNetwork, Workload
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


ADMIN = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: guard}
spec:
  tier: Admin
  priority: 10
  subject: {namespaces: {}}
  ingress:
  - name: shop may ask
    action: Pass
    from: [{namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}]
    protocols: [{tcp: {destinationPort: {number: 7070}}}]
  - action: Deny
    from: [{namespaces: {}}]
  egress:
  - action: Accept
    to: [{nodes: {}}]
  - action: Deny
    to: [{networks: [198.51.100.0/24]}]
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: last}
spec:
  tier: Baseline
  priority: 0
  subject: {namespaces: {}}
  ingress:
  - action: Deny
    from: [{namespaces: {}}]
    protocols: [{udp: {destinationPort: {number: 53}}}]
"""
TIERS = MemoryTree({"shop.yaml": WORKLOADS.encode(), "policies/cart.yaml": POLICY.encode(), "admin.yaml": ADMIN.encode()})


def tiers_asked(source: str, destination: str, port: str) -> tuple[str, list[tuple[str | None, str | None, str]], list[str]]:
    found = explain(TIERS, source, destination, port)
    steps = [*found.egress, *found.ingress] if found.ingress[0].policy else found.egress
    return found.verdict, [(each.tier, each.rule, str(each.effect)) for each in steps if each.policy], [each.detail for each in steps]


def test_what_a_rule_passes_is_decided_by_the_next_tier() -> None:
    verdict, steps, _ = tiers_asked("shop/web", "shop/cart", "7070")
    assert verdict == "allowed"
    assert steps[2:] == [
        ("ADMIN", "ingress[0]", "passes"),
        ("ADMIN", "ingress[1]", "does not match"),
        ("NETWORK_POLICY", None, "isolates"),
        ("NETWORK_POLICY", "ingress[0]", "allows"),
        ("NETWORK_POLICY", "ingress[1]", "does not match"),
    ]


def test_no_tier_after_the_one_that_decides_is_told() -> None:
    verdict, steps, _ = tiers_asked("shop/web", "shop/cart", "80")
    assert (verdict, steps[2:]) == ("denied", [("ADMIN", "ingress[0]", "does not match"), ("ADMIN", "ingress[1]", "denies")])


def test_what_no_tier_decides_is_said_to_be_allowed_by_default() -> None:
    verdict, steps, details = tiers_asked("shop/cart", "shop/web", "7070")
    assert (verdict, steps[2:]) == (
        "allowed",
        [("ADMIN", "ingress[0]", "passes"), ("ADMIN", "ingress[1]", "does not match"), ("BASELINE", "ingress[0]", "does not match")],
    )
    assert details[-1] == "no rule decides about TCP 7070: allowed by default"
    assert "no NetworkPolicy selects it" in details[-3]


def test_a_rule_about_addresses_that_are_not_told_may_match() -> None:
    verdict, steps, details = tiers_asked("shop/web", "198.51.100.7", "443")
    assert (verdict, steps) == ("may", [("ADMIN", "egress[0]", "allows"), ("ADMIN", "egress[1]", "denies")])
    assert "may match TCP 443" in details[0]


def test_an_explanation_names_the_rule_as_its_author_did() -> None:
    _, _, details = tiers_asked("shop/web", "shop/cart", "7070")
    assert any(detail.startswith("'shop may ask', from pods all in namespaces") for detail in details)


@pytest.mark.parametrize("seed", range(40))
def test_the_last_word_of_every_side_agrees_with_the_verdict_where_nothing_is_unsettled(seed: int) -> None:
    """The steps of a side end in an allowance exactly where the matrix has the flow, if all of it is certain."""
    made = case(seed)
    tree, options = MemoryTree(made.base_files), Options(host_network=HostNetwork(made.host_network))
    report = matrix(tree, options)
    flows = {(flow.source, flow.destination): flow for flow in report.flows()}
    workloads = [each for each in report.endpoints if isinstance(each, Workload) and len(each.shapes) == 1 and not each.host_network]
    for source, destination in pairwise(workloads):
        flow = flows.get((source.id, destination.id))
        if flow is not None and flow.may:
            continue
        found = explain(tree, source.id, destination.id, "80/TCP", options)
        if found.verdict != "may":
            assert (_let_through(found.egress) and _let_through(found.ingress)) is (found.verdict == "allowed")


def _let_through(steps: tuple[Step, ...]) -> bool:
    """Whether the steps of a side let the port through: some step allows it."""
    return any(step.effect is Effect.ALLOWS for step in steps)

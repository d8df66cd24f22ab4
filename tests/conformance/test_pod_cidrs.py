"""Addresses of pods, row by row: what ipBlocks and `networks` mean for them where `pod_cidrs` are given, and where they are not."""

from __future__ import annotations

import pytest

from analyzers.configuration import AnalysisSettings, ClusterSettings
from analyzers.model.cluster import HostNetwork
from analyzers.model.revision import Revision
from analyzers.pipeline import Options, diff, explain, matrix
from tests.conformance.test_admin_tiers import AGENT, DB, ISOLATED, WEB, cnp, documents, egress, files, rule, to
from tests.oracle import sample
from tests.oracle.evaluator import Verdict
from tests.property.product import MemoryTree

ALLOWED, MAY, DENIED = Verdict.ALLOWED, Verdict.MAY, Verdict.DENIED
ONE, TWO = ("10.0.0.0/9",), ("10.1.0.0/16", "10.2.0.0/16")
OVERLAPS, COVERS, NETWORKS = "ipblock-overlaps-pods", "ipblock-may-cover-pods", "networks-may-match-pods"


def admits(*peers: str) -> str:
    """A NetworkPolicy of namespace data that lets in and out what these peers are."""
    listed = ", ".join(peers)
    spec = f"{{podSelector: {{}}, policyTypes: [Ingress, Egress], ingress: [{{from: [{listed}]}}], egress: [{{to: [{listed}]}}]}}"
    return f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: blocks, namespace: data}}\nspec: {spec}\n"


def block(cidr: str, *excepted: str) -> str:
    return f"{{ipBlock: {{cidr: '{cidr}', except: [{', '.join(map(repr, excepted))}]}}}}"


def networks(action: str, *cidrs: str) -> str:
    return cnp("a", egress(rule(action, to(f"{{networks: [{', '.join(map(repr, cidrs))}]}}"))))


ROWS: list[tuple[str, list[str], tuple[str, ...], Verdict, set[str]]] = [
    ("a block around the addresses of pods", [admits(block("10.0.0.0/8"))], ("10.244.0.0/16",), MAY, {OVERLAPS}),
    ("a block among them", [admits(block("10.244.3.0/24"))], ("10.244.0.0/16",), MAY, {OVERLAPS}),
    ("a block of one family", [admits(block("0.0.0.0/0"))], ("10.244.0.0/16",), MAY, {OVERLAPS}),
    ("a block of the other family", [admits(block("::/0"))], ("10.244.0.0/16",), DENIED, set()),
    ("the addresses of pods excepted", [admits(block("10.0.0.0/8", "10.244.0.0/16"))], ("10.244.0.0/16",), DENIED, set()),
    ("half of them excepted", [admits(block("10.0.0.0/8", "10.244.0.0/17"))], ("10.244.0.0/16",), MAY, {OVERLAPS}),
    ("a private block beside them", [admits(block("192.168.0.0/16"))], ("10.244.0.0/16",), DENIED, set()),
    ("a private block where they are not known", [admits(block("192.168.0.0/16"))], (), DENIED, {COVERS}),
    ("one of several blocks of pods", [admits(block("fd00::/64"))], ("10.244.0.0/16", "fd00::/48"), MAY, {OVERLAPS}),
    (
        "a selector beside it is certain",
        [admits(block("10.0.0.0/8"), "{namespaceSelector: {}}")],
        ONE,
        ALLOWED,
        {OVERLAPS},
    ),
    (
        "an Accept decides before a block",
        [admits(block("10.0.0.0/8")), networks("Accept", "0.0.0.0/0")],
        ONE,
        ALLOWED,
        {OVERLAPS},
    ),
    ("a Pass leads to a block", [admits(block("10.0.0.0/8")), networks("Pass", "0.0.0.0/0")], ONE, MAY, {OVERLAPS}),
    ("networks around all pods deny", [networks("Deny", "10.0.0.0/8")], ("10.244.0.0/16",), DENIED, set()),
    ("networks around all pods accept", [networks("Accept", "10.0.0.0/8"), ISOLATED], ("10.244.0.0/16",), ALLOWED, set()),
    ("two networks around them together", [networks("Deny", "10.244.0.0/17", "10.244.128.0/17")], ("10.244.0.0/16",), DENIED, set()),
    ("networks around a part of them", [networks("Deny", "10.244.0.0/17")], ("10.244.0.0/16",), ALLOWED, {NETWORKS}),
    ("networks around one block of two", [networks("Deny", "10.1.0.0/16")], TWO, MAY, {NETWORKS}),
    (
        "of one block of two an Accept is may",
        [networks("Accept", "10.1.0.0/16"), ISOLATED],
        TWO,
        MAY,
        {NETWORKS},
    ),
    ("networks around all IPv4 of both families", [networks("Deny", "10.0.0.0/8")], ("10.1.0.0/16", "fd00::/48"), DENIED, set()),
    ("networks around the IPv6 of both families", [networks("Deny", "fd00::/16")], ("10.1.0.0/16", "fd00::/48"), MAY, {NETWORKS}),
    ("networks where pods have IPv6 alone", [networks("Deny", "::/0")], ("fd00::/48",), DENIED, set()),
    ("addresses of pods need not be private", [networks("Deny", "203.0.113.0/24")], ("203.0.113.0/25",), DENIED, set()),
    ("private networks beside them", [networks("Deny", "192.168.0.0/16")], ("10.244.0.0/16",), ALLOWED, set()),
    ("private networks where they are not known", [networks("Deny", "192.168.0.0/16")], (), ALLOWED, {NETWORKS}),
    ("the whole of IPv4 whatever they are", [networks("Deny", "0.0.0.0/0")], ("fd00::/48",), DENIED, set()),
]


def options(pod_cidrs: tuple[str, ...], host_network: str = "node") -> Options:
    return Options(HostNetwork(host_network), pods=AnalysisSettings(pod_cidrs=pod_cidrs).pod_networks)


@pytest.mark.parametrize("host_network", ["pod", "node"])
@pytest.mark.parametrize(("policies", "pod_cidrs", "verdict", "codes"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_addresses_mean_pods_as_far_as_is_known(
    policies: list[str], pod_cidrs: tuple[str, ...], verdict: Verdict, codes: set[str], host_network: str
) -> None:
    asked = explain(MemoryTree(files(policies)), DB, WEB, "80/TCP", options(pod_cidrs, host_network))
    assert asked.verdict == verdict.name.lower()
    assert {each.code for each in asked.diagnostics} - {"host-network"} == codes
    assert sample.asked(documents(policies), DB, WEB, "80/TCP", host_network, pod_cidrs) is verdict


@pytest.mark.parametrize("host_network", ["pod", "node"])
def test_the_address_of_a_node_may_lie_in_any_network(host_network: str) -> None:
    policies = [networks("Deny", "10.0.0.0/8")]
    asked = explain(MemoryTree(files(policies)), DB, AGENT, "80/TCP", options(("10.244.0.0/16",), host_network))
    assert asked.verdict == "may"
    assert sample.asked(documents(policies), DB, AGENT, "80/TCP", host_network, ("10.244.0.0/16",)) is MAY


def test_the_explanation_says_may_where_addresses_decide() -> None:
    asked = explain(MemoryTree(files([admits(block("10.0.0.0/8"))])), WEB, DB, "80/TCP", options(("10.244.0.0/16",)))
    assert [step.detail for step in asked.ingress if step.rule] == ["from ipBlock 10.0.0.0/8 on all ports: may allow TCP 80"]
    asked = explain(MemoryTree(files([networks("Deny", "10.1.0.0/16")])), DB, WEB, "80/TCP", options(TWO))
    assert [step.detail for step in asked.egress if step.rule] == ["to network 10.1.0.0/16 on all ports: may match TCP 80"]


def test_a_flow_says_that_it_depends_on_the_network_plugin() -> None:
    report = matrix(MemoryTree(files([admits(block("10.0.0.0/8"))])), options(("10.244.0.0/16",)))
    (flow,) = [flow for flow in report.flows() if (flow.source, flow.destination) == (WEB, DB)]
    assert any("network plugins differ" in condition for condition in flow.conditions)


def test_a_cluster_has_its_own_addresses_or_those_given_for_all() -> None:
    settings = AnalysisSettings(
        clusters=(ClusterSettings("eu", 1, ("eu",), ("10.1.0.0/16",)), ClusterSettings("us", 2, ("us",))), pod_cidrs=("10.2.0.0/16",)
    )
    named = {cluster: settings.pod_networks.of(cluster).blocks for cluster in ("eu", "us", None)}
    assert {cluster: [cidr for each in blocks for cidr in each.cidrs()] for cluster, blocks in named.items()} == {
        "eu": ["10.1.0.0/16"],
        "us": ["10.2.0.0/16"],
        None: ["10.2.0.0/16"],
    }


def test_a_block_that_begins_to_meet_pods_opens_a_may() -> None:
    base, head = (MemoryTree(files([admits(block(cidr))])) for cidr in ("192.168.0.0/16", "10.244.1.0/24"))
    report = diff(base, head, options(("10.244.0.0/16",)), base_revision=Revision("base"), head_revision=Revision("head"))
    pairs = {(row.source, row.destination): (str(row.opened), str(row.may)) for row in report.pairs()}
    assert pairs[WEB, DB][0] == pairs[WEB, DB][1] != ""

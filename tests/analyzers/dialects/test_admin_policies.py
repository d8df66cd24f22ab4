"""The admin policies of policy.networking.k8s.io, field by field: what each spelling means, and what the API server would reject."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from analyzers.dialects import adminnetworkpolicy, baselineadminnetworkpolicy, clusternetworkpolicy
from analyzers.dialects.dialect import Lowered
from analyzers.model.cluster import NamedPort
from analyzers.model.manifest import InvalidObject
from analyzers.model.policy import (
    EVERY_PORT,
    Action,
    AnyPeer,
    Direction,
    NetworkPeer,
    NumberedPorts,
    PodPeer,
    Policy,
    Rule,
    Tier,
    UnresolvedPeer,
)
from analyzers.model.selectors import LabelSelector
from analyzers.sets.connections import Protocol
from analyzers.sets.intervals import IntervalSet
from tests.analyzers.reading import manifest

LOWER = {
    "AdminNetworkPolicy": adminnetworkpolicy.lower,
    "BaselineAdminNetworkPolicy": baselineadminnetworkpolicy.lower,
    "ClusterNetworkPolicy": clusternetworkpolicy.lower,
}
EVERYONE = PodPeer(LabelSelector(), LabelSelector(), host_network=False)
ANP = "priority: 5\nsubject: {namespaces: {}}\n"
CNP = "tier: Admin\n" + ANP
PODS = "from: [{namespaces: {}}]"


def lowered(kind: str, spec: str, name: str = "default", version: str = "") -> Lowered:
    api = version or ("v1alpha2" if kind == "ClusterNetworkPolicy" else "v1alpha1")
    header = f"apiVersion: policy.networking.k8s.io/{api}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n"
    return LOWER[kind](manifest(header + indent(dedent(spec), "  ")))


def anp(spec: str) -> Policy:
    (only,) = lowered("AdminNetworkPolicy", ANP + spec).policies
    return only


def cnp(spec: str) -> Policy:
    (only,) = lowered("ClusterNetworkPolicy", CNP + spec).policies
    return only


def rule(policy: Policy) -> Rule:
    (only,) = policy.rules
    return only


def numbers(protocol: Protocol, first: int, last: int) -> NumberedPorts:
    return NumberedPorts(protocol, IntervalSet(((first, last),)))


def test_the_kinds_stand_in_their_tiers_with_their_priorities() -> None:
    assert (anp("").tier, anp("").priority, anp("").isolates) == (Tier.ADMIN, 5, frozenset())
    assert (cnp("").tier, cnp("").priority) == (Tier.ADMIN, 5)
    (newer,) = lowered("ClusterNetworkPolicy", CNP.replace("Admin", "Baseline")).policies
    (older,) = lowered("BaselineAdminNetworkPolicy", "subject: {namespaces: {}}").policies
    assert (newer.tier, newer.priority, older.tier, older.priority) == (Tier.BASELINE, 5, Tier.BASELINE, None)


def test_a_policy_has_no_namespace_and_decides_only_where_it_has_rules() -> None:
    policy = anp(f"ingress: [{{action: Deny, {PODS}}}]")
    assert str(policy.ref) == "AdminNetworkPolicy default"
    assert policy.decides(Direction.INGRESS)
    assert not policy.decides(Direction.EGRESS)


@pytest.mark.parametrize(
    ("subject", "meaning"),
    [
        ("{namespaces: {}}", "pods all in namespaces all"),
        ("{namespaces: {matchLabels: {a: b}}}", "pods all in namespaces a=b"),
        ("{pods: {namespaceSelector: {}, podSelector: {matchLabels: {a: b}}}}", "pods a=b in namespaces all"),
    ],
)
def test_a_subject_is_namespaces_or_pods_and_never_pods_on_the_host_network(subject: str, meaning: str) -> None:
    (policy,) = lowered("AdminNetworkPolicy", f"priority: 0\nsubject: {subject}").policies
    assert (str(policy.subject), policy.subject.host_network) == (meaning, False)


@pytest.mark.parametrize(("word", "action"), [("Accept", Action.ALLOW), ("Deny", Action.DENY), ("Pass", Action.PASS)])
def test_actions_of_the_newer_kind(word: str, action: Action) -> None:
    assert rule(cnp(f"ingress: [{{name: first, action: {word}, {PODS}}}]")) == Rule(
        Direction.INGRESS, 0, (EVERYONE,), EVERY_PORT, rule(cnp(f"ingress: [{{action: {word}, {PODS}}}]")).origin, action, "first"
    )


@pytest.mark.parametrize(
    ("entry", "meaning"),
    [
        ("portNumber: {port: 80}", (numbers(Protocol.TCP, 80, 80),)),
        ("portNumber: {protocol: UDP, port: 53}", (numbers(Protocol.UDP, 53, 53),)),
        ("portRange: {start: 1, end: 9}", (numbers(Protocol.TCP, 1, 9),)),
        ("portRange: {protocol: SCTP, start: 1, end: 65535}", (numbers(Protocol.SCTP, 1, 65535),)),
        ("namedPort: http", tuple(NamedPort("http", protocol) for protocol in Protocol)),
    ],
)
def test_ports_of_the_older_kinds(entry: str, meaning: object) -> None:
    assert rule(anp(f"ingress: [{{action: Allow, {PODS}, ports: [{{{entry}}}]}}]")).ports == meaning


@pytest.mark.parametrize(
    ("entry", "meaning"),
    [
        ("tcp: {destinationPort: {number: 80}}", (numbers(Protocol.TCP, 80, 80),)),
        ("udp: {destinationPort: {range: {start: 1, end: 9}}}", (numbers(Protocol.UDP, 1, 9),)),
        ("sctp: {destinationPort: {number: 9}}", (numbers(Protocol.SCTP, 9, 9),)),
        ("destinationNamedPort: http", tuple(NamedPort("http", protocol) for protocol in Protocol)),
    ],
)
def test_protocols_of_the_newer_kind(entry: str, meaning: object) -> None:
    assert rule(cnp(f"ingress: [{{action: Accept, {PODS}, protocols: [{{{entry}}}]}}]")).ports == meaning


def test_egress_peers_are_pods_networks_nodes_and_domain_names() -> None:
    peers = (
        "to: [{namespaces: {}}, {networks: [192.0.2.0/24, '2001:db8::/32']}, {nodes: {matchLabels: {a: b}}}, {domainNames: [a.example]}]"
    )
    found = rule(cnp(f"egress: [{{action: Accept, {peers}}}]")).peers
    assert [type(peer) for peer in found] == [PodPeer, NetworkPeer, NetworkPeer, UnresolvedPeer, UnresolvedPeer]
    assert list(map(str, found[1:])) == ["network 192.0.2.0/24", "network 2001:db8::/32", "nodes a=b", "domain names a.example"]


@pytest.mark.parametrize(("action", "peers"), [("Accept", ()), ("Deny", (AnyPeer(),)), ("Pass", (AnyPeer(),))])
def test_a_rule_with_a_peer_that_is_not_known_fails_closed(action: str, peers: object) -> None:
    found = rule(cnp(f"ingress: [{{action: {action}, from: [{{namespaces: {{}}}}, {{networks: [10.0.0.0/8]}}]}}]"))
    assert (found.peers, found.action) == (peers, Action.ALLOW if action == "Accept" else Action.DENY)


def test_domain_names_are_not_known_to_the_older_baseline() -> None:
    spec = "subject: {namespaces: {}}\negress: [{action: Allow, to: [{domainNames: [a.example]}]}]"
    found = lowered("BaselineAdminNetworkPolicy", spec)
    assert found.policies[0].rules[0].peers == ()
    assert [each.code for each in found.diagnostics] == ["unknown-peer"]


def many(number: int, text: str) -> str:
    return ", ".join(f"{{{text}}}" for _ in range(number))


DENY = f"action: Deny, {PODS}"
REFUSED = [
    ("AdminNetworkPolicy", "subject: {namespaces: {}}", "priority: is required", 4),
    ("AdminNetworkPolicy", "priority: 1001\nsubject: {namespaces: {}}", "1001 is not a priority from 0 to 1000", 5),
    ("AdminNetworkPolicy", "priority: -1\nsubject: {namespaces: {}}", "-1 is not a priority", 5),
    ("AdminNetworkPolicy", "priority: 5", "exactly one of namespaces, pods", 4),
    ("AdminNetworkPolicy", "priority: 5\nsubject: {}", "exactly one of namespaces, pods", 6),
    ("AdminNetworkPolicy", "priority: 5\nsubject: {namespaces: {}, pods: {podSelector: {}}}", "exactly one of", 6),
    ("AdminNetworkPolicy", ANP + f"ingress: [{many(101, DENY)}]", "may not hold more than 100 rules", 7),
    ("ClusterNetworkPolicy", CNP + f"ingress: [{many(26, DENY)}]", "may not hold more than 25 rules", 8),
    ("ClusterNetworkPolicy", CNP + f"egress: [{{action: Deny, to: [{many(26, 'namespaces: {}')}]}}]", "more than 25 entries", 8),
    ("ClusterNetworkPolicy", CNP.replace("Admin", "Default"), "'Default' is not one of Admin, Baseline", 5),
    ("ClusterNetworkPolicy", ANP, "tier: is required", 4),
    (
        "BaselineAdminNetworkPolicy",
        f"subject: {{namespaces: {{}}}}\ningress: [{{action: Pass, {PODS}}}]",
        "'Pass' is not one of Allow, Deny",
        6,
    ),
    ("ClusterNetworkPolicy", CNP + f"ingress: [{{action: Allow, {PODS}}}]", "'Allow' is not one of Accept, Deny, Pass", 8),
    ("AdminNetworkPolicy", ANP + f"ingress: [{{action: Accept, {PODS}}}]", "'Accept' is not one of Allow, Deny, Pass", 7),
    ("AdminNetworkPolicy", ANP + f"ingress: [{{{PODS}}}]", "action: is required", 7),
    ("AdminNetworkPolicy", ANP + f"ingress: [{{name: {'x' * 101}, {DENY}}}]", "longer than 100 characters", 7),
    ("AdminNetworkPolicy", ANP + "ingress: [{action: Deny}]", "from: must hold at least one entry", 7),
    ("AdminNetworkPolicy", ANP + "ingress: [{action: Deny, from: []}]", "must hold at least one entry", 7),
    ("AdminNetworkPolicy", ANP + "ingress: [{action: Deny, from: [{}]}]", "exactly one of namespaces, pods", 7),
    ("AdminNetworkPolicy", ANP + "egress: [{action: Deny, to: [{namespaces: {}, networks: [10.0.0.0/8]}]}]", "exactly one of", 7),
    ("AdminNetworkPolicy", ANP + f"ingress: [{{{DENY}, ports: []}}]", "must hold at least one entry", 7),
    ("AdminNetworkPolicy", ANP + f"ingress: [{{{DENY}, ports: [{{}}]}}]", "exactly one of portNumber, portRange, namedPort", 7),
    ("AdminNetworkPolicy", ANP + f"ingress: [{{{DENY}, ports: [{{portNumber: {{port: 0}}}}]}}]", "0 is not a port", 7),
    ("AdminNetworkPolicy", ANP + f"ingress: [{{{DENY}, ports: [{{portRange: {{start: 9, end: 9}}}}]}}]", "must lie above start 9", 7),
    ("AdminNetworkPolicy", ANP + f"ingress: [{{{DENY}, ports: [{{portNumber: {{port: 9, protocol: ICMP}}}}]}}]", "'ICMP' is not one of", 7),
    ("ClusterNetworkPolicy", CNP + f"ingress: [{{{DENY}, protocols: [{{tcp: {{}}}}]}}]", "exactly one of destinationPort", 8),
    ("ClusterNetworkPolicy", CNP + f"ingress: [{{{DENY}, protocols: [{{tcp: {{destinationPort: {{}}}}}}]}}]", "one of number, range", 8),
    ("AdminNetworkPolicy", ANP + "egress: [{action: Deny, to: [{networks: []}]}]", "at least one entry", 7),
    ("AdminNetworkPolicy", ANP + "egress: [{action: Deny, to: [{networks: [10.0.0.0]}]}]", "is not a CIDR", 7),
    ("AdminNetworkPolicy", ANP + "egress: [{action: Deny, to: [{networks: [10.0.0.0/8, 10.0.0.0/8]}]}]", "an entry twice", 7),
    ("AdminNetworkPolicy", ANP + "egress: [{action: Deny, to: [{networks: ['::ffff:10.0.0.0/104']}]}]", "IPv4 address inside IPv6", 7),
    ("AdminNetworkPolicy", ANP + "egress: [{action: Allow, to: [{domainNames: [example]}]}]", "'example' is not a domain name", 7),
    (
        "ClusterNetworkPolicy",
        CNP + "egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: http}]}]",
        *("may not name a port beside a peer that has none", 8),
    ),
]


@pytest.mark.parametrize(("kind", "spec", "problem", "line"), REFUSED)
def test_what_the_api_server_rejects_is_refused_with_its_line(kind: str, spec: str, problem: str, line: int) -> None:
    with pytest.raises(InvalidObject, match=problem) as raised:
        lowered(kind, spec)
    assert raised.value.line == line


def test_the_older_baseline_is_called_default() -> None:
    with pytest.raises(InvalidObject, match="a cluster has one of this kind, and it is called 'default'"):
        lowered("BaselineAdminNetworkPolicy", "subject: {namespaces: {}}", name="other")


@pytest.mark.parametrize(("kind", "version"), [("AdminNetworkPolicy", "v1alpha2"), ("ClusterNetworkPolicy", "v2")])
def test_a_version_that_is_not_known_is_not_analysed(kind: str, version: str) -> None:
    found = lowered(kind, "anything: goes", version=version)
    assert found.policies == ()
    assert [each.code for each in found.diagnostics] == ["unsupported-kind"]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (ANP + "ingres: []", "unknown-field"),
        (ANP + f"ingress: [{{{DENY}, protocols: []}}]", "unknown-field"),
        (ANP + "ingress: [{action: Deny, from: [{namespaces: {}, futures: {}}]}]", "unknown-field"),
        (ANP + "ingress: [{action: Deny, from: [{pods: {namespaceSelector: {}}}]}]", "missing-field"),
        (ANP + "egress: [{action: Deny, to: [{networks: [203.0.113.7/24]}]}]", "cidr-host-bits"),
    ],
)
def test_what_is_read_all_the_same_and_worth_a_word_is_a_diagnostic(spec: str, code: str) -> None:
    assert [each.code for each in lowered("AdminNetworkPolicy", spec).diagnostics] == [code]

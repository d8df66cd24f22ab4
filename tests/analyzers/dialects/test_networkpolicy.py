"""NetworkPolicy v1, field by field: what each spelling means, and what the API server would reject."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from analyzers.dialects.dialect import Lowered
from analyzers.dialects.networkpolicy import lower
from analyzers.model.cluster import NamedPort
from analyzers.model.manifest import InvalidObject
from analyzers.model.policy import EVERY_PORT, AnyPeer, Direction, IPPeer, NumberedPorts, PodPeer, Policy, Rule
from analyzers.model.selectors import LabelSelector
from analyzers.sets.connections import PORTS, Protocol
from analyzers.sets.intervals import IntervalSet
from tests.analyzers.reading import manifest

HEADER = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n"
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS


def lowered(spec: str) -> Lowered:
    return lower(manifest(HEADER + "spec:\n" + indent(dedent(spec), "  ")))


def policy(spec: str) -> Policy:
    (only,) = lowered(spec).policies
    return only


def rule(text: str) -> Rule:
    (only,) = policy("podSelector: {}\n" + text).rules
    return only


@pytest.mark.parametrize(
    ("spec", "isolates"),
    [
        ("podSelector: {}", {INGRESS}),
        ("podSelector: {}\npolicyTypes: []", {INGRESS}),
        ("podSelector: {}\npolicyTypes:", {INGRESS}),
        ("podSelector: {}\negress: []", {INGRESS}),
        ("podSelector: {}\negress: [{}]", {INGRESS, EGRESS}),
        ("podSelector: {}\npolicyTypes: []\negress: [{}]", {INGRESS, EGRESS}),
        ("podSelector: {}\npolicyTypes: [Egress]", {EGRESS}),
        ("podSelector: {}\npolicyTypes: [Ingress, Egress]", {INGRESS, EGRESS}),
        ("podSelector: {}\npolicyTypes: [Ingress]\negress: [{}]", {INGRESS}),
    ],
)
def test_policy_types_default_to_ingress_and_to_egress_with_egress_rules(spec: str, isolates: set[Direction]) -> None:
    assert policy(spec).isolates == isolates


@pytest.mark.parametrize("spec", ["podSelector: {}", "podSelector: {}\ningress: []", "podSelector: {}\ningress:"])
def test_isolated_with_no_rules_denies_all(spec: str) -> None:
    assert policy(spec).rules == ()


def test_rules_of_a_direction_that_policy_types_leave_out_have_no_effect() -> None:
    assert policy("podSelector: {}\npolicyTypes: [Ingress]\negress: [{}]").rules == ()


@pytest.mark.parametrize("peers", ["{}", "{from: []}", "{from: }"])
def test_no_peers_mean_everyone(peers: str) -> None:
    assert rule(f"ingress: [{peers}]").peers == (AnyPeer(),)


def test_a_pod_selector_alone_means_the_policys_own_namespace() -> None:
    assert rule("ingress: [{from: [{podSelector: {}}]}]").peers == (PodPeer("shop", LabelSelector()),)


def test_a_namespace_selector_alone_means_every_pod_of_those_namespaces() -> None:
    assert rule("ingress: [{from: [{namespaceSelector: {}}]}]").peers == (PodPeer(LabelSelector(), LabelSelector()),)


def test_two_selectors_in_one_peer_mean_both_and_in_two_peers_either() -> None:
    both = rule("ingress: [{from: [{namespaceSelector: {matchLabels: {a: b}}, podSelector: {matchLabels: {c: d}}}]}]")
    either = rule("ingress: [{from: [{namespaceSelector: {matchLabels: {a: b}}}, {podSelector: {matchLabels: {c: d}}}]}]")
    assert [str(peer) for peer in both.peers] == ["pods c=d in namespaces a=b"]
    assert [str(peer) for peer in either.peers] == ["pods all in namespaces a=b", "pods c=d in namespace shop"]


def test_an_ip_block_is_its_cidr_less_its_exceptions() -> None:
    (peer,) = rule("egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.0/26, 10.0.0.128/25]}}]}]").peers
    assert isinstance(peer, IPPeer)
    assert peer.block.cidrs() == ("10.0.0.64/26",)


@pytest.mark.parametrize("ports", ["{}", "{ports: []}", "{ports: }"])
def test_no_ports_mean_every_port(ports: str) -> None:
    assert rule(f"ingress: [{ports}]").ports == EVERY_PORT


@pytest.mark.parametrize(
    ("port", "meaning"),
    [
        ("{port: 80}", NumberedPorts(Protocol.TCP, IntervalSet.of([(80, 80)]))),
        ("{port: 80, protocol: UDP}", NumberedPorts(Protocol.UDP, IntervalSet.of([(80, 80)]))),
        ("{port: 80, protocol: SCTP, endPort: 90}", NumberedPorts(Protocol.SCTP, IntervalSet.of([(80, 90)]))),
        ("{protocol: UDP}", NumberedPorts(Protocol.UDP, PORTS)),
        ("{}", NumberedPorts(Protocol.TCP, PORTS)),
        ("{port: http}", NamedPort("http", Protocol.TCP)),
        ("{port: dns, protocol: UDP}", NamedPort("dns", Protocol.UDP)),
    ],
)
def test_a_port_is_a_number_a_range_a_name_or_a_whole_protocol(port: str, meaning: object) -> None:
    assert rule(f"ingress: [{{ports: [{port}]}}]").ports == (meaning,)


@pytest.mark.parametrize(
    ("spec", "problem", "line"),
    [
        ("podSelector: {matchLabels: {app: on}}", "must be a string", 5),
        ("podSelector: {matchLabels: {app: 017}}", "must be a string", 5),
        ("podSelector: {matchLabels: {app: 'a b'}}", "not a label value", 5),
        ("podSelector: {matchLabels: {'a b': c}}", "not a label key", 5),
        ("podSelector: {matchExpressions: [{key: a, operator: Near}]}", "'Near' is not one of", 5),
        ("podSelector: {matchExpressions: [{key: a, operator: In, values: []}]}", "must not be empty", 5),
        ("podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}", "must be empty", 5),
        ("podSelector: []", "must be an object", 5),
        ("podSelector: {}\npolicyTypes: [ingress]", "'ingress' is not one of", 6),
        ("podSelector: {}\npolicyTypes: [Ingress, Egress, Ingress]", "more than two", 6),
        ("podSelector: {}\ningress: {}", "must be a list", 6),
        ("podSelector: {}\ningress:\n- from:\n  - {}", "must have a podSelector", 8),
        ("podSelector: {}\ningress:\n- from:\n  - podSelector:", "must have a podSelector", 8),
        ("podSelector: {}\ningress:\n- from:\n  - {ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}", "may not stand beside", 8),
        ("podSelector: {}\ningress:\n- from:\n  - {ipBlock: {cidr: 10.0.0.0}}", "not a CIDR", 8),
        ("podSelector: {}\ningress:\n- from:\n  - {ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}", "strictly inside", 8),
        ("podSelector: {}\ningress:\n- from:\n  - {ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}", "strictly inside", 8),
        ("podSelector: {}\ningress:\n- from:\n  - {ipBlock: {cidr: 10.0.0.0/8, except: ['fc00::/8']}}", "strictly inside", 8),
        ("podSelector: {}\ningress:\n- ports:\n  - {port: 0}", "not a port", 8),
        ("podSelector: {}\ningress:\n- ports:\n  - {port: 65536}", "not a port", 8),
        ("podSelector: {}\ningress:\n- ports:\n  - {port: 80, endPort: 79}", "lies below", 8),
        ("podSelector: {}\ningress:\n- ports:\n  - {port: http, endPort: 90}", "named port", 8),
        ("podSelector: {}\ningress:\n- ports:\n  - {endPort: 90}", "needs a port", 8),
        ("podSelector: {}\ningress:\n- ports:\n  - {port: HTTP}", "not a port name", 8),
        ("podSelector: {}\ningress:\n- ports:\n  - {port: 80, protocol: ICMP}", "'ICMP' is not one of", 8),
        ("podSelector: {}\npolicyTypes: [Ingress]\negress:\n- ports:\n  - {port: 0}", "not a port", 9),
    ],
)
def test_what_the_api_server_rejects_is_refused_with_its_line(spec: str, problem: str, line: int) -> None:
    with pytest.raises(InvalidObject, match=problem) as raised:
        lowered(spec)
    assert raised.value.line == line


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.1.2.3/8}}]}]", "cidr-host-bits"),
        ("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", "ipblock-may-cover-pods"),
        ("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 192.168.1.0/24}}]}]", "ipblock-may-cover-pods"),
        ("podSelector: {}\ningres: []", "unknown-field"),
        ("podSelector: {matchlabels: {a: b}}", "unknown-field"),
        ("podSelector: {}\ningress: [{form: []}]", "unknown-field"),
        ("podSelector: {}\ningress: [{ports: [{port: 80, endport: 90}]}]", "unknown-field"),
    ],
)
def test_what_is_legal_and_worth_a_word_is_a_diagnostic(spec: str, code: str) -> None:
    assert code in {each.code for each in lowered(spec).diagnostics}


def test_a_public_block_needs_no_word() -> None:
    assert lowered("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]").diagnostics == ()

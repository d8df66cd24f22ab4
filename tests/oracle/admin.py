"""The admin tiers, one subject and one peer at a time: AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy.

A tier is a list of policies in an order. Where the API leaves the order open, every order is tried; where documents do not tell whether a
rule matches, both answers are. A reading says which of these go against the connection and which are in its favour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from itertools import groupby, permutations, product
from operator import and_, or_
from typing import Any, NamedTuple

from tests.oracle import matching
from tests.oracle.points import Address
from tests.oracle.reading import Cluster, Document, Variant

NO_ORDER, UNRESOLVED, ADDRESS = "order", "peer", "address"
YES, NO = "yes", "no"
PORT_FIELDS = ("ports", "protocols")
EVERYONE = "everyone"


class Ruled(NamedTuple):
    """A policy for one subject and peer: its rules in order, as action, whether the rule is about the peer (YES, or what that depends on),
    and its ports as a mask."""

    priority: int | None
    rules: list[tuple[str, str, int]]


def tier(policies: Sequence[Ruled], below: int, full: int, adverse: Sequence[str]) -> int:
    """What a tier lets through, where the tiers after it let `below` through."""
    if not policies:
        return below
    results = [_in_order(order, below, full, adverse) for order in orders(policies)]
    return reduce(and_ if NO_ORDER in adverse else or_, results)


def orders(policies: Sequence[Ruled]) -> Iterator[list[Ruled]]:
    """Every order that the API allows: by ascending priority, equal ones in any order, and one without a priority at any place."""
    ranked = sorted((policy for policy in policies if policy.priority is not None), key=lambda policy: policy.priority or 0)
    levels = [list(permutations(level)) for _, level in groupby(ranked, key=lambda policy: policy.priority)]
    (*placeless,) = (policy for policy in policies if policy.priority is None)
    for chosen in product(*levels):
        order = [policy for level in chosen for policy in level]
        if not placeless:
            yield order
        for place in range(len(order) + 1) if placeless else ():
            yield [*order[:place], *placeless, *order[place:]]


def _in_order(policies: Sequence[Ruled], below: int, full: int, adverse: Sequence[str]) -> int:
    """The first rule that matches decides; what none matches is left to the tiers after this one."""
    result = below
    for policy in reversed(policies):
        for action, certainty, ports in reversed(policy.rules):
            verdict = {"Allow": full, "Accept": full, "Deny": 0, "Pass": below}[action]
            matched = ports & verdict | ~ports & result
            if certainty == YES:
                result = matched
            elif certainty in adverse:
                result = result & matched
            else:
                result = result | matched
    return result


def tier_of(policy: Document) -> str:
    """`Admin` or `Baseline`."""
    return {"AdminNetworkPolicy": "Admin", "BaselineAdminNetworkPolicy": "Baseline"}.get(policy["kind"]) or str(policy["spec"]["tier"])


def priority_of(policy: Document) -> int | None:
    """The priority; the baseline policy of the older API has none."""
    priority: int | None = policy["spec"].get("priority")
    return priority


def is_subject(policy: Document, pod: Variant, cluster: Cluster) -> bool:
    """Whether a policy is about a pod."""
    return peer_is_pod(policy["spec"]["subject"], pod, cluster)


def peer_is_pod(peer: dict[str, Any], pod: Variant, cluster: Cluster) -> bool:
    """Whether a peer, or a subject, selects a pod; one on the network of its node is never selected."""
    if pod.host_network:
        return False
    labels = cluster.namespace_labels(pod.namespace)
    if peer.get("namespaces") is not None:
        return matching.selects(peer["namespaces"], labels)
    if peer.get("pods") is not None:
        here = matching.selects(peer["pods"].get("namespaceSelector"), labels)
        return here and matching.selects(peer["pods"]["podSelector"], dict(pod.labels))
    return False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it is to be read: `peers` is EVERYONE where a peer that is not known makes it deny all."""

    action: str
    peers: Any
    ports: list[dict[str, Any]] | None

    def about(self, peer: Variant | Address, cluster: Cluster) -> str:
        """Whether the rule is about a peer: YES, NO, or what it depends on."""
        if self.peers == EVERYONE:
            return YES
        if isinstance(peer, Variant):
            if any(peer_is_pod(candidate, peer, cluster) for candidate in self.peers):
                return YES
            return by_address(self.peers, peer, cluster)
        if any(matching.contains(cidr, peer) for cidr in networks(self.peers)):
            return YES
        if self.action == "Deny":
            return NO
        return UNRESOLVED if any("nodes" in candidate or "domainNames" in candidate for candidate in self.peers) else NO

    def on(self, protocol: str, number: int, destination: Variant | Address) -> bool:
        """Whether the rule is about a port of the destination."""
        return self.ports is None or any(port_matches(entry, protocol, number, destination) for entry in self.ports)


def read_rule(rule: dict[str, Any], direction: str) -> Rule:
    """A rule that fails closed for a peer that is not known: it allows nothing, or denies everything."""
    peers = rule["from" if direction == "Ingress" else "to"]
    ports = next((rule[field] for field in PORT_FIELDS if rule.get(field)), None)
    known = {"namespaces", "pods"} if direction == "Ingress" else {"namespaces", "pods", "networks", "nodes", "domainNames"}
    if all(set(peer) & known for peer in peers):
        return Rule(rule["action"], peers, ports)
    return Rule(rule["action"], [], ports) if rule["action"] in {"Allow", "Accept"} else Rule("Deny", EVERYONE, None)


def networks(peers: list[dict[str, Any]]) -> list[str]:
    """The blocks that peers name."""
    return [cidr for peer in peers for cidr in peer.get("networks") or []]


def by_address(peers: list[dict[str, Any]], pod: Variant, cluster: Cluster) -> str:
    """Whether the networks of a rule hold the address of a pod. Those that are all of IPv4 together do. Those that hold what pods get their
    addresses from do, but of a pod on the network of its node nobody knows; where pods have IPv4 that alone counts. Those that hold one
    block of several hold the addresses of some pods."""
    if covers_every_pod(peers):
        return YES
    held = [cidr for cidr in cluster.pod_cidrs if holds(peers, cidr)]
    if not held:
        return NO
    v4 = [cidr for cidr in cluster.pod_cidrs if ":" not in cidr]
    return YES if {*(v4 or cluster.pod_cidrs)} <= {*held} and not pod.host_network else ADDRESS


def covers_every_pod(peers: list[dict[str, Any]]) -> bool:
    """Whether the networks of a rule are all of IPv4 together."""
    return holds(peers, "0.0.0.0/0")


def holds(peers: list[dict[str, Any]], cidr: str) -> bool:
    """Whether the networks of a rule together hold every address of a block."""
    whole = ip_network(cidr, strict=False)
    written = [ip_network(each, strict=False) for each in networks(peers)]
    if isinstance(whole, IPv4Network):
        return any(whole.subnet_of(each) for each in collapse_addresses(each for each in written if isinstance(each, IPv4Network)))
    return any(whole.subnet_of(each) for each in collapse_addresses(each for each in written if isinstance(each, IPv6Network)))


def port_matches(entry: dict[str, Any], protocol: str, number: int, destination: Variant | Address) -> bool:
    """Whether one entry of a rule's ports, in the spelling of either version, means this port of the destination."""
    name = entry.get("namedPort") or entry.get("destinationNamedPort")
    if name is not None:
        return isinstance(destination, Variant) and matching.resolve(name, protocol, destination) == number
    if "portNumber" in entry:
        port = entry["portNumber"]
        return bool(protocol == port.get("protocol", "TCP") and number == port["port"])
    if "portRange" in entry:
        port = entry["portRange"]
        return bool(protocol == port.get("protocol", "TCP") and port["start"] <= number <= port["end"])
    ((written, match),) = entry.items()
    port = match["destinationPort"]
    first, last = (port["number"],) * 2 if "number" in port else (port["range"]["start"], port["range"]["end"])
    return bool(protocol == written.upper() and first <= number <= last)

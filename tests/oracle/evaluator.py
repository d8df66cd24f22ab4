"""Policy, point by point: may this pod or address open a connection to that one on this port?

Every function asks about one subject, one peer and one port, the way the API text is written; `Evaluator` only remembers answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial, reduce
from ipaddress import ip_network
from operator import and_, or_
from typing import Any, NamedTuple

from tests.oracle import admin, matching
from tests.oracle.points import PROTOCOLS, Address, PortPoints, segments
from tests.oracle.reading import Cluster, Document, Variant, read

End = Variant | Address
Reading = Sequence[str]
"""The conditions that go against a connection; all others are in its favour."""


class Verdict(IntEnum):
    """The answer at one point, in rising order."""

    DENIED = 0
    MAY = 1
    ALLOWED = 2


NODE_OF_SOURCE, NODE_OF_DESTINATION = "source", "destination"
BLOCK = "block"
CONDITIONS = (NODE_OF_SOURCE, NODE_OF_DESTINATION, admin.NO_ORDER, admin.UNRESOLVED, admin.ADDRESS, BLOCK)
"""What documents do not tell: the nodes of pods, the order of policies, the addresses behind a peer, which pods have the addresses of a
network, and whether the network plugin lets an ipBlock match pods."""


class Cell(NamedTuple):
    """The answers for one ordered pair of ends, as masks of port points. `needs` are the points that each of `CONDITIONS` alone closes."""

    allowed: int
    may: int
    needs: tuple[int, ...] = (0,) * len(CONDITIONS)


def verdict(
    documents: Iterable[Document],
    source: End,
    destination: End,
    protocol: str,
    port: int,
    host_network: str = "node",
    pod_cidrs: Sequence[str] = (),
) -> Verdict:
    """The answer for one connection. Ends are pods of the cluster (see `reading.read`) or addresses, not both addresses."""
    documents = list(documents)
    ports = PortPoints((port,))
    cell = Evaluator(read(documents, pod_cidrs), ports, edge_addresses(documents), host_network).cell(source, destination)
    bit = 1 << PROTOCOLS.index(protocol)
    return Verdict.ALLOWED if cell.allowed & bit else Verdict.MAY if cell.may & bit else Verdict.DENIED


def edge_addresses(documents: Iterable[Document]) -> tuple[Address, ...]:
    """Both ends of every stretch of addresses that the documents do not tell apart."""
    return tuple(dict.fromkeys(address for segment in segments(documents) for address in segment))


def isolates(spec: dict[str, Any], direction: str) -> bool:
    """Whether a policy isolates the pods that it selects in a direction."""
    types = spec.get("policyTypes")
    if types:
        return direction in types
    return direction == "Ingress" or bool(spec.get("egress"))


def rules(spec: dict[str, Any], direction: str) -> list[dict[str, Any]]:
    """The rules of a direction; none is not the same as an empty one, which allows everything."""
    return list(spec.get(direction.lower()) or [])


def peers(rule: dict[str, Any], direction: str) -> list[dict[str, Any]] | None:
    """The peers of a rule, or None where it is about everyone, in the cluster and outside."""
    return rule.get("from" if direction == "Ingress" else "to") or None


def peer_is_pod(peer: dict[str, Any], policy_namespace: str, pod: Variant, cluster: Cluster) -> bool:
    """Whether a peer means this pod; a block of addresses never does for certain."""
    if peer.get("ipBlock") is not None:
        return False
    if peer.get("namespaceSelector") is None:
        in_namespace = pod.namespace == policy_namespace
    else:
        in_namespace = matching.selects(peer["namespaceSelector"], cluster.namespace_labels(pod.namespace))
    return in_namespace and matching.selects(peer.get("podSelector"), dict(pod.labels))


def peer_is_address(peer: dict[str, Any], address: Address) -> bool:
    """Whether a peer means this address outside the cluster; selectors never do."""
    block = peer.get("ipBlock")
    if block is None:
        return False
    return matching.contains(block["cidr"], address) and not any(matching.contains(c, address) for c in block.get("except") or [])


def peer_holds_pods(peer: dict[str, Any], pod_cidrs: Sequence[str]) -> bool:
    """Whether a peer is a block that holds an address which a pod could have. If there is such an address, then one of those at which
    some block begins, or the first after the end of one."""
    block = peer.get("ipBlock")
    if block is None:
        return False
    written = [ip_network(cidr, strict=False) for cidr in (*pod_cidrs, block["cidr"], *(block.get("except") or []))]
    edges = [Address(each.version, int(address) + step) for each in written for address, step in ((each[0], 0), (each[-1], 1))]
    return any(peer_is_address(peer, edge) and any(matching.contains(cidr, edge) for cidr in pod_cidrs) for edge in edges)


def port_matches(entry: dict[str, Any], protocol: str, number: int, destination: End) -> bool:
    """Whether one entry of a rule's `ports` means this port of the destination; an address has no named ports."""
    wanted = entry.get("protocol") or "TCP"
    if protocol != wanted:
        return False
    port = entry.get("port")
    if port is None:
        return True
    if isinstance(port, str):
        return isinstance(destination, Variant) and matching.resolve(port, wanted, destination) == number
    return bool(port <= number <= (entry.get("endPort") or port))


@dataclass(slots=True)
class Evaluator:
    """Answers about one cluster, for all port points at once; `addresses` must hold both ends of every block of its policies."""

    cluster: Cluster
    ports: PortPoints
    addresses: tuple[Address, ...]
    host_network: str = "node"
    _ports_of_rule: dict[tuple[int, End], int] = field(default_factory=dict)
    _admin_rules: dict[tuple[str, str, Variant, End], list[admin.Ruled]] = field(default_factory=dict)
    _admin_policies: dict[tuple[str, Variant], list[Document]] = field(default_factory=dict)
    _ports_of_admin_rule: dict[tuple[int, End], int] = field(default_factory=dict)
    _holding: dict[int, bool] = field(default_factory=dict)
    _policies_of: dict[tuple[str, Variant], list[Document]] = field(default_factory=dict)

    def is_node(self, end: End) -> bool:
        """Whether the end counts as a node: a pod on the host network, unless such pods are asked to be like any other."""
        return isinstance(end, Variant) and end.host_network and self.host_network == "node"

    def cell(self, source: End, destination: End) -> Cell:
        """What may pass from one end to the other: for certain if all that is not told goes against it, perhaps if nothing does."""
        allowed, possible = self.passes(source, destination, CONDITIONS), self.passes(source, destination, ())
        if allowed == possible:
            return Cell(allowed, 0)
        needs = (possible & ~self.passes(source, destination, (condition,)) for condition in CONDITIONS)
        return Cell(allowed, possible & ~allowed, tuple(needs))

    def passes(self, source: End, destination: End, adverse: Reading) -> int:
        """What passes when these conditions go against it and the others do not: egress of the source and ingress of the destination."""
        for subject, peer in ((source, destination), (destination, source)):
            if self.is_node(subject) and not (isinstance(peer, Variant) and not self.is_node(peer)):
                return self.ports.full
        return self.side("Egress", source, destination, adverse) & self.side("Ingress", destination, source, adverse)

    def side(self, direction: str, subject: End, peer: End, adverse: Reading) -> int:
        """What the policies for the subject admit, towards (Egress) or from (Ingress) the peer."""
        if not isinstance(subject, Variant) or self.is_node(subject):
            return self.ports.full
        if not self.is_node(peer):
            return self.admitted(direction, subject, peer, adverse)
        if (NODE_OF_SOURCE if direction == "Ingress" else NODE_OF_DESTINATION) in adverse:
            return reduce(and_, (self.admitted(direction, subject, address, adverse) for address in self.addresses))
        if direction == "Ingress":
            return self.ports.full
        return reduce(or_, (self.admitted(direction, subject, address, adverse) for address in self.addresses))

    def admitted(self, direction: str, subject: Variant, peer: End, adverse: Reading) -> int:
        """What the tiers let through, from the last to the first: each may leave a connection to those after it."""
        below = self.ports.full
        below = admin.tier(self.admin_rules("Baseline", direction, subject, peer), below, self.ports.full, adverse)
        if self.policies_of(direction, subject):
            below = self.isolated(direction, subject, peer, adverse)
        return admin.tier(self.admin_rules("Admin", direction, subject, peer), below, self.ports.full, adverse)

    def admin_rules(self, tier: str, direction: str, subject: Variant, peer: End) -> list[admin.Ruled]:
        """The admin policies of a tier that select the subject, with what their rules do with this peer."""
        key = tier, direction, subject, peer
        if key not in self._admin_rules:
            destination = subject if direction == "Ingress" else peer
            self._admin_rules[key] = [
                admin.Ruled(admin.priority_of(policy), list(self._ruled(policy, direction, peer, destination)))
                for policy in self.admin_policies(tier, subject)
            ]
        return self._admin_rules[key]

    def admin_policies(self, tier: str, subject: Variant) -> list[Document]:
        """The admin policies of a tier that select the subject."""
        if (tier, subject) not in self._admin_policies:
            self._admin_policies[tier, subject] = [
                policy for policy in self.cluster.admin if admin.tier_of(policy) == tier and admin.is_subject(policy, subject, self.cluster)
            ]
        return self._admin_policies[tier, subject]

    def _ruled(self, policy: Document, direction: str, peer: End, destination: End) -> Iterator[tuple[str, str, int]]:
        for written in policy["spec"].get(direction.lower()) or []:
            rule = admin.read_rule(written, direction)
            certainty = rule.about(peer, self.cluster)
            if certainty != admin.NO:
                yield rule.action, certainty, self.ports_of_admin(written, rule, destination)

    def ports_of_admin(self, written: dict[str, Any], rule: admin.Rule, destination: End) -> int:
        """The points that a rule of an admin policy, as written, is about at a destination."""
        key = id(written), destination if isinstance(destination, Variant) else ANYWHERE
        if key not in self._ports_of_admin_rule:
            self._ports_of_admin_rule[key] = self.ports.where(partial(rule.on, destination=key[1]))
        return self._ports_of_admin_rule[key]

    def isolated(self, direction: str, subject: Variant, peer: End, adverse: Reading) -> int:
        """What the NetworkPolicies that isolate the subject admit."""
        mask = 0
        for policy in self.policies_of(direction, subject):
            for rule in rules(policy["spec"], direction):
                if self.rule_is_about(rule, direction, subject.namespace, peer, adverse):
                    mask |= self.ports_of(rule, subject if direction == "Ingress" else peer)
        return mask

    def policies_of(self, direction: str, subject: Variant) -> list[Document]:
        """The policies that isolate the subject in a direction."""
        if (direction, subject) not in self._policies_of:
            self._policies_of[direction, subject] = [
                policy
                for policy in self.cluster.policies.get(subject.namespace, [])
                if matching.selects(policy["spec"].get("podSelector"), dict(subject.labels)) and isolates(policy["spec"], direction)
            ]
        return self._policies_of[direction, subject]

    def rule_is_about(self, rule: dict[str, Any], direction: str, namespace: str, peer: End, adverse: Reading) -> bool:
        """Whether a rule of a policy in `namespace` is about this peer."""
        candidates = peers(rule, direction)
        if candidates is None:
            return True
        if isinstance(peer, Variant):
            if any(peer_is_pod(candidate, namespace, peer, self.cluster) for candidate in candidates):
                return True
            return BLOCK not in adverse and any(map(self._holds_pods, candidates))
        return any(peer_is_address(candidate, peer) for candidate in candidates)

    def _holds_pods(self, candidate: dict[str, Any]) -> bool:
        if id(candidate) not in self._holding:
            self._holding[id(candidate)] = peer_holds_pods(candidate, self.cluster.pod_cidrs)
        return self._holding[id(candidate)]

    def ports_of(self, rule: dict[str, Any], destination: End) -> int:
        """The points that a rule is about at a destination."""
        entries = rule.get("ports") or None
        if entries is None:
            return self.ports.full
        if not any(isinstance(entry.get("port"), str) for entry in entries):
            destination = ANYWHERE
        key = id(rule), destination
        if key not in self._ports_of_rule:
            self._ports_of_rule[key] = self.ports.where(
                lambda protocol, number: any(port_matches(entry, protocol, number, destination) for entry in entries)
            )
        return self._ports_of_rule[key]


ANYWHERE = Address(4, 0)
"""A destination without named ports, under which answers that do not depend on the destination are remembered."""

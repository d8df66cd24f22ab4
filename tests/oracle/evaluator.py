"""NetworkPolicy, point by point: may this pod or address open a connection to that one on this port?

Every function asks about one subject, one peer and one port, the way the API text is written; `Evaluator` only remembers answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import ip_network
from typing import Any, NamedTuple

from tests.oracle.points import PROTOCOLS, Address, PortPoints, segments
from tests.oracle.reading import Cluster, Document, Labels, Variant, read

End = Variant | Address


class Verdict(IntEnum):
    """The answer at one point, in rising order."""

    DENIED = 0
    MAY = 1
    ALLOWED = 2


class Cell(NamedTuple):
    """The answers for one ordered pair of ends, as masks of port points. `depends_on` names the end that makes `may` uncertain."""

    allowed: int
    may: int
    depends_on: str = ""


def verdict(documents: Iterable[Document], source: End, destination: End, protocol: str, port: int, host_network: str = "node") -> Verdict:
    """The answer for one connection. Ends are pods of the cluster (see `reading.read`) or addresses, not both addresses."""
    documents = list(documents)
    ports = PortPoints((port,))
    cell = Evaluator(read(documents), ports, edge_addresses(documents), host_network).cell(source, destination)
    bit = 1 << PROTOCOLS.index(protocol)
    return Verdict.ALLOWED if cell.allowed & bit else Verdict.MAY if cell.may & bit else Verdict.DENIED


def edge_addresses(documents: Iterable[Document]) -> tuple[Address, ...]:
    """Both ends of every stretch of addresses that the documents do not tell apart."""
    return tuple(dict.fromkeys(address for segment in segments(documents) for address in segment))


def selects(selector: dict[str, Any] | None, labels: Labels) -> bool:
    """Whether a label selector matches; a missing one reads as the empty one, which matches everything."""
    selector = selector or {}
    wanted = (selector.get("matchLabels") or {}).items()
    return all(labels.get(key) == value for key, value in wanted) and all(
        requirement_holds(r["key"], r["operator"], r.get("values") or [], labels) for r in selector.get("matchExpressions") or []
    )


def requirement_holds(key: str, operator: str, values: list[str], labels: Labels) -> bool:
    """One requirement of a selector; what asks for absence holds for pods that lack the key."""
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    raise ValueError(f"unknown operator {operator}")


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
    """Whether a peer means this pod; a block of addresses never does."""
    if peer.get("ipBlock") is not None:
        return False
    if peer.get("namespaceSelector") is None:
        in_namespace = pod.namespace == policy_namespace
    else:
        in_namespace = selects(peer["namespaceSelector"], cluster.namespace_labels(pod.namespace))
    return in_namespace and selects(peer.get("podSelector"), dict(pod.labels))


def peer_is_address(peer: dict[str, Any], address: Address) -> bool:
    """Whether a peer means this address outside the cluster; selectors never do."""
    block = peer.get("ipBlock")
    if block is None:
        return False
    return _contains(block["cidr"], address) and not any(_contains(c, address) for c in block.get("except") or [])


def _contains(cidr: str, address: Address) -> bool:
    network = _NETWORKS.get(cidr)
    if network is None:
        parsed = ip_network(cidr, strict=False)
        network = _NETWORKS[cidr] = (parsed.version, int(parsed.network_address), int(parsed.broadcast_address))
    return network[0] == address.version and network[1] <= address.value <= network[2]


_NETWORKS: dict[str, tuple[int, int, int]] = {}


def resolve(name: str, protocol: str, pod: Variant) -> int | None:
    """The number of a named port on a pod; the name counts together with its protocol."""
    return next((p.number for p in pod.ports if p.name == name and p.protocol == protocol), None)


def port_matches(entry: dict[str, Any], protocol: str, number: int, destination: End) -> bool:
    """Whether one entry of a rule's `ports` means this port of the destination; an address has no named ports."""
    wanted = entry.get("protocol") or "TCP"
    if protocol != wanted:
        return False
    port = entry.get("port")
    if port is None:
        return True
    if isinstance(port, str):
        return isinstance(destination, Variant) and resolve(port, wanted, destination) == number
    return bool(port <= number <= (entry.get("endPort") or port))


@dataclass(slots=True)
class Evaluator:
    """Answers about one cluster, for all port points at once; `addresses` must hold both ends of every block of its policies."""

    cluster: Cluster
    ports: PortPoints
    addresses: tuple[Address, ...]
    host_network: str = "node"
    _ports_of_rule: dict[tuple[int, End], int] = field(default_factory=dict)
    _policies_of: dict[tuple[str, Variant], list[Document]] = field(default_factory=dict)

    def is_node(self, end: End) -> bool:
        """Whether the end counts as a node: a pod on the host network, unless such pods are asked to be like any other."""
        return isinstance(end, Variant) and end.host_network and self.host_network == "node"

    def cell(self, source: End, destination: End) -> Cell:
        """What may pass from one end to the other: egress of the source and ingress of the destination, both."""
        for subject, peer in ((source, destination), (destination, source)):
            if self.is_node(subject) and not (isinstance(peer, Variant) and not self.is_node(peer)):
                return Cell(self.ports.full, 0)
        egress_sure, egress_possible = self.side("Egress", source, destination)
        ingress_sure, ingress_possible = self.side("Ingress", destination, source)
        allowed = egress_sure & ingress_sure
        may = egress_possible & ingress_possible & ~allowed
        return Cell(allowed, may, ("source" if self.is_node(source) else "destination") if may else "")

    def side(self, direction: str, subject: End, peer: End) -> tuple[int, int]:
        """What the subject's own policies certainly and possibly admit, towards (Egress) or from (Ingress) the peer."""
        if not isinstance(subject, Variant) or self.is_node(subject):
            return self.ports.full, self.ports.full
        if not self.is_node(peer):
            admitted = self.admitted(direction, subject, peer)
            return admitted, admitted
        every, some = self.ports.full, 0
        for address in self.addresses:
            admitted = self.admitted(direction, subject, address)
            every, some = every & admitted, some | admitted
        return every, some if direction == "Egress" else self.ports.full

    def admitted(self, direction: str, subject: Variant, peer: End) -> int:
        """What the policies that select the subject admit; everything when none isolates it."""
        policies = self.policies_of(direction, subject)
        if not policies:
            return self.ports.full
        mask = 0
        for policy in policies:
            for rule in rules(policy["spec"], direction):
                if self.rule_is_about(rule, direction, subject.namespace, peer):
                    mask |= self.ports_of(rule, subject if direction == "Ingress" else peer)
        return mask

    def policies_of(self, direction: str, subject: Variant) -> list[Document]:
        """The policies that isolate the subject in a direction."""
        if (direction, subject) not in self._policies_of:
            self._policies_of[direction, subject] = [
                policy
                for policy in self.cluster.policies.get(subject.namespace, [])
                if selects(policy["spec"].get("podSelector"), dict(subject.labels)) and isolates(policy["spec"], direction)
            ]
        return self._policies_of[direction, subject]

    def rule_is_about(self, rule: dict[str, Any], direction: str, namespace: str, peer: End) -> bool:
        """Whether a rule of a policy in `namespace` is about this peer."""
        candidates = peers(rule, direction)
        if candidates is None:
            return True
        if isinstance(peer, Variant):
            return any(peer_is_pod(candidate, namespace, peer, self.cluster) for candidate in candidates)
        return any(peer_is_address(candidate, peer) for candidate in candidates)

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

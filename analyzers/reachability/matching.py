"""What one rule matches: which peers, on which ports, for one subject and direction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from analyzers.model.cluster import NamedPort
from analyzers.model.pod_network import Held
from analyzers.model.policy import AnyPeer, Direction, IPPeer, NetworkPeer, PodPeer, PortMatch, Rule
from analyzers.reachability.cover import Piece
from analyzers.reachability.index import UNTOLD, PodIndex
from analyzers.reachability.ports import Condition, PortSpace, names_a_port
from analyzers.sets.connections import PORTS
from analyzers.sets.ip_blocks import IPBlock

Resolve = Callable[[NamedPort], int | None]
"""The number that a port name stands for on the subject itself."""

Depending = tuple[int, str]
"""A port mask, and what it depends on."""

_IN_DOUBT = frozenset({Held.PERHAPS, Held.NETWORK})
"""Addresses that may hold more pods than they do for certain: the address of a node can lie in any block."""


class Matching(Struct, frozen=True, eq=False):
    """Matches rules among the pods of one index. `resolve` serves ingress, where port names resolve on the subject."""

    direction: Direction
    index: PodIndex
    space: PortSpace
    resolve: Resolve

    def numbered(self, rule: Rule) -> int:
        """The port mask that a rule matches whoever the peer is.

        A port name never stands for a port of an address outside the cluster, and for egress it depends on the peer.
        """
        return self._mask(rule.ports, self.resolve if self.direction is Direction.INGRESS else _unresolved)

    def pods(self, rule: Rule, numbered: int) -> Iterator[Piece]:
        """The peers of a rule, with port masks: for egress a port name splits them by what it stands for on each. Pieces may overlap."""
        return self._on_ports(self._peers(rule), rule, numbered)

    def untold(self, rule: Rule) -> Iterator[Depending]:
        """The ports that a rule may match beside, whoever the peer is, as its port names stand on the subject for numbers that manifests
        do not tell."""
        if self.direction is Direction.INGRESS:
            yield from self._any_number(port for port in rule.ports if isinstance(port, NamedPort) and self.resolve(port) == UNTOLD)

    def untold_pods(self, rule: Rule, numbered: int) -> Iterator[tuple[Piece, str]]:
        """The peers that a rule may match beside, with port masks, since manifests do not tell what its port names stand for, or which
        addresses pods have."""
        peers = self._peers(rule)
        for condition, classes in self._addressed(rule):
            yield from ((piece, condition) for piece in self._on_ports(classes & ~peers, rule, numbered))
            peers |= classes
        yield from (((peers, mask), condition) for mask, condition in self.untold(rule))
        if self.direction is Direction.EGRESS and self.index.untold:
            named = self._any_number(port for port in rule.ports if isinstance(port, NamedPort))
            yield from (((peers & self.index.untold, mask), condition) for mask, condition in named)

    def reach(self, rule: Rule) -> int:
        """The classes that a rule's peers match, or may."""
        found = self._peers(rule)
        for _, classes in self._addressed(rule):
            found |= classes
        return found

    def _on_ports(self, peers: int, rule: Rule, numbered: int) -> Iterator[Piece]:
        yield peers, numbered
        if self.direction is Direction.EGRESS:
            for port in rule.ports:
                if isinstance(port, NamedPort):
                    for number, classes in self.index.with_port(port):
                        yield peers & classes, self.space.port(port.protocol, number)

    def _any_number(self, ports: Iterable[NamedPort]) -> Iterator[Depending]:
        """All ports of the protocol of each port name."""
        return ((self.space.mask(port.protocol, PORTS), names_a_port(port)) for port in ports)

    def _peers(self, rule: Rule) -> int:
        """The classes that a rule's peers match; addresses match none, unless they are networks that hold those of pods."""
        found = 0
        for peer in rule.peers:
            if isinstance(peer, AnyPeer):
                return self.index.selectable
            if isinstance(peer, PodPeer):
                found |= self.index.select(peer)
            elif isinstance(peer, NetworkPeer):
                found |= self._held(peer.pods)
        return found

    def _held(self, pods: Held) -> int:
        """The classes that addresses hold for certain."""
        if pods is Held.ALL:
            return self.index.selectable
        return self.index.in_network if pods is Held.NETWORK else 0

    def _addressed(self, rule: Rule) -> Iterator[tuple[Condition, int]]:
        """The classes that a rule may match by their addresses, by what that depends on."""
        return ((condition, self.index.selectable) for condition in dict.fromkeys(doubts(rule)))

    def _mask(self, ports: Iterable[PortMatch], resolve: Resolve) -> int:
        mask = 0
        for port in ports:
            if not isinstance(port, NamedPort):
                mask |= self.space.mask(port.protocol, port.numbers)
            elif number := resolve(port):
                mask |= self.space.port(port.protocol, number)
        return mask


def any_peer(rule: Rule) -> bool:
    """Whether a rule is about everyone, every address outside the cluster among them."""
    return any(isinstance(peer, AnyPeer) for peer in rule.peers)


def blocks(rule: Rule) -> Iterator[IPBlock]:
    """The blocks of addresses outside the cluster that a rule names."""
    return (peer.block for peer in rule.peers if isinstance(peer, (IPPeer, NetworkPeer)))


def doubts(rule: Rule) -> Iterator[Condition]:
    """What it depends on whether peers of a rule match pods by their addresses."""
    for peer in rule.peers:
        if isinstance(peer, (IPPeer, NetworkPeer)) and peer.pods in _IN_DOUBT:
            yield Condition.IP_BLOCK if isinstance(peer, IPPeer) else Condition.NETWORK


def _unresolved(named: NamedPort) -> None:
    return None

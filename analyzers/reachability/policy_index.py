"""Policies in their order, of which those that speak of something can be had without the others, which need not be read then."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from analyzers.model.cluster import NamedPort
from analyzers.model.policy import Direction, PodPeer, Policy

Chosen = Callable[[PodPeer], object]
"""Whether a subject, or a peer, is one of those that are asked for."""


class Outline(Struct, frozen=True):
    """What a policy speaks of: whom it is about, which pods its rules name, and the port names of its egress rules, which stand for other
    numbers on other pods; and the directions in which it decides something."""

    subject: PodPeer
    peers: tuple[PodPeer, ...]
    names: tuple[NamedPort, ...]
    directions: tuple[Direction, ...]

    def concerns(self, chosen: Chosen) -> bool:
        """Whether its subject or some peer of its rules is chosen."""
        return bool(chosen(self.subject)) or any(map(chosen, self.peers))


class IndexedPolicies(Sequence[Policy]):
    """Policies that are found without being read."""

    @abstractmethod
    def about(self, namespaces: Collection[str], direction: Direction | None = None) -> Iterable[Policy]:
        """Those whose subject names one of these namespaces, or names none; with a direction, those that decide something in it."""

    @abstractmethod
    def where(self, chosen: Callable[[Outline], bool]) -> Iterable[Policy]:
        """Those whose outline is chosen, in their order."""

    @property
    @abstractmethod
    def named_ports(self) -> frozenset[NamedPort]:
        """The ports that rules name, and perhaps others."""


class OutlinedPolicies(IndexedPolicies):
    """Policies of which outlines are at hand."""

    @property
    @abstractmethod
    def outlines(self) -> Sequence[Outline]:
        """What each speaks of, by position."""

    @abstractmethod
    def at(self, positions: Collection[int]) -> Iterator[Policy]:
        """Those at some positions, read together."""

    @abstractmethod
    def positions_about(self, namespaces: Collection[str], direction: Direction | None = None) -> Sequence[int]:
        """The positions of those that `about` gives."""


def outline_of(policy: Policy) -> Outline:
    """What a policy speaks of."""
    peers = (peer for rule in policy.rules for peer in rule.peers if isinstance(peer, PodPeer))
    named = (port for rule in policy.rules_of(Direction.EGRESS) for port in rule.ports if isinstance(port, NamedPort))
    return Outline(policy.subject, tuple(dict.fromkeys(peers)), tuple(dict.fromkeys(named)), tuple(filter(policy.decides, Direction)))


def about(policies: Sequence[Policy], namespaces: Collection[str], direction: Direction | None = None) -> Iterable[Policy]:
    """Those of some policies whose subject names one of these namespaces, or names none, and that decide something in a direction."""
    if isinstance(policies, IndexedPolicies):
        return policies.about(namespaces, direction)
    subjects = ((policy, policy.subject.namespaces) for policy in policies)
    found = (policy for policy, where in subjects if not isinstance(where, str) or where in namespaces)
    return found if direction is None else (policy for policy in found if policy.decides(direction))


def selecting(policies: Sequence[Policy], chosen: Chosen) -> Iterable[Policy]:
    """Those of some policies whose subject is chosen."""
    if isinstance(policies, IndexedPolicies):
        return policies.where(lambda outline: bool(chosen(outline.subject)))
    return (policy for policy in policies if chosen(policy.subject))


def concerning(policies: Sequence[Policy], chosen: Chosen) -> Iterable[Policy]:
    """Those of some policies whose subject or some pod peer of whose rules is chosen."""
    if isinstance(policies, IndexedPolicies):
        return policies.where(lambda outline: outline.concerns(chosen))
    return (policy for policy in policies if any(map(chosen, peers_of(policy))))


def peers_of(policy: Policy) -> Iterator[PodPeer]:
    """The subject of a policy, and every pod peer of its rules."""
    yield policy.subject
    yield from (peer for rule in policy.rules for peer in rule.peers if isinstance(peer, PodPeer))


def named_ports(policies: Sequence[Policy]) -> frozenset[NamedPort]:
    """The ports that rules name, and perhaps others."""
    if isinstance(policies, IndexedPolicies):
        return policies.named_ports
    return frozenset(port for policy in policies for rule in policy.rules for port in rule.ports if isinstance(port, NamedPort))

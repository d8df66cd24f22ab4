"""Admin policies between which the API sets no order, and that can match the same connection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import product

from msgspec import Struct

from analyzers.model.cluster import HostNetwork, NamedPort
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.policy import Direction, Policy, Rule, Tier, UnresolvedPeer
from analyzers.reachability.cover import Piece
from analyzers.reachability.index import PodIndex
from analyzers.reachability.matching import Matching, any_peer, blocks
from analyzers.reachability.ports import PortSpace
from analyzers.reachability.universe import Snapshot, join
from analyzers.sets.connections import Protocol

MOST_COMPARED = 200
"""Policies of equal priority whose rules are compared; of more, sharing a subject is enough for a warning."""


def equal_priorities(snapshot: Snapshot, host_network: HostNetwork) -> tuple[Diagnostic, ...]:
    """A warning for each policy that can match a connection that an earlier one of the same standing can match too."""
    groups = [group for group in _without_order(snapshot.policies) if len(group) > 1]
    if not groups:
        return ()
    index = PodIndex(join([snapshot]), 0, snapshot, host_network)
    return tuple(note for group in groups for note in _Comparison(index, group).notes())


def _without_order(policies: Iterable[Policy]) -> Iterator[list[Policy]]:
    """Policies of one tier that are equal in order: of one priority, or one without a priority and all others."""
    found: dict[tuple[Tier, int | None], list[Policy]] = defaultdict(list)
    for policy in policies:
        if policy.tier is not Tier.NETWORK_POLICY:
            found[policy.tier, policy.priority].append(policy)
    for (tier, priority), group in found.items():
        others = (each for (its, _), rest in found.items() if its is tier for each in rest)
        yield group if priority is not None else [*group, *(each for each in others if each.priority is not None)]


class _Reach(Struct, frozen=True):
    """What one rule can match: its peers among the pods, and its ports by the classes of the pods that have them: first those given by
    number, which all have."""

    peers: int
    ports: tuple[Piece, ...]
    rule: Rule


class _Comparison:
    """Policies of equal standing, compared two by two."""

    def __init__(self, index: PodIndex, group: list[Policy]) -> None:
        self._index, self._group = index, sorted(group, key=lambda policy: (policy.origin.path, policy.origin.line))
        self._space = PortSpace(group, _numbers(index, group))
        self._subjects = [index.select(policy.subject) for policy in self._group]
        self._reaches: dict[tuple[int, Direction], list[_Reach]] = {}

    def notes(self) -> Iterator[Diagnostic]:
        """The warnings."""
        for later, policy in enumerate(self._group):
            earlier = next((each for each in range(later) if self._can_meet(each, later)), None)
            if earlier is not None:
                other = self._group[earlier]
                equal = f"have priority {policy.priority}" if policy.priority == other.priority else "have no order"
                problem = (
                    f"{policy.ref} and {other.ref} ({other.origin}) {equal} and can match the same connection; which counts is undefined"
                )
                yield Diagnostic.at("equal-priorities", problem, policy.origin)

    def _can_meet(self, one: int, other: int) -> bool:
        if self._group[one].priority != self._group[other].priority and None not in (
            self._group[one].priority,
            self._group[other].priority,
        ):
            return False
        subjects = self._subjects[one] & self._subjects[other]
        if not subjects or len(self._group) > MOST_COMPARED:
            return bool(subjects)
        return any(
            self._overlap(first, second, subjects, direction)
            for direction in Direction
            for first, second in product(self._of(one, direction), self._of(other, direction))
        )

    def _of(self, number: int, direction: Direction) -> list[_Reach]:
        if (number, direction) not in self._reaches:
            self._reaches[number, direction] = [self._reach(rule) for rule in self._group[number].rules_of(direction)]
        return self._reaches[number, direction]

    def _reach(self, rule: Rule) -> _Reach:
        matching = Matching(Direction.EGRESS, self._index, self._space, lambda named: None)
        numbered = matching.numbered(rule)
        named = ((port, each) for port in rule.ports if isinstance(port, NamedPort) for each in self._index.with_port(port))
        resolved = ((classes, self._space.port(port.protocol, number)) for port, (number, classes) in named)
        return _Reach(matching.reach(rule), ((self._index.present, numbered), *resolved), rule)

    def _overlap(self, one: _Reach, other: _Reach, subjects: int, direction: Direction) -> bool:
        """Whether two rules can match one connection of these subjects: the same peer, and a port that both name on its destination."""
        peers = one.peers & other.peers
        destinations = subjects if direction is Direction.INGRESS else peers
        pairs = list(product(one.ports, other.ports))
        if peers and any(first[0] & second[0] & destinations and first[1] & second[1] for first, second in pairs):
            return True
        fixed = pairs if direction is Direction.INGRESS else pairs[:1]
        shared = any(first[0] & second[0] & subjects and first[1] & second[1] for first, second in fixed)
        return shared and _share_addresses(one.rule, other.rule)


def _share_addresses(one: Rule, other: Rule) -> bool:
    """Whether two rules can be about one address outside the cluster."""
    if not (_outside(one) and _outside(other)):
        return False
    pairs = product(blocks(one), blocks(other))
    overlapping = any(first.family is second.family and first.addresses & second.addresses for first, second in pairs)
    return _anywhere(one) or _anywhere(other) or overlapping


def _anywhere(rule: Rule) -> bool:
    return any_peer(rule) or any(isinstance(peer, UnresolvedPeer) for peer in rule.peers)


def _outside(rule: Rule) -> bool:
    return _anywhere(rule) or any(True for _ in blocks(rule))


def _numbers(index: PodIndex, group: Iterable[Policy]) -> set[tuple[Protocol, int]]:
    """What the port names of the policies stand for on any pod."""
    named = {port for policy in group for rule in policy.rules for port in rule.ports if isinstance(port, NamedPort)}
    return {(port.protocol, number) for port in named for number, _ in index.with_port(port)}

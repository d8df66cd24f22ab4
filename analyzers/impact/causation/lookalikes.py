"""Lookalikes: classes that no policy of a question tells apart, so that one cell answers for all cells of its kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from analyzers.model.cluster import NamedPort
from analyzers.model.policy import Direction, PodPeer, Policy
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.compiled import Compiled

MOST_KINDS = 60
"""Kinds of classes told apart at one end of a question; where there are more, it is not asked."""


class TooManyError(Exception):
    """What would have to be told apart, or decided, is more than the answer is worth."""


class Kinds(Struct, frozen=True):
    """What tells classes apart at one end of a question, as subjects of `direction` and as peers of the other.

    `changed` are policies that bear on the question, `others` the unchanged ones that can select the other end.
    """

    direction: Direction
    changed: Sequence[Policy]
    others: Sequence[Policy]
    compiled: Compiled

    def of(self, classes: int) -> list[int]:
        """The classes by what policies can tell of them, where these are the same in both revisions. Raises TooManyError."""
        index, groups = self.compiled.index, groups_of(classes, self.direction, self.compiled)
        subjects = (index.select(policy.subject) for policy in self.changed)
        peers = (index.select(peer) for peer in self._peers())
        return split(classes, (*map(bits_of, groups), index.hosts, *subjects, *peers, *self._numbered()))

    def _peers(self) -> Iterable[PodPeer]:
        policies = (*self.changed, *self.others)
        rules = (rule for policy in policies for rule in policy.rules if rule.direction is not self.direction)
        return dict.fromkeys(peer for rule in rules for peer in rule.peers if isinstance(peer, PodPeer))

    def _numbered(self) -> Iterator[int]:
        """The classes on which a port name stands for the same number; names resolve on destinations."""
        if self.direction is Direction.INGRESS:
            policies = (*self.changed, *self.others)
            named = {port for policy in policies for rule in policy.rules for port in rule.ports if isinstance(port, NamedPort)}
            for each in named:
                yield from (classes for _, classes in self.compiled.index.with_port(each))


def split(classes: int, by: Iterable[int], most: int = MOST_KINDS) -> list[int]:
    """The classes, those apart that some of the sets hold and others not. Raises TooManyError."""
    parts = [classes] if classes else []
    for each in by:
        for position, part in enumerate(tuple(parts)):
            inside = part & each
            if inside and inside != part:
                parts[position] = inside
                parts.append(part ^ inside)
        if len(parts) > most:
            raise TooManyError
    return parts


def groups_of(classes: int, direction: Direction, compiled: Compiled) -> list[list[int]]:
    """The classes by the group that they are in. Raises TooManyError."""
    groups: dict[int, list[int]] = {}
    group_of = compiled.side(direction).group_of
    for number in members_of(classes):
        groups.setdefault(group_of[number], []).append(number)
        if len(groups) > MOST_KINDS:
            raise TooManyError
    return list(groups.values())

"""What differs between two revisions, found once each, without looking at every pair.

A pair's connections can only change when the egress cover of its source or the ingress cover of its destination does. The row phase owns
every pair whose egress cover changes at the destination; the column phase owns the pairs that are left and whose ingress cover changes at
the source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from analyzers.model.policy import Direction
from analyzers.reachability.bits import bits_of
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.cover import NOTHING, Cover, differing, overlay, overlay_addresses
from analyzers.sets.ip_blocks import Family, IPBlock


class Rectangle(Struct, frozen=True):
    """Every source class to every destination class changes from one verdict mask to another. Rectangles of one delta are disjoint."""

    sources: int
    destinations: int
    base: int
    head: int


class OutsideChange(Struct, frozen=True):
    """Between each of these classes and each of these addresses, in one direction, one verdict mask becomes another."""

    direction: Direction
    classes: int
    block: IPBlock
    base: int
    head: int


class Delta(Struct, frozen=True):
    """Every change between two revisions, between pods and towards and from outside."""

    between: tuple[Rectangle, ...]
    outside: tuple[OutsideChange, ...]


class _Group(Struct, frozen=True):
    """Classes with the same cover in base and the same in head."""

    classes: int
    base: Cover
    head: Cover


def compare(base: Compiled, head: Compiled) -> Delta:
    """The changes from one revision to another of the same universe."""
    sources, destinations = (_joint_groups(base, head, direction) for direction in (Direction.EGRESS, Direction.INGRESS))
    owned = [differing(group.base, group.head) for group in sources]
    rows = (piece for group, pieces in zip(sources, owned, strict=True) for piece in _row_phase(group, pieces, destinations))
    columns = _column_phase(sources, [_united(pieces) for pieces in owned], destinations)
    outside = [*_outside(Direction.EGRESS, sources), *_outside(Direction.INGRESS, destinations)]
    return Delta((*rows, *columns), tuple(outside))


def _joint_groups(base: Compiled, head: Compiled, direction: Direction) -> list[_Group]:
    members: dict[tuple[int, int], list[int]] = defaultdict(list)
    base_side, head_side = base.side(direction), head.side(direction)
    for number, pair in enumerate(zip(base_side.group_of, head_side.group_of, strict=True)):
        members[pair].append(number)
    groups = []
    for (in_base, in_head), numbers in members.items():
        before = base_side.covers[in_base] if in_base >= 0 else NOTHING
        after = head_side.covers[in_head] if in_head >= 0 else NOTHING
        # Equal covers become one object, so that later comparisons are by identity.
        groups.append(_Group(bits_of(numbers), before, before if before == after else after))
    return groups


def _row_phase(group: _Group, changed: list[tuple[int, int, int]], destinations: list[_Group]) -> Iterator[Rectangle]:
    found: dict[tuple[int, int, int], int] = defaultdict(int)
    for pieces, base_out, head_out in changed:
        for column in destinations:
            towards = column.classes & pieces
            if not towards:
                continue
            for sources, base_in, head_in in overlay(column.base.within(group.classes), column.head.within(group.classes)):
                before, after = base_out & base_in, head_out & head_in
                if before != after:
                    found[sources, before, after] |= towards
    for (sources, before, after), towards in found.items():
        yield Rectangle(sources, towards, before, after)


def _column_phase(sources: list[_Group], owned: list[int], destinations: list[_Group]) -> Iterator[Rectangle]:
    for column in destinations:
        found: dict[tuple[int, int, int], int] = defaultdict(int)
        for pieces, base_in, head_in in differing(column.base, column.head):
            for group, rows in zip(sources, owned, strict=True):
                from_here = group.classes & pieces
                if not from_here:
                    continue
                for towards, out in group.base.within(column.classes & ~rows):
                    before, after = out & base_in, out & head_in
                    if before != after:
                        found[towards, before, after] |= from_here
        for (towards, before, after), from_here in found.items():
            yield Rectangle(from_here, towards, before, after)


def _united(pieces: list[tuple[int, int, int]]) -> int:
    united = 0
    for classes, _, _ in pieces:
        united |= classes
    return united


def _outside(direction: Direction, groups: list[_Group]) -> Iterator[OutsideChange]:
    for group in groups:
        if group.base is group.head or group.base.outside == group.head.outside:
            continue
        for family in Family:
            for (before, after), addresses in overlay_addresses((group.base.outside.of(family), group.head.outside.of(family))).items():
                if before != after:
                    yield OutsideChange(direction, group.classes, IPBlock(family, addresses), before, after)

"""Changes at the level of workloads: the delta of endpoint classes, with pods that differ within a workload folded into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import product
from operator import or_

from msgspec import Struct

from analyzers.model.policy import Direction
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.cover import Piece, overlay, overlay_addresses
from analyzers.reachability.delta import Delta
from analyzers.reachability.universe import Universe
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock


class Change(Struct, frozen=True):
    """How one cell changes. `base` and `head` are verdict masks; `opened`, `closed` and `may` are port masks.

    Opened ports rose (denied < may < allowed), closed ones fell; `may` are the changed ports that were or become only may, those included
    that stay may for other reasons.
    """

    base: int
    head: int
    opened: int
    closed: int
    may: int

    def __or__(self, other: Change) -> Change:
        return Change(
            self.base | other.base, self.head | other.head, self.opened | other.opened, self.closed | other.closed, self.may | other.may
        )


class Between(Struct, frozen=True):
    """Every source class to every destination class changes alike."""

    sources: int
    destinations: int
    change: Change


class Outward(Struct, frozen=True):
    """Between every class and every address of the block the connection changes alike; for egress the block is the destination."""

    direction: Direction
    classes: int
    block: IPBlock
    change: Change


class Inward(Struct, frozen=True):
    """From the ingress controller to every class the connection changes alike."""

    classes: int
    change: Change


class ChangeTable(Struct, frozen=True):
    """All changes, disjoint, over classes; a workload whose pods differ stands in it as the first of its classes only."""

    between: tuple[Between, ...]
    outward: tuple[Outward, ...]
    inward: tuple[Inward, ...] = ()


class Folding:
    """Turns a delta of classes into changes of workloads. The diff of two pods that differ within one workload is taken pod by pod, then
    united, so that a union hides no change."""

    def __init__(self, universe: Universe, base: Compiled, head: Compiled) -> None:
        self._base, self._head = base, head
        self._space = base.space
        varied = [workload.classes for workload in universe.workloads if len(workload.classes) > 1]
        self._first = {number: classes[0] for classes in varied for number in classes}
        self._classes = {classes[0]: classes for classes in varied}
        self._varied = bits_of(self._first)

    def table(self, delta: Delta, base_ways: Sequence[Piece] = (), head_ways: Sequence[Piece] = ()) -> ChangeTable:
        """The changes between workloads, between workloads and addresses, and of what reaches workloads through ingress controllers."""
        return ChangeTable(tuple(self._between(delta)), tuple(self._outward(delta)), tuple(self._inward(base_ways, head_ways)))

    def change(self, base: int, head: int) -> Change:
        """The change from one verdict mask to another."""
        (sure_before, before), (sure_after, after) = self._space.layers(base), self._space.layers(head)
        rose, sure_rose, fell, sure_fell = after & ~before, sure_after & ~sure_before, before & ~after, sure_before & ~sure_after
        settled = (rose & sure_rose) | (fell & sure_fell)
        return Change(base, head, rose | sure_rose, fell | sure_fell, self._space.any_layer(base ^ head) & ~settled)

    def _between(self, delta: Delta) -> Iterator[Between]:
        touched: set[tuple[int, int]] = set()
        for each in delta.between:
            plain_sources, plain_destinations = each.sources & ~self._varied, each.destinations & ~self._varied
            if plain_sources and plain_destinations:
                yield Between(plain_sources, plain_destinations, self.change(each.base, each.head))
            if varied := each.sources & self._varied:
                touched.update(product(self._firsts(varied), self._firsts(each.destinations)))
            if varied := each.destinations & self._varied:
                touched.update(product(members_of(plain_sources), self._firsts(varied)))
        rows: dict[tuple[int, Change], list[int]] = {}
        for source, destination in sorted(touched):
            cells = product(self._all(source), self._all(destination))
            change = self._united((self._base.cell(one, other), self._head.cell(one, other)) for one, other in cells)
            rows.setdefault((source, change), []).append(destination)
        for (source, change), destinations in rows.items():
            yield Between(1 << source, bits_of(destinations), change)

    def _outward(self, delta: Delta) -> Iterator[Outward]:
        touched: dict[tuple[Direction, int], None] = {}
        for each in delta.outside:
            if plain := each.classes & ~self._varied:
                yield Outward(each.direction, plain, each.block, self.change(each.base, each.head))
            touched.update(dict.fromkeys((each.direction, first) for first in self._firsts(each.classes & self._varied)))
        for (direction, first), family in product(touched, Family):
            yield from self._fold_addresses(direction, first, family)

    def _fold_addresses(self, direction: Direction, first: int, family: Family) -> Iterator[Outward]:
        classes = self._classes[first]
        sides = [revision.side(direction) for revision in (self._base, self._head)]
        segments = [side.cover_of(number).outside.of(family) for side in sides for number in classes]
        found: dict[Change, IntervalSet] = {}
        for masks, addresses in overlay_addresses(segments).items():
            change = self._united(zip(masks[: len(classes)], masks[len(classes) :], strict=True))
            if change.opened | change.closed | change.may:
                found[change] = found.get(change, IntervalSet()) | addresses
        for change, addresses in found.items():
            yield Outward(direction, 1 << first, IPBlock(family, addresses), change)

    def _inward(self, base: Sequence[Piece], head: Sequence[Piece]) -> Iterator[Inward]:
        touched: dict[int, None] = {}
        for classes, before, after in overlay(base, head):
            if before == after:
                continue
            if plain := classes & ~self._varied:
                yield Inward(plain, self.change(before, after))
            touched.update(dict.fromkeys(self._firsts(classes & self._varied)))
        for first in touched:
            yield Inward(1 << first, self._united((_at(base, number), _at(head, number)) for number in self._all(first)))

    def _united(self, cells: Iterable[tuple[int, int]]) -> Change:
        return reduce(or_, (self.change(base, head) for base, head in cells))

    def _firsts(self, classes: int) -> Sequence[int]:
        return tuple(dict.fromkeys(self._first.get(number, number) for number in members_of(classes)))

    def _all(self, first: int) -> tuple[int, ...]:
        return self._classes.get(first, (first,))


def _at(pieces: Sequence[Piece], number: int) -> int:
    """The mask that disjoint pieces give one class."""
    return next((mask for classes, mask in pieces if classes >> number & 1), 0)

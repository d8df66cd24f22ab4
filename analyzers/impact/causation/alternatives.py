"""True causes: every minimal set of changed objects such that putting them back undoes a change.

Nothing is guessed: choice by choice, what bears on a group is put back and its cells are decided again. Where cells of one group have
different alternatives, the group says so by its parts. Where a bound is met, that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from math import prod

from msgspec import Struct

from analyzers.impact.causation.bearing import Bearing
from analyzers.impact.causation.families import Families, Family, Part
from analyzers.impact.causation.hybrids import Hybrids
from analyzers.impact.causation.lookalikes import TooManyError
from analyzers.impact.causation.minimal_sets import MOST_ALTERNATIVES, Chosen, Found, minimal_only, minimal_sets
from analyzers.impact.rows.endpoint_sets import EndpointSet, Members
from analyzers.impact.rows.groups import Group
from analyzers.reachability.universe import Universe
from analyzers.sets.ip_blocks import IPBlock

MOST_OBJECTS = 100
"""Changed objects that bear on a group, above which they are not told apart."""

MOST_SEARCHED = 7
"""Changed objects over which a group of several families is searched choice by choice."""

MOST_COMBINED = 64
"""Combinations of the alternatives of several families that are tried."""


class CausesOfPart(Struct, frozen=True, eq=False):
    """What undoes the change between some sources and some destinations of a group."""

    sources: EndpointSet
    destinations: EndpointSet
    found: Found


class CausesOfGroup(Struct, frozen=True, eq=False):
    """What undoes the change of a whole group. `parts` are given where that differs within the group; together they are the group."""

    found: Found
    parts: tuple[CausesOfPart, ...] = ()


class Alternatives:
    """Finds the causes of the groups of one report. `bearing` are the changed objects that can change some flow."""

    def __init__(self, universe: Universe, hybrids: Hybrids, bearing: Sequence[Bearing]) -> None:
        self._universe, changed = universe, hybrids.mixtures.changed.objects
        positions = {id(each): position for position, each in enumerate(changed)}
        self._bearing = [(positions[id(each.changed)], each) for each in bearing]
        self._only = len(changed) == 1 or hybrids.mixtures.same_pods
        self._families = Families(universe, hybrids, self._bearing)

    def of(self, groups: Sequence[Group]) -> list[CausesOfGroup]:
        """The causes of the groups of a report, with objects by position. Where those of a group are too many to be told apart, all that
        bear on it are one alternative."""
        cut = [self._cut(group) for group in groups]
        return [each if isinstance(each, CausesOfGroup) else self._searched(group, each) for group, each in zip(groups, cut, strict=True)]

    def _cut(self, group: Group) -> list[Family] | CausesOfGroup:
        """The families of a group; its causes, where these need no search, or are not to be found."""
        bearing = self._bearing_on(group)
        if len(bearing) == 1 and self._only:
            return CausesOfGroup(Found((bearing,)))
        try:
            return self._families.of(group) if len(bearing) <= MOST_OBJECTS else _untold(bearing)
        except TooManyError:
            return _untold(bearing)

    def _bearing_on(self, group: Group) -> Chosen:
        return frozenset(position for position, each in self._bearing if each.on(group.sources, group.destinations))

    def _searched(self, group: Group, families: Sequence[Family]) -> CausesOfGroup:
        try:
            return self._found(families)
        except TooManyError:
            return _untold(self._bearing_on(group))

    def _found(self, families: Sequence[Family]) -> CausesOfGroup:
        by_cell = [
            (cell, minimal_sets(each.bearing, partial(_undoes, each, place))) for each in families for place, cell in enumerate(each.cells)
        ]
        if len({found for _, found in by_cell}) == 1:
            return CausesOfGroup(by_cell[0][1])
        return CausesOfGroup(_of_all(families), tuple(self._parts(by_cell)))

    def _parts(self, by_cell: Sequence[tuple[tuple[Part, Part], Found]]) -> Iterator[CausesOfPart]:
        """The cells with equal causes, as few sets of sources and destinations."""
        rows: dict[tuple[Found, Members], list[Members]] = {}
        for (one, other), found in by_cell:
            rows.setdefault((found, one.ends), []).append(other.ends)
        sets: dict[tuple[Found, Members], list[Members]] = {}
        for (found, source), destinations in rows.items():
            sets.setdefault((found, _united(destinations)), []).append(source)
        parts = [
            CausesOfPart(EndpointSet(self._universe, _united(sources)), EndpointSet(self._universe, towards), found)
            for (found, towards), sources in sets.items()
        ]
        yield from sorted(parts, key=lambda each: (each.sources.first, each.destinations.first))


def _untold(bearing: Chosen) -> CausesOfGroup:
    return CausesOfGroup(Found((bearing,) if bearing else (), truncated=True))


def _undoes(family: Family, cell: int, undone: Chosen) -> bool:
    return cell not in family.remaining(undone)


def _of_all(families: Sequence[Family]) -> Found:
    """The minimal sets that undo every cell of every family."""
    objects = sorted({each for family in families for each in family.bearing})

    def undoes(undone: Chosen) -> bool:
        return not any(family.remaining(undone) for family in families)

    if len(families) == 1 or len(objects) <= MOST_SEARCHED:
        return minimal_sets(objects, undoes)
    return _combined([minimal_sets(each.bearing, partial(_undone, each)) for each in families], undoes, frozenset(objects))


def _undone(family: Family, undone: Chosen) -> bool:
    return not family.remaining(undone)


def _combined(each: Sequence[Found], undoes: Callable[[Chosen], bool], everything: Chosen) -> Found:
    """The minimal sets of several families from those of each.

    Whatever undoes all of them holds one set of each. So where every combination undoes them, the smallest of these are all there are.
    """
    if prod(len(found.sets) for found in each) > MOST_COMBINED:
        return Found((everything,), truncated=True)
    combined = {frozenset[int]().union(*sets) for sets in product(*(found.sets for found in each))}
    kept = [chosen for chosen in combined if undoes(chosen)]
    sets = minimal_only(kept) or (everything,)
    truncated = any(found.truncated for found in each) or len(kept) < len(combined) or len(sets) > MOST_ALTERNATIVES
    return Found(sets[:MOST_ALTERNATIVES], truncated)


def _united(ends: Sequence[Members]) -> Members:
    """Several sets of endpoints as one."""
    classes = 0
    for each in ends:
        classes |= each.classes
    blocks: dict[IPBlock, None] = dict.fromkeys(block for each in ends for block in each.blocks)
    singles = frozenset[int]().union(*(each.singles for each in ends))
    return Members(classes, singles, tuple(blocks), any(each.controller for each in ends))

"""Paths: what becomes reachable in several hops, from outside the cluster or from a zone, each hop a flow that policy permits on some port.

Factored: a search goes over sets of classes, all pods of equal policy at once, and stops after a bounded number of comparisons; what it did
not get to is said to be unknown. Verdicts that are only may count as permitted, and a path that needs one says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Final

from analyzers.impact.assessment.hops import OUTSIDE, Hop, Newly, Path, Paths
from analyzers.impact.report import FlowGroup
from analyzers.impact.rows.endpoint_sets import EndpointSet, Members
from analyzers.impact.rows.folded import Folded
from analyzers.model.cluster import Cluster
from analyzers.model.selectors import Labels
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.compiled import Compiled, members_by_group
from analyzers.reachability.cover import Cover
from analyzers.reachability.universe import Universe
from analyzers.reachability.ways_in import WaysIn

MOST_STEPS: Final = 150_000
"""Comparisons of two profiles in the search of one revision: about a tenth of a second."""

MOST_PATHS: Final = 50
"""Paths that are spelt out."""


_Column = tuple[int, Cover]
"""The classes of a group, and whom they admit."""


class _Search:
    """What a zone reaches in one revision, layer by layer: `layers[n]` are the classes that take n hops, and no fewer."""

    def __init__(self, compiled: Compiled, columns: Sequence[_Column], zone: int, first: int) -> None:
        self._compiled, self._columns = compiled, columns
        self._left = MOST_STEPS
        self.layers = [zone]
        self.reached = zone
        if not zone:
            self._add(first)
        while self.layers[-1] and self._left >= 0:
            self._add(self._from(self.layers[-1]))

    @property
    def complete(self) -> bool:
        """Whether the search came to its end."""
        return self._left >= 0

    def hops_to(self, number: int) -> int:
        """How many hops a class takes; 0 where it is not reached, or in the zone."""
        return next((hops for hops, layer in enumerate(self.layers) if layer >> number & 1), 0)

    def way_to(self, number: int) -> tuple[int, ...]:
        """The classes on a shortest way to a class, the first of those that the zone reaches at once (or of the zone itself) first."""
        way = [number]
        for layer in reversed(self.layers[1 if not self.layers[0] else 0 : self.hops_to(number)]):
            way.append(next(each for each in members_of(layer) if _possible(self._compiled, self._compiled.cell(each, way[-1]))))
        return tuple(reversed(way))

    def _add(self, classes: int) -> None:
        self.layers.append(classes & ~self.reached)
        self.reached |= classes

    def _from(self, frontier: int) -> int:
        """The classes that some class of the frontier reaches in one hop: each not reached yet is asked whom it admits, mostly few."""
        side, found = self._compiled.egress, 0
        together: dict[int, int] = {}
        for number in members_of(frontier):
            together[side.group_of[number]] = together.get(side.group_of[number], 0) | 1 << number
        self._columns = [column for column in self._columns if column[0] & ~self.reached]
        for classes, into in self._columns:
            left = classes & ~self.reached
            for group, mask in self._admitted(into, frontier, together):
                self._left -= 1
                if self._left < 0 or not left:
                    break
                for towards, out in side.covers[group].within(left):
                    if _possible(self._compiled, out & mask):
                        left, found = left & ~towards, found | towards
        return found

    def _admitted(self, into: Cover, frontier: int, together: Mapping[int, int]) -> Iterator[tuple[int, int]]:
        """The egress groups of the frontier of which a column admits some class, with the mask for it."""
        for peers, mask in into.within(frontier):
            if peers.bit_count() < len(together):
                groups: Iterable[int] = dict.fromkeys(self._compiled.egress.group_of[number] for number in members_of(peers))
            else:
                groups = (group for group, sources in together.items() if sources & peers)
            yield from ((group, mask) for group in groups)


class PathFinder:
    """Finds what a change lets a zone reach. `zone` are labels of pods or namespaces; without any it is everything outside."""

    def __init__(self, universe: Universe, clusters: Sequence[Cluster], compiled: Sequence[Compiled], ways: Sequence[WaysIn]) -> None:
        self._universe, self._clusters, self._compiled, self._ways = universe, clusters, compiled, ways

    def find(self, groups: Iterable[FlowGroup], sensitive: int, zone: Labels = ()) -> Paths:
        """What becomes reachable by what the groups open. `sensitive` are the classes to which every new shortest path is told."""
        opening = [group for group in groups if group.opened]
        name = ", ".join(f"{key}={value}" for key, value in zone) or OUTSIDE
        if not opening:
            return Paths(name)
        base = self._search(0, zone)
        if base.complete and not any(_leads_on(group, base.reached, bool(sensitive), not zone) for group in opening):
            return Paths(name)
        head = self._search(-1, zone)
        stopped = "" if base.complete and head.complete else f"the search stopped after {MOST_STEPS:,} comparisons of policies"
        if not base.complete:  # what base reached is not known, so nothing can be called new
            return Paths(name, stopped=stopped)
        newly = list(self._newly(base, head))
        told = tuple(Newly(hops, EndpointSet(self._universe, Members(classes))) for hops, classes in newly)
        ends = list(self._ends(base, head, newly, sensitive))
        if len(ends) > MOST_PATHS:
            stopped = "; ".join(filter(None, (stopped, f"the first {MOST_PATHS} of {len(ends):,} ways are spelt out")))
        return Paths(name, told, tuple(self._to(each, base, head, sensitive) for each in ends[:MOST_PATHS]), stopped)

    def _newly(self, base: _Search, head: _Search) -> Iterator[tuple[int, int]]:
        """The classes that are newly reached by the hops that they take; of a workload whose pods differ none was reached before, and the
        first that is reached counts."""
        folded = Folded(self._universe)
        known = folded.of(base.reached)
        for hops, layer in enumerate(head.layers):
            classes = folded.of(layer) & ~known
            known |= classes
            if classes:
                yield hops, classes

    def _search(self, revision: int, zone: Labels) -> _Search:
        compiled = self._compiled[revision]
        columns = [(bits_of(numbers), compiled.ingress.covers[group]) for group, numbers in members_by_group(compiled.ingress)]
        if zone:
            return _Search(compiled, columns, _carrying(self._universe, self._clusters[revision], revision, zone), 0)
        direct = (classes for classes, cover in columns if any(_possible(compiled, mask) for mask in cover.outside.masks))
        through = (classes for classes, mask in self._ways[revision].pieces if _possible(compiled, mask))
        return _Search(compiled, columns, 0, reduce(or_, (*direct, *through), 0))

    def _ends(self, base: _Search, head: _Search, newly: Sequence[tuple[int, int]], sensitive: int) -> Iterator[int]:
        """The classes to which paths are told."""
        yield from (each for each in members_of(sensitive & head.reached) if _shorter(head.hops_to(each), base.hops_to(each)))
        examples = (next(members_of(head.layers[hops] & classes & ~sensitive), -1) for hops, classes in newly if hops > 1)
        yield from (each for each in examples if each >= 0)

    def _to(self, number: int, base: _Search, head: _Search, sensitive: int) -> Path:
        return self._path(head.way_to(number), bool(head.layers[0]), base.hops_to(number), bool(sensitive >> number & 1))

    def _path(self, way: Sequence[int], from_zone: bool, before: int, sensitive: bool) -> Path:
        hops = [self._hop(one, other) for one, other in pairwise(way)]
        if from_zone:
            return Path(self._name(way[0]), tuple(hops), before, sensitive)
        return Path(OUTSIDE, (self._first(way[0]), *hops), before, sensitive)

    def _hop(self, source: int, destination: int) -> Hop:
        masks = [compiled.cell(source, destination) for compiled in self._compiled]
        return self._said(destination, *masks)

    def _first(self, destination: int) -> Hop:
        """The hop from outside: by any address, or through an ingress controller."""
        masks = []
        for compiled, ways in zip(self._compiled, self._ways, strict=True):
            through = reduce(or_, (mask for classes, mask in ways.pieces if classes >> destination & 1), 0)
            masks.append(reduce(or_, compiled.ingress.cover_of(destination).outside.masks, through))
        return self._said(destination, *masks)

    def _said(self, destination: int, before: int, after: int) -> Hop:
        space = self._compiled[-1].space
        (_, was), (sure, possible) = space.layers(before), space.layers(after)
        return Hop(self._name(destination), space.connections(possible), bool(possible & ~was), not sure)

    def _name(self, number: int) -> str:
        return self._universe.workloads[self._universe.members[number][0]].id


def _leads_on(group: FlowGroup, reached: int, shorter: bool, outside: bool) -> bool:
    """Whether what a group opens can be part of a new way: it begins at what is reached, and leads to what is not, or may be shorter."""
    begins = bool(group.sources.touched & reached) or (outside and bool(group.sources.members.blocks or group.sources.controller))
    return begins and (shorter or bool(group.destinations.touched & ~reached))


def _carrying(universe: Universe, cluster: Cluster, revision: int, labels: Labels) -> int:
    """The classes of one revision with all of the labels, on their pods or on their namespace."""
    wanted, found = frozenset(labels), []
    for number, each in enumerate(universe.classes):
        shape = each.shapes[revision]
        if shape is not None and (wanted.issubset(shape.labels) or wanted.issubset(cluster.namespace_labels(each.namespace))):
            found.append(number)
    return bits_of(found)


def _shorter(after: int, before: int) -> bool:
    return bool(after) and (not before or after < before)


def _possible(compiled: Compiled, mask: int) -> bool:
    return bool(mask) and bool(compiled.space.layers(mask)[1])

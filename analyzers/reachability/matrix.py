"""The reachability matrix of one revision: kept factored, expanded row by row as it is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_

from analyzers.model.cluster import ExternalBlock
from analyzers.model.policy import Direction
from analyzers.reachability.bits import bits_of
from analyzers.reachability.compiled import Compiled, members_by_group
from analyzers.reachability.cover import Outside, Piece, overlay_addresses
from analyzers.reachability.universe import Universe
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock


class Matrix:
    """What can reach what in one compiled revision. Rows hold verdict masks of its port space; none is zero."""

    def __init__(self, universe: Universe, compiled: Compiled) -> None:
        self.universe = universe
        self.compiled = compiled
        self._columns = [(bits_of(numbers), compiled.ingress.covers[group]) for group, numbers in members_by_group(compiled.ingress)]
        self._blocks: dict[tuple[Outside, ...], tuple[tuple[ExternalBlock, int], ...]] = {}

    def towards_pods(self, index: int) -> dict[int, int]:
        """The workloads that one workload can reach, with the verdict mask. Pods that differ within a workload are united."""
        workload, found = self.universe.workloads[index], dict[int, int]()
        for source in workload.classes:
            for classes, mask in self._row(source):
                for member in self.universe.within(classes):
                    found[member] = found.get(member, 0) | mask
        if not workload.latest.has_replicas:
            found.pop(index, None)
        return found

    def outside(self, direction: Direction, index: int) -> tuple[tuple[ExternalBlock, int], ...]:
        """The blocks of addresses that one workload can reach (egress) or be reached from (ingress), by equal verdict mask."""
        side = self.compiled.side(direction)
        covers = tuple(side.cover_of(number).outside for number in self.universe.workloads[index].classes)
        if covers not in self._blocks:
            self._blocks[covers] = tuple(_united_blocks(covers))
        return self._blocks[covers]

    def from_outside(self) -> dict[ExternalBlock, dict[int, int]]:
        """For each block, the workloads that it can reach, with the verdict mask."""
        found: dict[ExternalBlock, dict[int, int]] = defaultdict(dict)
        for index in range(len(self.universe.workloads)):
            for block, mask in self.outside(Direction.INGRESS, index):
                found[block][index] = mask
        return found

    def _row(self, source: int) -> Iterator[Piece]:
        """What one class can reach: egress pieces cut by what each group of destinations admits from it."""
        admitting: dict[int, int] = {}
        for classes, cover in self._columns:
            mask = cover.at(source)
            if mask:
                admitting[mask] = admitting.get(mask, 0) | classes
        cover = self.compiled.egress.cover_of(source)
        return ((common, out & into) for into, classes in admitting.items() for common, out in cover.within(classes) if out & into)


def _united_blocks(covers: Sequence[Outside]) -> Iterator[tuple[ExternalBlock, int]]:
    """Addresses of several covers united, by equal mask; addresses without a connection are left out."""
    for family in Family:
        by_mask: dict[int, IntervalSet] = {}
        for masks, addresses in overlay_addresses([cover.of(family) for cover in covers]).items():
            united = reduce(or_, masks)
            by_mask[united] = by_mask.get(united, IntervalSet()) | addresses
        yield from ((ExternalBlock(IPBlock(family, addresses)), mask) for mask, addresses in by_mask.items() if mask)

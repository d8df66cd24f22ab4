"""Changed pairs, one by one, as a stream: for formats that list them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from analyzers.impact.report import PairChange
from analyzers.impact.rows.changes import Change, ChangeTable
from analyzers.impact.rows.groups import Alike, Group, alike
from analyzers.impact.rows.vias import Beyond, Vias
from analyzers.model.cluster import INGRESS_CONTROLLER
from analyzers.model.policy import Direction
from analyzers.reachability.bits import members_of
from analyzers.reachability.ports import PortSpace
from analyzers.reachability.universe import Universe
from analyzers.sets.ip_blocks import IPBlock

Towards = list[tuple[int | IPBlock, Change]]
"""Destinations (a set of classes, or a block) with how the connection to them changes."""


class PairRows:
    """The changed pairs of one table, sorted by (source, destination)."""

    def __init__(self, universe: Universe, space: PortSpace, table: ChangeTable, groups: Sequence[Group], vias: Vias) -> None:
        self._universe, self._space, self._vias = universe, space, vias
        self._by_class: dict[int, Towards] = defaultdict(list)
        self._by_block: dict[Beyond, Towards] = defaultdict(list)
        for inward in table.inward:
            self._by_block[INGRESS_CONTROLLER].append((inward.classes, inward.change))
        for between in table.between:
            for number in members_of(between.sources):
                self._by_class[number].append((between.destinations, between.change))
        for outward in table.outward:
            if outward.direction is Direction.INGRESS:
                self._by_block[outward.block].append((outward.classes, outward.change))
            else:
                for number in members_of(outward.classes):
                    self._by_class[number].append((outward.block, outward.change))
        self._groups: dict[int | Beyond, dict[Alike, int]] = defaultdict(dict)
        for position, group in enumerate(groups):
            for source in group.sources.indices:
                self._groups[source][group.alike] = position
            for block in group.sources.members.blocks:
                self._groups[block][group.alike] = position
            if group.sources.controller:
                self._groups[INGRESS_CONTROLLER][group.alike] = position

    def __iter__(self) -> Iterator[PairChange]:
        sources: list[tuple[str, int | Beyond]] = [(_name(source), source) for source in self._by_block]
        sources += [(self._universe.workloads[index].id, index) for index in self._groups if isinstance(index, int)]
        for name, source in sorted(sources, key=lambda item: item[0]):
            for destination, change in sorted(self._row(source), key=lambda item: item[0]):
                pair = self._pair(name, destination, change, self._groups[source][alike(change)])
                yield pair if isinstance(source, int) else self._vias.beside_pair(pair, source)

    def _row(self, source: int | Beyond) -> Iterator[tuple[str, Change]]:
        if isinstance(source, int):
            workload = self._universe.workloads[source]
            towards, itself = self._by_class[workload.classes[0]], None if workload.latest.has_replicas else source
        else:
            towards, itself = self._by_block[source], None
        for destination, change in towards:
            if isinstance(destination, IPBlock):
                yield destination.name(), change
            else:
                yield from ((self._universe.workloads[each].id, change) for each in self._universe.within(destination) if each != itself)

    def _pair(self, source: str, destination: str, change: Change, group: int) -> PairChange:
        read = self._space.connections
        base, head = self._space.verdicts(change.base), self._space.verdicts(change.head)
        conditions = tuple(sorted({*base.conditions, *head.conditions}))
        ports = (read(change.opened), read(change.closed), read(change.may))
        return PairChange(source, destination, base.connections, head.connections, *ports, group, conditions)


def _name(source: Beyond) -> str:
    return source.name() if isinstance(source, IPBlock) else source.id

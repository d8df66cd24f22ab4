"""Canonical groups: sources with identical rows form one set, and within it destinations that change alike form one.

Groups are found from the factored changes, without expanding them to pairs, and expand to exactly the changed pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from analyzers.impact.rows.changes import Change, ChangeTable
from analyzers.impact.rows.endpoint_sets import EndpointSet, Members
from analyzers.model.policy import Direction
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.universe import Universe
from analyzers.sets.ip_blocks import IPBlock

Alike = tuple[int, int, int]
"""(opened, closed, may): what destinations of one group share."""

Row = tuple[tuple[Alike, Members], ...]
"""Everything that changes for one source, canonical: sorted by what changes."""


class Group(Struct, frozen=True):
    """Each source to each destination opens, closes and may connect the same; the three are port masks."""

    sources: EndpointSet
    destinations: EndpointSet
    alike: Alike


def group(table: ChangeTable, universe: Universe) -> tuple[Group, ...]:
    """The canonical groups of a table of changes, sorted by sources, then destinations."""
    sources: dict[Row, _Gathered] = defaultdict(_Gathered)
    for row, classes in _rows_of_classes(table).items():
        _gather(row, classes, universe, sources)
    for row, blocks in _rows_of_blocks(table).items():
        sources[row].blocks.extend(blocks)
    if table.inward:
        sources[_row([(alike(inward.change), Members(inward.classes)) for inward in table.inward])].controller = True
    found = [
        Group(EndpointSet(universe, gathered.members()), EndpointSet(universe, destinations), alike)
        for row, gathered in sources.items()
        for alike, destinations in row
    ]
    return tuple(sorted(found, key=lambda each: (each.sources.first, each.destinations.first)))


class _Gathered:
    """The sources of one row, while they are being collected."""

    def __init__(self) -> None:
        self.classes: list[int] = []
        self.singles: list[int] = []
        self.blocks: list[IPBlock] = []
        self.controller = False

    def members(self) -> Members:
        """The sources in factored form."""
        return Members(bits_of(self.classes), frozenset(self.singles), _sorted_blocks(self.blocks), self.controller)


def alike(change: Change) -> Alike:
    """The part of a change by which destinations are grouped."""
    return (change.opened, change.closed, change.may)


def _rows_of_classes(table: ChangeTable) -> Mapping[Row, list[int]]:
    """Each distinct row of source classes, with the classes that have it."""
    parts: dict[tuple[int, Alike], Members] = defaultdict(Members)
    for between in table.between:
        _add(parts, (between.sources, alike(between.change)), Members(between.destinations))
    for outward in table.outward:
        if outward.direction is Direction.EGRESS:
            _add(parts, (outward.classes, alike(outward.change)), Members(blocks=(outward.block,)))
    signature: dict[int, list[int]] = defaultdict(list)
    for position, (sources, _) in enumerate(parts):
        for number in members_of(sources):
            signature[number].append(position)
    by_signature: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, positions in signature.items():
        by_signature[tuple(positions)].append(number)
    listed = [(key[1], members) for key, members in parts.items()]
    rows: dict[Row, list[int]] = defaultdict(list)
    for together, classes_alike in by_signature.items():
        rows[_row([listed[position] for position in together])].extend(classes_alike)
    return rows


def _rows_of_blocks(table: ChangeTable) -> Mapping[Row, list[IPBlock]]:
    """Each distinct row of source blocks, with the blocks that have it."""
    towards: dict[IPBlock, list[tuple[Alike, Members]]] = defaultdict(list)
    for outward in table.outward:
        if outward.direction is Direction.INGRESS:
            towards[outward.block].append((alike(outward.change), Members(outward.classes)))
    rows: dict[Row, list[IPBlock]] = defaultdict(list)
    for block, parts in towards.items():
        rows[_row(parts)].append(block)
    return rows


def _row(parts: list[tuple[Alike, Members]]) -> Row:
    united: dict[Alike, Members] = defaultdict(Members)
    for key, members in parts:
        _add(united, key, members)
    return tuple((key, replace(united[key], blocks=_sorted_blocks(united[key].blocks))) for key in sorted(united))


Key = TypeVar("Key")


def _add(parts: dict[Key, Members], key: Key, more: Members) -> None:
    known = parts[key]
    parts[key] = Members(known.classes | more.classes, known.singles, (*known.blocks, *more.blocks))


def _gather(row: Row, classes: list[int], universe: Universe, sources: dict[Row, _Gathered]) -> None:
    """Add source classes to their row. A bare Pod has no traffic to itself, so one whose row holds its own class gets a row of its own."""
    within = 0
    for _, destinations in row:
        within |= destinations.classes
    for number in classes:
        bare = [index for index in universe.members[number] if not universe.workloads[index].latest.has_replicas]
        if not bare or not within >> number & 1:
            sources[row].classes.append(number)
            continue
        if shared := set(universe.members[number]).difference(bare):
            sources[row].singles.extend(shared)
        for index in bare:
            alone = tuple(_without_itself(row, number, index, universe))
            if alone:
                sources[alone].singles.append(index)


def _without_itself(row: Row, number: int, index: int, universe: Universe) -> Iterator[tuple[Alike, Members]]:
    for key, destinations in row:
        if not destinations.classes >> number & 1:
            yield key, destinations
            continue
        others = frozenset(universe.members[number]) - {index}
        rest = Members(destinations.classes & ~(1 << number), others, destinations.blocks)
        if rest != Members():
            yield key, rest


def _sorted_blocks(blocks: Sequence[IPBlock]) -> tuple[IPBlock, ...]:
    return tuple(sorted(blocks, key=IPBlock.name)) if len(blocks) > 1 else tuple(blocks)

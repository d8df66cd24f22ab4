"""Address atoms: addresses that nothing tells apart, so that a set of addresses is an int and is decided as a set of classes is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from analyzers.reachability.bits import members_of, span_bits
from analyzers.reachability.cover import Outside, Piece, Segment
from analyzers.sets.ip_blocks import Family, IPBlock


class AddressSpace:
    """The atoms of both families that the segments of a cover and some blocks tell apart."""

    def __init__(self, outside: Outside, blocks: Iterable[IPBlock]) -> None:
        starts: dict[Family, set[int]] = {family: {low for low, _, _ in outside.of(family)} for family in Family}
        for block in blocks:
            for low, high in block.addresses.intervals:
                starts[block.family].update((low, high + 1))
        ends = {family: family.everything.intervals[0][1] + 1 for family in Family}
        self._cuts = {family: [*sorted(starts[family] - {ends[family]}), ends[family]] for family in Family}
        self._offset = {Family.V4: 0, Family.V6: len(self._cuts[Family.V4]) - 1}
        self.everything = span_bits(0, sum(len(cuts) - 1 for cuts in self._cuts.values()))

    def atoms(self, block: IPBlock) -> int:
        """The atoms of a block whose ends are cuts of this space."""
        found = 0
        for low, high in block.addresses.intervals:
            found |= self._span(block.family, low, high)
        return found

    def pieces(self, outside: Outside) -> list[Piece]:
        """The segments of a cover as atoms and masks, those of mask 0 included."""
        found: dict[int, int] = {}
        for family in Family:
            for low, high, mask in outside.of(family):
                found[mask] = found.get(mask, 0) | self._span(family, low, high)
        return [(atoms, mask) for mask, atoms in found.items()]

    def outside(self, pieces: Iterable[Piece]) -> Outside:
        """Disjoint pieces of atoms as segments in canonical form; what no piece holds has mask 0."""
        masks = [0] * sum(len(cuts) - 1 for cuts in self._cuts.values())
        for atoms, mask in pieces:
            for atom in members_of(atoms):
                masks[atom] = mask
        return Outside(self._segments(Family.V4, masks), self._segments(Family.V6, masks))

    def _segments(self, family: Family, masks: list[int]) -> tuple[Segment, ...]:
        cuts, offset, found = self._cuts[family], self._offset[family], list[Segment]()
        for index in range(len(cuts) - 1):
            start, last, mask = cuts[index], cuts[index + 1] - 1, masks[offset + index]
            if found and found[-1][2] == mask:
                found[-1] = (found[-1][0], last, mask)
            else:
                found.append((start, last, mask))
        return tuple(found)

    def _span(self, family: Family, low: int, high: int) -> int:
        cuts, offset = self._cuts[family], self._offset[family]
        return span_bits(offset + bisect_left(cuts, low), offset + bisect_left(cuts, high + 1))

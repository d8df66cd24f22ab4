"""Covers: what one profile lets through in one direction, in canonical form, so that `==` compares meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock

Piece = tuple[int, int]
"""(classes, verdict mask): these peers on these ports."""

Segment = tuple[int, int, int]
"""(first address, last address, mask): these addresses on these ports."""


class Outside(Struct, frozen=True, array_like=True):
    """What is let through to and from addresses: for each family, adjacent segments that hold every address once, in order."""

    v4: tuple[Segment, ...]
    v6: tuple[Segment, ...]

    def of(self, family: Family) -> tuple[Segment, ...]:
        """The segments of one family."""
        return self.v4 if family is Family.V4 else self.v6

    @property
    def masks(self) -> Iterator[int]:
        """The mask of every segment."""
        return (mask for _, _, mask in (*self.v4, *self.v6))


class Cover(Struct, frozen=True, array_like=True):
    """The peers of one profile in one direction: disjoint pieces with distinct masks, none empty, and the addresses outside."""

    pods: tuple[Piece, ...]
    outside: Outside

    def at(self, number: int) -> int:
        """The verdict mask towards one class."""
        return next((mask for classes, mask in self.pods if classes >> number & 1), 0)

    def within(self, classes: int) -> Iterator[Piece]:
        """The pieces that touch some classes, cut to them."""
        return ((common, mask) for piece, mask in self.pods if (common := piece & classes))


@lru_cache(maxsize=256)
def uniform(mask: int) -> Outside:
    """The same mask for every address."""
    v4, v6 = ((*family.everything.intervals[0], mask) for family in Family)
    return Outside((v4,), (v6,))


NOTHING = Cover((), uniform(0))
"""What an endpoint that does not exist lets through."""


def disjoint(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Overlapping pieces in canonical form: where they overlap their masks unite."""
    classes_by_mask: dict[int, int] = {}
    for classes, mask in pieces:
        rest = classes
        for known_mask, known in list(classes_by_mask.items()):
            common = known & classes
            rest &= ~known
            if not common or known_mask | mask == known_mask:
                continue
            classes_by_mask[known_mask] = known ^ common
            classes_by_mask[known_mask | mask] = classes_by_mask.get(known_mask | mask, 0) | common
        classes_by_mask[mask] = classes_by_mask.get(mask, 0) | rest
    return tuple(sorted((classes, mask) for mask, classes in classes_by_mask.items() if classes and mask))


def sweep(entries: Iterable[tuple[IPBlock, int]], everywhere: int) -> Outside:
    """The addresses of overlapping blocks in canonical form; `everywhere` holds for every address."""
    listed = list(entries)
    if not listed:
        return uniform(everywhere)
    v4, v6 = (tuple(_segments(family, [each for each in listed if each[0].family is family], everywhere)) for family in Family)
    return Outside(v4, v6)


def _segments(family: Family, entries: Sequence[tuple[IPBlock, int]], everywhere: int) -> Iterator[Segment]:
    """Walk the ends of the blocks in address order, keeping the masks in force."""
    last = family.everything.intervals[0][1]
    starting: dict[int, list[int]] = {0: [], last + 1: []}
    ending: dict[int, list[int]] = {}
    for block, mask in entries:
        for low, high in block.addresses.intervals:
            starting.setdefault(low, []).append(mask)
            ending.setdefault(high + 1, []).append(mask)
    active: dict[int, int] = {everywhere: 1}
    pending: Segment | None = None
    for cut, following in pairwise(sorted({*starting, *ending})):
        for mask in starting.get(cut, ()):
            active[mask] = active.get(mask, 0) + 1
        for mask in ending.get(cut, ()):
            active[mask] -= 1
        united = 0
        for mask, count in active.items():
            united |= mask if count else 0
        if pending is not None and pending[2] == united:
            pending = (pending[0], following - 1, united)
        else:
            if pending is not None:
                yield pending
            pending = (cut, following - 1, united)
    if pending is not None:
        yield pending


def differing(base: Cover, head: Cover) -> list[tuple[int, int, int]]:
    """The classes towards which two covers differ: (classes, mask in base, mask in head), disjoint."""
    return [piece for piece in overlay(base.pods, head.pods) if piece[1] != piece[2]] if base is not head else []


def overlay(base: Iterable[Piece], head: Iterable[Piece]) -> Iterator[tuple[int, int, int]]:
    """Two sets of disjoint pieces laid over each other; classes that neither holds are left out."""
    head_pieces = list(head)
    head_all = 0
    for classes, _ in head_pieces:
        head_all |= classes
    base_all = 0
    for classes, mask in base:
        base_all |= classes
        if alone := classes & ~head_all:
            yield alone, mask, 0
        for other, other_mask in head_pieces:
            if common := classes & other:
                yield common, mask, other_mask
    for other, other_mask in head_pieces:
        if alone := other & ~base_all:
            yield alone, 0, other_mask


def overlay_addresses(covers: Sequence[Sequence[Segment]]) -> dict[tuple[int, ...], IntervalSet]:
    """The addresses of one family by the masks that several covers give them, in the order of the covers."""
    found: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    position = [0] * len(covers)
    start, last = 0, covers[0][-1][1]
    while start <= last:
        current = [cover[index] for cover, index in zip(covers, position, strict=True)]
        end = min(segment[1] for segment in current)
        found.setdefault(tuple(segment[2] for segment in current), []).append((start, end))
        position = [index + (segment[1] == end) for index, segment in zip(position, current, strict=True)]
        start = end + 1
    return {masks: IntervalSet.of(intervals) for masks, intervals in found.items()}

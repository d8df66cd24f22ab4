"""Canonical sets of integers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

Interval = tuple[int, int]


class IntervalSet(Struct, frozen=True, array_like=True):
    """A set of integers as inclusive intervals: sorted, disjoint and not adjacent, so that `==` is set equality.

    Build one with `of`; the constructor trusts its argument.
    """

    intervals: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, intervals: Iterable[Interval]) -> IntervalSet:
        """The union of inclusive intervals, in any order; an interval whose end lies below its start is empty."""
        return cls(tuple(_merged(sorted(pair for pair in intervals if pair[0] <= pair[1]))))

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __or__(self, other: IntervalSet) -> IntervalSet:
        if not other or self is other:
            return self
        return IntervalSet(tuple(_merged(sorted(self.intervals + other.intervals)))) if self else other

    def __and__(self, other: IntervalSet) -> IntervalSet:
        return IntervalSet(tuple(_common(self.intervals, other.intervals)))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        return IntervalSet(tuple(_without(self.intervals, other.intervals)))

    def __contains__(self, number: int) -> bool:
        return any(low <= number <= high for low, high in self.intervals)

    def issubset(self, other: IntervalSet) -> bool:
        """Whether every number here is in `other`."""
        return not self - other


def _merged(ordered: Iterable[Interval]) -> Iterator[Interval]:
    start: int | None = None
    end = 0
    for low, high in ordered:
        if start is None:
            start, end = low, high
        elif low <= end + 1:
            end = max(end, high)
        else:
            yield start, end
            start, end = low, high
    if start is not None:
        yield start, end


def _common(left: tuple[Interval, ...], right: tuple[Interval, ...]) -> Iterator[Interval]:
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            yield low, high
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1


def _without(left: tuple[Interval, ...], right: tuple[Interval, ...]) -> Iterator[Interval]:
    j = 0
    for low, high in left:
        while j < len(right) and right[j][1] < low:
            j += 1
        k = j
        while k < len(right) and right[k][0] <= high:
            if low < right[k][0]:
                yield low, right[k][0] - 1
            low = right[k][1] + 1
            k += 1
        if low <= high:
            yield low, high

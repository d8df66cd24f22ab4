"""Compiled sides as they are kept: sets of classes and verdict masks, which have any number of bits, once each and as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from analyzers.reachability.compiled import Profile, Side
from analyzers.reachability.cover import Cover, Outside, Segment

_Piece = tuple[int, int]
"""Classes and their mask, each by its place in the table."""

_Segment = tuple[int, int, int]
"""Addresses, first and last, and their mask by its place in the table."""

_Outside = tuple[tuple[_Segment, ...], tuple[_Segment, ...]]


class KeptSide(Struct, frozen=True, array_like=True):
    """One direction: `covers` are pieces, and which of the `outsides` goes with them."""

    group_of: tuple[int, ...]
    profiles: tuple[Profile, ...]
    covers: tuple[tuple[tuple[_Piece, ...], int], ...]


class KeptSides(Struct, frozen=True, array_like=True):
    """Some sides of one revision, and the tables that they share."""

    bits: tuple[bytes, ...]
    outsides: tuple[_Outside, ...]
    sides: tuple[KeptSide, ...]

    @classmethod
    def of(cls, sides: Iterable[Side]) -> KeptSides:
        """Sides as they are kept."""
        bits, outsides = _Numbers(), dict[Outside, int]()
        kept = tuple(
            KeptSide(
                side.group_of,
                side.profiles,
                tuple(
                    (
                        tuple((bits.place(classes), bits.place(mask)) for classes, mask in cover.pods),
                        outsides.setdefault(cover.outside, len(outsides)),
                    )
                    for cover in side.covers
                ),
            )
            for side in sides
        )
        told = tuple((bits.segments(each.v4), bits.segments(each.v6)) for each in outsides)
        return cls(bits.table, told, kept)

    def read(self) -> tuple[Side, ...]:
        """The sides. Raises IndexError for what `of` did not make."""
        bits = [int.from_bytes(each, "little") for each in self.bits]
        outsides = [Outside(*(tuple(_segments(each, bits)) for each in families)) for families in self.outsides]
        return tuple(
            Side(
                side.group_of,
                tuple(Cover(tuple((bits[one], bits[other]) for one, other in pods), outsides[outside]) for pods, outside in side.covers),
                side.profiles,
            )
            for side in self.sides
        )


class _Numbers:
    """Numbers, each once."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}

    @property
    def table(self) -> tuple[bytes, ...]:
        return tuple(each.to_bytes((each.bit_length() + 7) // 8, "little") for each in self._places)

    def place(self, number: int) -> int:
        return self._places.setdefault(number, len(self._places))

    def segments(self, segments: Iterable[Segment]) -> tuple[_Segment, ...]:
        return tuple((low, high, self.place(mask)) for low, high, mask in segments)


def _segments(segments: Iterable[_Segment], bits: Sequence[int]) -> Iterator[Segment]:
    return ((low, high, bits[place]) for low, high, place in segments)

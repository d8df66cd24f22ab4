"""Covers: the set operations of the engine, each against the plain pointwise meaning."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from analyzers.reachability.cover import Cover, Outside, Piece, differing, disjoint, overlay_addresses, sweep, uniform
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock

CLASSES = 8
pieces = st.lists(st.tuples(st.integers(0, 2**CLASSES - 1), st.integers(0, 15)), max_size=6)
low_blocks = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=3).map(IntervalSet.of).filter(bool)
entries = st.lists(st.tuples(st.sampled_from(Family), low_blocks, st.integers(0, 15)), max_size=6).map(
    lambda given_entries: [(IPBlock(family, addresses), mask) for family, addresses, mask in given_entries]
)


def masks(given_pieces: list[Piece] | tuple[Piece, ...]) -> list[int]:
    """The united mask of each class."""
    united = [0] * CLASSES
    for classes, mask in given_pieces:
        for number in range(CLASSES):
            united[number] |= mask if classes >> number & 1 else 0
    return united


@given(pieces)
def test_disjoint_pieces_keep_the_meaning_and_overlap_nowhere(given_pieces: list[Piece]) -> None:
    canonical = disjoint(given_pieces)
    assert masks(canonical) == masks(given_pieces)
    seen = 0
    for classes, mask in canonical:
        assert classes
        assert mask
        assert not seen & classes
        seen |= classes
    assert len({mask for _, mask in canonical}) == len(canonical)


@given(pieces, pieces)
def test_canonical_pieces_are_equal_exactly_when_they_mean_the_same(left: list[Piece], right: list[Piece]) -> None:
    assert (disjoint(left) == disjoint(right)) is (masks(left) == masks(right))


@given(pieces, pieces)
def test_differing_names_each_class_that_differs_once(left: list[Piece], right: list[Piece]) -> None:
    base, head = (Cover(disjoint(each), uniform(0)) for each in (left, right))
    found: dict[int, tuple[int, int]] = {}
    for classes, before, after in differing(base, head):
        for number in range(CLASSES):
            if classes >> number & 1:
                assert number not in found
                found[number] = (before, after)
    pairs = zip(masks(left), masks(right), strict=True)
    assert found == {number: pair for number, pair in enumerate(pairs) if pair[0] != pair[1]}


@given(entries, st.integers(0, 15))
def test_a_sweep_gives_every_address_the_masks_of_the_blocks_that_hold_it(
    given_entries: list[tuple[IPBlock, int]], everywhere: int
) -> None:
    swept = sweep(given_entries, everywhere)
    for family in Family:
        segments = swept.of(family)
        assert segments[0][0] == 0
        assert segments[-1][1] == family.everything.intervals[0][1]
        assert all(one[1] + 1 == other[0] and one[2] != other[2] for one, other in pairwise(segments))
        for address in (*range(45), 2**32 - 1):
            wanted = everywhere
            for block, mask in given_entries:
                wanted |= mask if block.family is family and address in block.addresses else 0
            assert next(mask for low, high, mask in segments if low <= address <= high) == wanted


@given(entries, entries)
def test_laid_over_each_other_addresses_have_the_mask_of_each_cover(
    left: list[tuple[IPBlock, int]], right: list[tuple[IPBlock, int]]
) -> None:
    covers = [sweep(left, 0), sweep(right, 0)]
    for family in Family:
        found = overlay_addresses([cover.of(family) for cover in covers])
        united = IntervalSet()
        for masks_there, addresses in found.items():
            assert not united & addresses
            united |= addresses
            for low, _ in addresses.intervals:
                assert masks_there == tuple(mask_at(cover, family, low) for cover in covers)
        assert united == family.everything


def mask_at(cover: Outside, family: Family, address: int) -> int:
    return next(mask for low, high, mask in cover.of(family) if low <= address <= high)

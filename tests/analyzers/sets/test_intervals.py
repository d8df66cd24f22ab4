"""The laws of interval sets, each against Python's own sets of small integers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzers.sets.intervals import IntervalSet

pairs = st.tuples(st.integers(0, 40), st.integers(0, 40))
interval_sets = st.lists(pairs, max_size=6).map(IntervalSet.of)


def numbers(each: IntervalSet) -> set[int]:
    return {number for low, high in each.intervals for number in range(low, high + 1)}


@given(st.lists(pairs, max_size=6))
def test_building_unites_and_drops_empty_intervals(given_pairs: list[tuple[int, int]]) -> None:
    assert numbers(IntervalSet.of(given_pairs)) == {number for low, high in given_pairs for number in range(low, high + 1)}


@given(interval_sets, interval_sets)
def test_algebra_agrees_with_plain_sets(left: IntervalSet, right: IntervalSet) -> None:
    assert numbers(left | right) == numbers(left) | numbers(right)
    assert numbers(left & right) == numbers(left) & numbers(right)
    assert numbers(left - right) == numbers(left) - numbers(right)
    assert left.issubset(right) is (numbers(left) <= numbers(right))
    assert bool(left) is bool(numbers(left))
    assert all((number in left) is (number in numbers(left)) for number in range(45))


@given(interval_sets, interval_sets)
def test_results_are_canonical_so_equality_is_set_equality(left: IntervalSet, right: IntervalSet) -> None:
    for result in (left, left | right, left & right, left - right):
        assert result == IntervalSet.of((number, number) for number in numbers(result))

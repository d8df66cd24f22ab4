"""Bitsets stand for sets of small integers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzers.reachability.bits import bits_of, members_of, span_bits


@given(st.sets(st.integers(0, 300)))
def test_a_set_survives_the_way_to_bits_and_back(numbers: set[int]) -> None:
    assert list(members_of(bits_of(numbers))) == sorted(numbers)


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_span_holds_its_start_and_not_its_stop(start: int, length: int) -> None:
    assert list(members_of(span_bits(start, start + length))) == list(range(start, start + length))

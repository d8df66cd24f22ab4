"""Minimal sets: exactly those that brute force finds, whatever the question, and never more work than is allowed."""

from __future__ import annotations

from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from analyzers.impact.causation.minimal_sets import MOST_ALTERNATIVES, MOST_TRIALS, Chosen, Found, minimal_only, minimal_sets

FOUR = (3, 5, 8, 9)
CHOICES = [frozenset(each) for each in chain.from_iterable(combinations(FOUR, size) for size in range(1, len(FOUR)))]
EVERYTHING = frozenset(FOUR)


@given(st.frozensets(st.sampled_from(CHOICES)))
def test_every_minimal_set_is_found_and_no_other(doing: frozenset[Chosen]) -> None:
    all_doing = {*doing, EVERYTHING}
    wanted = {each for each in all_doing if not any(other < each for other in all_doing)}
    found = minimal_sets(FOUR, doing.__contains__)
    assert set(found.sets) == wanted
    assert not found.truncated
    assert list(found.sets) == sorted(found.sets, key=lambda each: (len(each), sorted(each)))
    assert set(minimal_only(all_doing)) == wanted


def test_what_only_all_together_do_is_one_alternative() -> None:
    assert minimal_sets(FOUR, lambda chosen: False) == Found((EVERYTHING,))


def test_one_candidate_is_not_tried() -> None:
    assert minimal_sets((7,), lambda chosen: 1 / 0 > 0) == Found((frozenset({7}),))


def test_more_alternatives_than_are_kept_are_said_to_be_more() -> None:
    found = minimal_sets(range(20), lambda chosen: True)
    assert len(found.sets) == MOST_ALTERNATIVES
    assert found.truncated


def test_the_work_is_bounded_and_what_is_not_needed_is_left_out() -> None:
    tried: list[Chosen] = []

    def does(chosen: Chosen) -> bool:
        tried.append(chosen)
        return chosen >= needed

    needed = frozenset(range(10, 30))
    found = minimal_sets(range(40), does)
    assert found == Found((needed,), truncated=True)
    assert len(tried) <= MOST_TRIALS + 40

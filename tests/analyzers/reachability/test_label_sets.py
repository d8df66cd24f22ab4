"""Sets of labels: equal where they mean the same, and witnesses that are in them."""

from __future__ import annotations

from itertools import combinations

import pytest

from analyzers.model.selectors import LabelSelector, Operator, Requirement
from analyzers.reachability.label_sets import fresh_among, holds, is_empty, label_set, values_named, witness

IN, NOT_IN, EXISTS, ABSENT = Operator.IN, Operator.NOT_IN, Operator.EXISTS, Operator.DOES_NOT_EXIST
EVERY = (
    Requirement("a", IN, ("x",)),
    Requirement("a", IN, ("x", "y")),
    Requirement("a", NOT_IN, ("x",)),
    Requirement("a", NOT_IN, ("y", "z")),
    Requirement("a", EXISTS),
    Requirement("a", ABSENT),
    Requirement("b", IN, ("x",)),
    Requirement("b", NOT_IN, ("x",)),
    Requirement("b", EXISTS),
    Requirement("b", ABSENT),
)
LABELS = [
    {key: value for key, value in (("a", a), ("b", b)) if value is not None}
    for a in (None, "x", "y", "z", "other")
    for b in (None, "x", "other")
]
CONJUNCTIONS = [each for size in (0, 1, 2, 3) for each in combinations(EVERY, size)]


def test_a_set_holds_the_labels_that_its_selector_matches() -> None:
    for each in CONJUNCTIONS:
        for labels in LABELS:
            assert holds(label_set(each), labels) is LabelSelector(each).matches(labels)


def test_sets_are_equal_exactly_when_the_same_labels_meet_them() -> None:
    means = {each: frozenset(index for index, labels in enumerate(LABELS) if LabelSelector(each).matches(labels)) for each in CONJUNCTIONS}
    for one, other in combinations(CONJUNCTIONS, 2):
        if not (is_empty(label_set(one)) and is_empty(label_set(other))):
            assert (label_set(one) == label_set(other)) is (means[one] == means[other])


def test_a_witness_meets_every_requirement_and_carries_nothing_else() -> None:
    fresh = fresh_among(values_named(EVERY))
    for each in CONJUNCTIONS:
        meant = label_set(each)
        if is_empty(meant):
            assert not any(LabelSelector(each).matches(labels) for labels in LABELS)
        else:
            labels = dict(witness(meant, fresh))
            assert LabelSelector(each).matches(labels)
            assert all(not LabelSelector(each).matches({k: v for k, v in labels.items() if k != key}) for key in labels)


@pytest.mark.parametrize(("named", "value"), [((), "any"), (("any",), "any-2"), (("any", "any-2"), "any-3")])
def test_a_free_value_is_one_that_nothing_names(named: tuple[str, ...], value: str) -> None:
    assert fresh_among({"a": named})("a") == value

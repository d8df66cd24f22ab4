"""Where values differ: walked as DeepDiff would, and DeepDiff itself where lists must be aligned."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.impact.causation.differing import Difference, aligned, differing
from tests.conftest import ROOT

KEYS = st.sampled_from(["from", "to", "ports", "podSelector", "matchLabels", "port"])
SCALARS = st.one_of(st.integers(0, 3), st.sampled_from(["TCP", "UDP", "web"]), st.booleans(), st.none())
BODIES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)), max_leaves=12
)


def found(differences: Any) -> set[Difference]:
    return set(differences)


@given(BODIES, BODIES)
def test_what_differs_is_what_deepdiff_finds(before: Any, after: Any) -> None:
    # The top of an object is never one value that changed: it is compared field by field.
    base, head = {"spec": before, "kind": "same"}, {"spec": after, "kind": "same"}
    assert found(differing(base, head)) == found(aligned(base, head))


@given(BODIES)
def test_nothing_differs_from_itself(body: Any) -> None:
    assert not found(differing(body, body))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, {(("a",), True, True)}),
        ({"a": 1}, {"a": 1, "b": 2}, {(("b",), False, True)}),
        ({"a": [{"p": 1}]}, {"a": [{"p": 1}, {"p": 2}]}, {(("a", 1), False, True)}),
        ({"a": [{"p": 1}, {"p": 2}]}, {"a": [{"p": 1}]}, {(("a", 1), True, False)}),
        ({"a": [{"p": 1}]}, {"a": [{"p": True}]}, {(("a", 0, "p"), True, True)}),
        ({"a": ["x", "y"]}, {"a": ["y"]}, {(("a", 0), True, False)}),
        ({}, {"a": 1, "b": 2}, {(("a",), False, True), (("b",), False, True)}),
    ],
)
def test_each_place_is_named_once(before: Any, after: Any, expected: set[Difference]) -> None:
    assert sorted(differing(before, after)) == sorted(expected)


def test_deepdiff_is_not_imported_where_nothing_must_be_aligned() -> None:
    code = (
        "import sys; from analyzers.impact.causation.differing import differing;"
        "list(differing({'a': [{'p': 1}]}, {'a': [{'p': 2}], 'b': 1})); print('deepdiff' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

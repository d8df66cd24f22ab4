"""The product against the independent examiner: random clusters and edits, every ordered pair, every point that matters."""

from __future__ import annotations

import pytest

from tests.oracle.cases import Case, case
from tests.property.examination import broken

ALWAYS, FULL, CHUNK = 200, 1_000, 25
"""Seeds below ALWAYS are in every run, those up to FULL in the whole run; CHUNK of them make one test."""

MOST_SHOWN = 30


def _chunks(first: int, last: int) -> list[range]:
    return [range(start, min(start + CHUNK, last)) for start in range(first, last, CHUNK)]


def _seeds(chunk: range) -> str:
    return f"seeds-{chunk.start}-to-{chunk.stop - 1}"


@pytest.mark.parametrize("seeds", _chunks(0, ALWAYS), ids=_seeds)
def test_the_product_agrees_with_the_examiner_at_every_point(seeds: range) -> None:
    for seed in seeds:
        _examine(case(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seeds", _chunks(ALWAYS, FULL), ids=_seeds)
def test_the_product_agrees_with_the_examiner_on_many_clusters_more(seeds: range) -> None:
    for seed in seeds:
        _examine(case(seed))


def _examine(made: Case) -> None:
    try:
        found = list(broken(made))
    except Exception as error:
        error.add_note(made.shown())
        raise
    if found:
        left_out = [f"... and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else []
        pytest.fail("\n".join([*found[:MOST_SHOWN], *left_out, made.shown()]), pytrace=False)

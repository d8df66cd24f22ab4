"""Minimal sets: the smallest choices of some things that do what all of them do together, found by trying, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from msgspec import Struct

Chosen = frozenset[int]

MOST_ALTERNATIVES = 8
"""Alternatives kept for one question."""

MOST_TRIALS = 130
"""Choices tried for one question: every choice out of seven things."""


class Found(Struct, frozen=True):
    """The minimal sets, by size and then in order. `truncated` says that there may be more, or that the last one may hold more than is
    needed."""

    sets: tuple[Chosen, ...]
    truncated: bool = False


def minimal_sets(candidates: Sequence[int], does: Callable[[Chosen], bool]) -> Found:
    """Every choice of candidates that `does` what is asked, and of which no smaller part does. All together are known to do it; a larger
    choice may fail where a smaller one does not."""
    found: list[Chosen] = []
    for tried, choice in enumerate(_by_size(candidates)):
        if tried == MOST_TRIALS:
            return _cut(found, candidates, does)
        if not any(known <= choice for known in found) and does(choice):
            found.append(choice)
            if len(found) > MOST_ALTERNATIVES:
                return Found(tuple(found[:MOST_ALTERNATIVES]), truncated=True)
    return Found(tuple(found) or (frozenset(candidates),))


def _by_size(candidates: Sequence[int]) -> Iterator[Chosen]:
    return (frozenset(choice) for size in range(1, len(candidates)) for choice in combinations(candidates, size))


def _cut(found: Sequence[Chosen], candidates: Sequence[int], does: Callable[[Chosen], bool]) -> Found:
    """What was found before the trials ran out; where that is nothing, all candidates less those that are not needed."""
    if found:
        return Found(tuple(found), truncated=True)
    kept = frozenset(candidates)
    for each in candidates[:MOST_TRIALS]:
        if len(kept) > 1 and does(kept - {each}):
            kept -= {each}
    return Found((kept,), truncated=True)


def minimal_only(sets: Iterable[Chosen]) -> tuple[Chosen, ...]:
    """The sets that hold no other one, by size and then in order."""
    kept: list[Chosen] = []
    for each in sorted(set(sets), key=lambda chosen: (len(chosen), sorted(chosen))):
        if not any(known <= each for known in kept):
            kept.append(each)
    return tuple(kept)

"""Causes against the independent examiner: manifests are really mixed, and every pair of a group is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations
from random import Random

import pytest

from tests.oracle import expand, undoing
from tests.oracle.cases import Case, case
from tests.oracle.expand import Report
from tests.oracle.files import write
from tests.oracle.mutate import mutate
from tests.oracle.tables import Name, Revision, universe
from tests.property.product import asked_diff

CHUNK = 20
MOST_CHANGED = 7
"""Changed objects of a case in which every choice is tried."""

Pairs = list[tuple[Name, Name]]
Causes = set[frozenset[str]]


class Examined:
    """One case: what the product says undoes each change, and what does."""

    def __init__(self, made: Case) -> None:
        self.made = made
        self.report = asked_diff(made.base_files, made.head_files, made.host_network)
        self.changed = undoing.changed(made.base, made.head)
        self._points = universe(made.base, made.head)
        self._ends = expand.ends(self.report, self._points)
        self._base = Revision(made.base, self._points, made.host_network)
        self._mixed = cache(self._revision)

    def _revision(self, undone: frozenset[str]) -> Revision:
        return Revision(undoing.mixed(self.made.base, self.made.head, undone), self._points, self.made.host_network)

    def undoes(self, undone: frozenset[str], pairs: Pairs, ports: int) -> bool:
        """Whether nothing is left of the change of any pair."""
        mixed = self._mixed(undone)
        return not any(undoing.left(self._base, mixed, *pair) & ports for pair in pairs)

    def minimal(self, pairs: Pairs, ports: int) -> Causes:
        """Every minimal choice of all changed objects that undoes the change: each choice is tried."""
        found: Causes = set()
        for size in range(len(self.changed) + 1):
            for chosen in map(frozenset, combinations(self.changed, size)):
                if not any(known <= chosen for known in found) and self.undoes(chosen, pairs, ports):
                    found.add(chosen)
        return found

    def units(self) -> Iterator[tuple[str, Report, Pairs, int]]:
        """Each group and each part of a group, with its pairs and the ports that change."""
        for position, group in enumerate(self.report["groups"]):
            ports = 0
            for field in ("opened", "closed", "may"):
                ports |= self._points.ports.within(group[field])
            rows = [row for row in self.report["changes"] if row["group"] == position]
            yield f"group {position}", group, self._pairs(rows), ports
            parts = [self._pairs([row for row in rows if _within(row, part)]) for part in group.get("parts", [])]
            if parts and sorted(str(pair) for pairs in parts for pair in pairs) != sorted(map(str, self._pairs(rows))):
                raise AssertionError(f"the parts of group {position} are not all of it, each pair once")
            for number, (part, pairs) in enumerate(zip(group.get("parts", []), parts, strict=True)):
                yield f"part {number} of group {position}", part, pairs, ports

    def _pairs(self, rows: list[Report]) -> Pairs:
        return [(one, other) for row in rows for one in self._ends[row["source"]] for other in self._ends[row["destination"]]]


def _within(row: Report, part: Report) -> bool:
    return row["source"] in part["sources"] and row["destination"] in part["destinations"]


def alternatives(unit: Report) -> Causes:
    return {frozenset(cause["object"] for cause in alternative["undo"]) for alternative in unit["causes"]}


def examine(made: Case) -> int:
    """How many groups and parts had their causes tried."""
    examined, tried = Examined(made), 0
    if len(examined.changed) > MOST_CHANGED:
        return 0
    for name, unit, pairs, ports in examined.units():
        said, tried = alternatives(unit), tried + 1
        if unit["causes_truncated"]:
            problems = [each for each in said if not examined.undoes(each, pairs, ports)]
        else:
            problems = sorted(said ^ examined.minimal(pairs, ports), key=sorted)
        if problems:
            shown = [sorted(each) for each in problems]
            pytest.fail(f"{name}: {shown} is said and does not hold, or holds and is not said\n{made.shown()}", pytrace=False)
    return tried


def edited_again(made: Case, times: int) -> Case:
    """The case with more edits, so that more objects bear on each change."""
    rng, head = Random(-made.seed), made.head
    for _ in range(times):
        head = mutate(rng, head)
    return replace(made, head=head, head_files=write(rng, head))


@pytest.mark.parametrize("start", [0, 20, *(pytest.param(start, marks=pytest.mark.slow) for start in range(40, 160, CHUNK))])
def test_the_alternatives_are_exactly_the_minimal_sets_that_undo_a_change(start: int) -> None:
    assert sum(examine(case(seed)) for seed in range(start, start + CHUNK)) > 0


@pytest.mark.parametrize("start", [0, *(pytest.param(start, marks=pytest.mark.slow) for start in range(CHUNK, 40, CHUNK))])
def test_the_alternatives_are_the_minimal_sets_where_many_edits_meet(start: int) -> None:
    assert sum(examine(edited_again(case(seed), 2)) for seed in range(start, start + CHUNK)) > 0

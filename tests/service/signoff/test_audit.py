"""The audit chain: whatever is done to a log that was written, verification finds it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from service.signoff.audit import START, AuditRow, chained, verify

Rows = list[AuditRow]


def log(*names: str) -> Rows:
    rows: Rows = []
    for number, name in enumerate(names, 1):
        rows.append(chained(number, rows[-1].hash if rows else START, {"actor": name, "what": "approve"}))
    return rows


def test_a_chain_as_written_is_whole() -> None:
    rows = log("ann", "bob", "cy")
    assert list(verify(rows, [rows[0].hash, rows[-1].hash])) == []
    assert rows[1].read() == {"actor": "bob", "what": "approve"}


def edit(rows: Rows) -> Rows:
    return [rows[0], replace(rows[1], entry=rows[1].entry.replace("bob", "eve")), *rows[2:]]


def edit_and_rehash(rows: Rows) -> Rows:
    return [rows[0], chained(2, rows[0].hash, {"actor": "eve", "what": "approve"}), *rows[2:]]


def renumber(rows: Rows) -> Rows:
    return [rows[0], *(replace(row, number=row.number - 1) for row in rows[2:])]


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (edit, "row 2 is not what it was"),
        (edit_and_rehash, "row 3 does not continue"),
        (lambda rows: [rows[0], *rows[2:]], "row 3 follows row 1"),
        (renumber, "does not continue"),
        (lambda rows: [rows[1], rows[0], *rows[2:]], "out of order"),
        (lambda rows: [*rows[:2], rows[1], *rows[2:]], "row 2 follows row 2"),
        (lambda rows: rows[1:], "row 2 follows row 0"),
        (lambda rows: rows[:-1], "published hash"),
        (lambda rows: [], "published hash"),
        (lambda rows: log("eve", "bob", "cy", "dan"), "published hash"),
    ],
)
def test_tampering_is_found(tamper: Callable[[Rows], Rows], said: str) -> None:
    rows = log("ann", "bob", "cy", "dan")
    found = list(verify(tamper(rows), [rows[-1].hash]))
    assert any(said in sentence for sentence in found)


def test_every_reordering_is_found() -> None:
    rows = log("ann", "bob", "cy")
    wrong = [list(order) for order in itertools.permutations(rows) if list(order) != rows]
    assert all(list(verify(order)) for order in wrong)

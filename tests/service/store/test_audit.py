"""The audit log: one order for all writers, whole as written, and nothing that happens to a row goes unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from service.signoff.audit import START, verify
from service.store import Store
from tests.service.store.conftest import Raw


def entry(actor: str, pull: int = 7, kind: str = "act") -> dict[str, Any]:
    return {"kind": kind, "forge": "github", "repository": "acme/shop", "pull": pull, "actor": actor}


def test_rows_are_chained_and_read_back(store: Store) -> None:
    assert store.newest_hash() == START
    rows = [store.append(entry(actor, pull)) for actor, pull in (("ann", 7), ("bob", 8), ("cy", 7))]
    assert [row.number for row in rows] == [1, 2, 3]
    assert list(store.audit_rows()) == rows
    assert [row.read()["actor"] for row in store.audit_of("github", "acme/shop", 7)] == ["ann", "cy"]
    assert store.newest_hash() == rows[-1].hash
    assert list(verify(store.audit_rows(), [row.hash for row in rows])) == []


def test_text_that_no_database_holds_survives(store: Store) -> None:
    row = store.append(entry("half a \ud800 pair, a \0 and an ü"))
    assert next(store.audit_rows()) == row
    assert list(verify(store.audit_rows())) == []


def test_writers_at_one_instant_are_rows_in_one_order(open_store: Callable[[], Store]) -> None:
    stores = [open_store(), open_store()]
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait()
        for turn in range(5):
            stores[number % 2].append(entry(f"{number}.{turn}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(stores[0].audit_rows())) == 20
    assert list(verify(stores[0].audit_rows())) == []


def test_a_row_can_depend_on_the_newest_of_its_kind(store: Store) -> None:
    where = {"kind": "decision", "forge": "github", "repository": "acme/shop", "pull": 7}
    store.append(entry("ann"))
    first = store.append_unless(lambda last: None if last else entry("first", kind="decision"), like=where)
    assert first is not None
    assert store.append_unless(lambda last: None if last and last["actor"] == "first" else entry("second"), like=where) is None
    assert len(list(store.audit_rows())) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET entry = replace(entry, 'bob', 'eve') WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
        "DELETE FROM audit WHERE number = 3",
        "UPDATE audit SET number = 4 - number WHERE number <> 2 AND number < 0 OR number = 3",
        "UPDATE audit SET number = 9 WHERE number = 1",
        "DELETE FROM audit",
    ],
)
def test_whatever_happens_to_a_row_is_found(store: Store, raw: Raw, statement: str) -> None:
    rows = [store.append(entry(actor)) for actor in ("ann", "bob", "cy")]
    if "4 - number" in statement:
        raw("DELETE FROM audit WHERE number = 1")
    raw(statement)
    assert list(verify(store.audit_rows(), [rows[-1].hash]))


def test_what_the_log_refers_to_is_not_pruned(store: Store, raw: Raw) -> None:
    kept, free = store.keep(b"flows"), store.keep(b"nobody's")
    store.append(entry("ann"), [kept, kept])
    raw("UPDATE contents SET kept = kept - 1000000")
    assert store.prune(1).contents == 1
    assert store.content(kept) == b"flows"
    assert free != kept


def test_what_comes_from_one_source_is_written_once(store: Store) -> None:
    first = store.append_once({**entry("ann"), "source": "comment 901"})
    assert store.append_once({**entry("bob", kind="refused"), "source": "comment 901"}) == first
    other = store.append_once({**entry("ann", pull=8), "source": "comment 901"})
    assert [row.number for row in store.audit_rows()] == [first.number, other.number]


@pytest.mark.parametrize("change", ["pull = 8", "kind = 'noted'", "repository = 'acme/other'", "number = -1"])
def test_a_row_that_stands_elsewhere_is_found(store: Store, raw: Raw, change: str) -> None:
    store.append(entry("ann"))
    assert store.misfiled() == []
    raw(f"UPDATE audit SET {change}")
    assert len(store.misfiled()) == 1

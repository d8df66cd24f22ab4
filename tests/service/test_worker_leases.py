"""The lease of a worker, over both kinds of database: kept by a thread, believed by the others, and never by two at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.jobs.lease import Lease
from service.settings import Settings
from service.store import Store
from tests.postgres import database_url, postgres
from tests.service.forge_in_memory import environment

__all__ = ["database_url", "postgres"]

LONG = 3_600.0


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[Store]:
    opened = Store.open(Settings.from_environment(environment(str(tmp_path), DATABASE_URL=database_url)))
    yield opened
    opened.close()


def never() -> None:
    raise AssertionError("the lease was not lost")


def lease(store: Store, name: str) -> Lease:
    """A lease that was taken."""
    taken = Lease(store, name, LONG, never)
    taken.take()
    return taken


def test_one_worker_has_a_role_at_a_time_and_keeps_it_while_it_lives(store: Store) -> None:
    first, second = lease(store, "first"), lease(store, "second")
    assert [first.holds("prune"), second.holds("prune"), first.holds("prune")] == [True, False, True]
    assert second.holds("reconcile")
    first.give_up()
    assert second.holds("prune")
    second.give_up()


def test_the_jobs_of_a_worker_that_gave_up_go_to_one_other(store: Store) -> None:
    dead, first, second = lease(store, "dead"), lease(store, "first"), lease(store, "second")
    assert (first.dead(), second.dead()) == ([], [])
    dead.give_up()
    assert (first.dead(), second.dead()) == (["dead"], [])
    first.buried("dead")
    assert (first.dead(), second.dead()) == ([], [])
    first.give_up()
    second.give_up()


def test_who_dies_while_moving_jobs_is_followed_by_another(store: Store) -> None:
    dead, first, second = lease(store, "dead"), lease(store, "first"), lease(store, "second")
    dead.give_up()
    assert first.dead() == ["dead"]
    first.give_up()
    assert sorted(second.dead()) == ["dead", "first"]
    second.give_up()


def test_a_role_is_no_worker_that_died(store: Store) -> None:
    first, second = lease(store, "first"), lease(store, "second")
    assert first.holds("prune")
    assert second.dead() == []
    first.give_up()
    second.give_up()


@pytest.mark.parametrize("moved", [False, True], ids=["claimed", "moved"])
def test_a_worker_whose_jobs_were_taken_is_told_once(store: Store, moved: bool) -> None:
    told, lost = list[None](), threading.Event()

    def hear() -> None:
        told.append(None)
        lost.set()

    other = lease(store, "other")
    paused = Lease(store, "paused", 0.4, hear)
    store.beat("paused", 0)
    assert other.dead() == ["paused"]
    if moved:
        other.buried("paused")
    paused._thread.start()  # it goes on as if it still had the lease
    assert lost.wait(30)
    paused._thread.join(30)
    assert len(told) == 1
    other.give_up()

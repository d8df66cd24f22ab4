"""Leases: a worker that says nothing is dead, and exactly one live worker gets its jobs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from service.store import Store
from tests.service.store.conftest import Raw

LONG = 1_000.0


def dies(raw: Raw, executor: str) -> None:
    """Let the lease of a worker run out."""
    raw(f"UPDATE leases SET until = until - 2000 WHERE executor = '{executor}'")


def test_a_worker_that_beats_lives(store: Store, raw: Raw) -> None:
    assert store.beat("a", LONG)
    assert store.expired() == []
    dies(raw, "a")
    assert store.expired() == ["a"]
    assert store.beat("a", LONG)
    assert store.expired() == []


def test_a_worker_that_leaves_leaves_nothing_to_take_over(store: Store, raw: Raw) -> None:
    store.beat("a", LONG)
    dies(raw, "a")
    store.leave("a")
    store.leave("a")
    assert store.expired() == []


def test_the_jobs_of_a_dead_worker_go_to_one_live_worker(store: Store, raw: Raw) -> None:
    for executor in "abc":
        store.beat(executor, LONG)
    dies(raw, "a")
    assert [store.claim("a", by) for by in "bcb"] == [True, False, True]
    assert store.expired() == ["a"]
    store.leave("a")
    assert not store.claim("a", "c")


def test_the_jobs_of_a_living_worker_go_to_nobody(store: Store) -> None:
    store.beat("a", LONG)
    store.beat("b", LONG)
    assert not store.claim("a", "b")
    assert not store.claim("never-seen", "b")


def test_a_worker_whose_jobs_were_claimed_does_not_come_back(store: Store, raw: Raw) -> None:
    store.beat("a", LONG)
    store.beat("b", LONG)
    dies(raw, "a")
    store.claim("a", "b")
    assert not store.beat("a", LONG)
    assert store.expired() == ["a"]


def test_a_dead_worker_claims_nothing(store: Store, raw: Raw) -> None:
    for executor in "abc":
        store.beat(executor, LONG)
    dies(raw, "a")
    dies(raw, "b")
    assert not store.claim("a", "b")
    assert not store.claim("a", "stranger")
    assert store.claim("b", "c")
    assert store.claim("a", "c")


def test_what_a_worker_claimed_before_it_died_another_may_claim(store: Store, raw: Raw) -> None:
    for executor in "abc":
        store.beat(executor, LONG)
    dies(raw, "a")
    assert store.claim("a", "b")
    dies(raw, "b")
    assert store.expired() == ["a", "b"]
    assert store.claim("a", "c")
    assert not store.claim("a", "b")


def test_of_many_that_claim_at_once_one_gets_the_jobs(store: Store, raw: Raw, open_store: Callable[[], Store]) -> None:
    names = [f"worker-{number}" for number in range(6)]
    stores = {name: open_store() for name in names}
    for name in names:
        store.beat(name, LONG)
    for round_number in range(10):
        dead = f"dead-{round_number}"
        store.beat(dead, LONG)
        dies(raw, dead)
        with ThreadPoolExecutor(len(names)) as pool:
            won = list(pool.map(lambda name, dead=dead: stores[name].claim(dead, name), names))
        assert won.count(True) == 1

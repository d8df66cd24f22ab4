"""The database: both or neither, once or not at all, and nothing lost between processes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.forges.port import WebhookEvent
from service.store import Acceptance, Request, Store, StoreError

EVENT = WebhookEvent("delivery-1", "pull_request", "opened", "acme/shop", 7, wanted=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "flowdelta.sqlite3")
    yield opened
    opened.close()


def test_a_delivery_becomes_one_request(store: Store) -> None:
    assert store.accept("github", EVENT) is Acceptance.QUEUED
    assert store.accept("github", EVENT) is Acceptance.SEEN
    assert store.undispatched() == [Request("acme/shop", 7, 1)]


def test_the_same_delivery_id_of_another_forge_is_another_delivery(store: Store) -> None:
    assert store.accept("github", EVENT) is Acceptance.QUEUED
    assert store.accept("gitea", EVENT) is Acceptance.QUEUED


def test_an_event_that_calls_for_nothing_makes_no_request(store: Store) -> None:
    assert store.accept("github", replace(EVENT, wanted=False)) is Acceptance.IGNORED
    assert store.undispatched() == []


def test_a_redelivery_asks_again_only_after_a_failure(store: Store) -> None:
    store.accept("github", EVENT)
    first = Request("acme/shop", 7, 1)
    store.finish(first, "done", "")
    assert store.accept("github", EVENT) is Acceptance.SEEN
    store.finish(first, "failed", "the forge was gone")
    assert store.accept("github", EVENT) is Acceptance.QUEUED
    assert store.is_newest(Request("acme/shop", 7, 2))
    assert not store.is_newest(first)


def test_of_several_requests_for_a_pull_request_the_newest_counts(store: Store) -> None:
    for number in range(3):
        store.accept("github", replace(EVENT, delivery=f"d{number}"))
    store.accept("github", replace(EVENT, delivery="other", number=8))
    assert store.undispatched() == [Request("acme/shop", 7, 3), Request("acme/shop", 8, 1)]
    store.dispatched(Request("acme/shop", 7, 3))
    assert store.undispatched() == [Request("acme/shop", 8, 1)]


def test_a_request_that_comes_while_one_is_dispatched_stays(store: Store) -> None:
    old = store.request("acme/shop", 7, "test")
    new = store.request("acme/shop", 7, "test")
    store.dispatched(old)
    assert store.undispatched() == [new]


def test_starts_are_counted_whether_or_not_they_ended(store: Store) -> None:
    request = store.request("acme/shop", 7, "test")
    assert [store.start(request) for _ in range(3)] == [1, 2, 3]
    store.attach(request, "sha256:a", "sha256:b")
    store.finish(request, "done", "No flow opens or closes")
    review = store.review(request.id)
    assert review is not None
    assert (review.state, review.reason, review.report, review.text) == ("done", "No flow opens or closes", "sha256:a", "sha256:b")
    assert store.review("0" * 16) is None


def test_contents_are_kept_once_under_their_hash(store: Store, tmp_path: Path) -> None:
    address = store.keep(b"report" * 1000)
    assert address == store.keep(b"report" * 1000)
    assert store.content(address) == b"report" * 1000
    with sqlite3.connect(tmp_path / "flowdelta.sqlite3") as raw:
        ((count, size),) = raw.execute("SELECT count(*), max(length(body)) FROM contents")
    raw.close()
    assert count == 1
    assert size < 1000
    with pytest.raises(StoreError):
        store.content("sha256:0")


def test_damaged_content_is_not_given_out(store: Store, tmp_path: Path) -> None:
    address, other = store.keep(b"true"), store.keep(b"false")
    with sqlite3.connect(tmp_path / "flowdelta.sqlite3") as raw:
        raw.execute("UPDATE contents SET body = (SELECT body FROM contents WHERE address = ?) WHERE address = ?", (other, address))
    raw.close()
    with pytest.raises(StoreError, match="damaged"):
        store.content(address)


def test_two_processes_open_a_new_database_at_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    failures: list[BaseException] = []

    def open_one() -> None:
        try:
            barrier.wait()
            Store(tmp_path / "new.sqlite3").close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_every_one_of_many_concurrent_deliveries_is_kept(tmp_path: Path) -> None:
    stores = [Store(tmp_path / "flowdelta.sqlite3") for _ in range(4)]
    outcomes: list[Acceptance] = []

    def send(store: Store, numbers: range) -> None:
        for number in numbers:
            outcomes.append(store.accept("github", replace(EVENT, delivery=f"d{number}", number=number % 5 + 1)))

    # Every delivery is sent twice, to two processes.
    ranges = [range(0, 50), range(25, 75), range(50, 100), [*range(75, 100), *range(0, 25)]]
    threads = [threading.Thread(target=send, args=pair) for pair in zip(stores, ranges, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Acceptance.QUEUED) == 100
    assert outcomes.count(Acceptance.SEEN) == 100
    assert [request.generation for request in stores[0].undispatched()] == [20] * 5
    for store in stores:
        store.close()


def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "flowdelta.sqlite3").close()
    with sqlite3.connect(tmp_path / "flowdelta.sqlite3") as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(StoreError, match="schema 99"):
        Store(tmp_path / "flowdelta.sqlite3")


def test_what_was_accepted_is_there_after_the_process_is_gone(tmp_path: Path) -> None:
    first = Store(tmp_path / "flowdelta.sqlite3")
    first.accept("github", EVENT)
    # Not closed: a killed process closes nothing.
    second = Store(tmp_path / "flowdelta.sqlite3")
    assert second.undispatched() == [Request("acme/shop", 7, 1)]
    for store in (first, second):
        store.close()

"""Retention: old and of no use goes, the newest review of a pull request and what it refers to never."""

from __future__ import annotations

import pytest

from service.store import Pruned, Request, Store, StoreError
from tests.service.store.conftest import Raw
from tests.service.store.events import FORGE, QUEUED, RERUN, SHOP, asked, event, pull, reviewed

_TIMES = {"deliveries": ["received"], "commands": ["received"], "pulls": ["seen"], "contents": ["kept"], "reviews": ["created", "updated"]}


def ages(raw: Raw, days: int) -> None:
    """Let days pass."""
    for table, columns in _TIMES.items():
        raw(f"UPDATE {table} SET " + ", ".join(f"{column} = {column} - 86400.0 * {days}" for column in columns))


def report_of(store: Store, request: Request) -> str:
    review = store.review(request.id)
    assert review is not None
    assert review.report is not None
    return review.report


def test_what_is_young_stays(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", RERUN))
    for _ in range(2):
        reviewed(store)
    ages(raw, 89)
    assert store.prune(90) == Pruned(0, 0, 0, 0, 0)


def test_zero_days_keep_everything(store: Store, raw: Raw) -> None:
    for _ in range(2):
        reviewed(store)
    ages(raw, 10_000)
    assert store.prune(0) == Pruned(0, 0, 0, 0, 0)
    assert len(store.reviews()) == 2


def test_old_deliveries_and_answered_commands_go(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", RERUN))
    ages(raw, 91)
    pruned = store.prune(90)
    assert (pruned.deliveries, pruned.commands) == (1, 0)
    (stored,) = store.undone_commands()
    store.command_done(stored.id, "seen")
    assert store.prune(90).commands == 1


def test_old_reviews_go_with_their_reports_but_never_the_newest(store: Store, raw: Raw) -> None:
    old, new = reviewed(store), reviewed(store)
    gone, kept = report_of(store, old), report_of(store, new)
    ages(raw, 91)
    pruned = store.prune(90)
    assert (pruned.reviews, pruned.contents) == (1, 2)
    assert [review.id for review in store.reviews()] == [new.id]
    assert store.content(kept)
    with pytest.raises(StoreError):
        store.content(gone)


def test_the_next_request_after_pruning_has_a_generation_of_its_own(store: Store, raw: Raw) -> None:
    last = [reviewed(store) for _ in range(3)][-1]
    ages(raw, 91)
    store.prune(90)
    assert asked(store).generation == last.generation + 1


def test_reviews_that_wait_or_run_stay_however_old(store: Store, raw: Raw) -> None:
    waiting, running = asked(store), asked(store)
    store.start(running)
    reviewed(store, 8)
    newest = asked(store)
    ages(raw, 91)
    store.prune(90)
    assert {waiting.id, running.id, newest.id} <= {review.id for review in store.reviews()}


def test_commits_of_a_merge_queue_are_all_newest_and_go_all_the_same(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", QUEUED))
    (request,) = store.undispatched()
    store.finish(request, "done", "")
    ages(raw, 91)
    assert store.prune(90).reviews == 1
    assert store.request(FORGE, SHOP, request.subject, "test").generation == 2


def test_content_that_two_reviews_share_stays_with_the_one_that_stays(store: Store, raw: Raw) -> None:
    address = store.keep(b"the same report")
    for _ in range(2):
        request = asked(store)
        store.attach(request, report=address, text=address, digest="d", complete=True, headline="")
        store.finish(request, "done", "")
    ages(raw, 91)
    assert (store.prune(90).reviews, store.content(address)) == (1, b"the same report")


def test_content_that_is_kept_again_before_anything_refers_to_it_stays(store: Store, raw: Raw) -> None:
    store.keep(b"report")
    ages(raw, 91)
    address = store.keep(b"report")
    assert store.prune(90).contents == 0
    assert store.content(address) == b"report"


def test_closed_pull_requests_are_forgotten_and_open_ones_are_not(store: Store, raw: Raw) -> None:
    store.saw(FORGE, pull(7, open=False), "b" * 40)
    store.saw(FORGE, pull(8), "b" * 40)
    ages(raw, 91)
    assert store.prune(90).pulls == 1
    assert [known.pull.number for known in store.pulls(FORGE, SHOP)] == [8]

"""Deliveries: recorded once, with everything they call for, or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from service.forges.port import BaseMoved, Command, Look, PipelineBegan, Queued, WebhookEvent
from service.store import Acceptance, Request, Store, StoreError, subject_of_queue
from tests.service.store.conftest import Raw
from tests.service.store.events import BOB, FORGE, QUEUED, RERUN, SHOP, event, pull


def test_a_delivery_becomes_one_request(store: Store) -> None:
    assert store.accept(FORGE, event("d-1")) is Acceptance.QUEUED
    assert store.accept(FORGE, event("d-1")) is Acceptance.SEEN
    assert store.undispatched() == [Request(FORGE, SHOP, "7", 1)]


def test_the_same_delivery_id_of_another_forge_is_another_delivery(store: Store) -> None:
    assert store.accept("github", event("d-1")) is Acceptance.QUEUED
    assert store.accept("work", event("d-1")) is Acceptance.QUEUED
    assert store.undispatched() == [Request("github", SHOP, "7", 1), Request("work", SHOP, "7", 1)]


def test_an_event_that_calls_for_nothing_is_recorded_and_ignored(store: Store, raw: Raw) -> None:
    assert store.accept(FORGE, WebhookEvent("d-1", "ping", "", SHOP)) is Acceptance.IGNORED
    assert store.undispatched() == []
    assert raw("SELECT delivery, kind FROM deliveries") == [("d-1", "ping")]


def test_one_delivery_may_call_for_several_things(store: Store, raw: Raw) -> None:
    assert store.accept(FORGE, event("d-1", Look(7), Look(8), QUEUED, BaseMoved("refs/heads/main"), RERUN)) is Acceptance.QUEUED
    subjects = ["7", "8", subject_of_queue(QUEUED)]
    assert sorted(request.subject for request in store.undispatched()) == subjects
    assert raw("SELECT count(*) FROM moves") == [(1,)]
    assert [stored.command for stored in store.undone_commands()] == [RERUN]


def test_the_request_of_a_merge_queue_carries_its_commits(store: Store) -> None:
    store.accept(FORGE, event("d-1", QUEUED))
    (request,) = store.undispatched()
    assert request.queued == QUEUED
    assert request.number is None
    review = store.review(request.id)
    assert review is not None
    assert review.number == 7


@pytest.mark.parametrize("state", ["queued", "done", "closed", "superseded"])
def test_a_redelivery_asks_for_nothing_unless_the_review_failed(store: Store, state: str) -> None:
    store.accept(FORGE, event("d-1"))
    store.finish(Request(FORGE, SHOP, "7", 1), state, "")
    assert store.accept(FORGE, event("d-1")) is Acceptance.SEEN
    assert store.is_newest(Request(FORGE, SHOP, "7", 1))


def test_a_redelivery_asks_again_for_what_failed_and_for_that_only(store: Store) -> None:
    calls = (Look(7), Look(8), BaseMoved("refs/heads/main"), RERUN)
    store.accept(FORGE, event("d-1", *calls))
    for stored in store.undone_commands():
        store.command_done(stored.id, "seen")
    store.finish(Request(FORGE, SHOP, "7", 1), "done", "")
    store.finish(Request(FORGE, SHOP, "8", 1), "failed", "the forge was gone")
    assert store.accept(FORGE, event("d-1", *calls)) is Acceptance.QUEUED
    assert store.is_newest(Request(FORGE, SHOP, "7", 1))
    assert store.is_newest(Request(FORGE, SHOP, "8", 2))
    assert not store.is_newest(Request(FORGE, SHOP, "8", 1))
    assert store.undone_commands() == []


def test_a_redelivery_looks_at_the_newest_review_of_the_subject(store: Store) -> None:
    store.accept(FORGE, event("d-1"))
    store.finish(Request(FORGE, SHOP, "7", 1), "failed", "the forge was gone")
    store.accept(FORGE, event("d-2"))
    store.finish(Request(FORGE, SHOP, "7", 2), "done", "")
    assert store.accept(FORGE, event("d-1")) is Acceptance.SEEN


def test_nothing_of_a_delivery_stays_where_a_part_of_it_cannot_be_written(store: Store, raw: Raw) -> None:
    raw("DROP TABLE commands")
    with pytest.raises(StoreError, match="commands"):
        store.accept(FORGE, event("d-1", Look(7), RERUN))
    assert raw("SELECT count(*) FROM deliveries") == [(0,)]
    assert store.undispatched() == []


@pytest.mark.parametrize(
    ("state", "head", "open", "asks"),
    [
        ("done", "c" * 40, True, True),
        ("running", "c" * 40, True, True),
        ("failed", "c" * 40, True, True),
        ("queued", "c" * 40, True, False),
        ("done", "d" * 40, True, False),
        ("done", "c" * 40, False, False),
    ],
)
def test_a_pipeline_asks_for_a_review_where_it_may_be_without_the_check(
    store: Store, state: str, head: str, open: bool, asks: bool
) -> None:
    request = store.request(FORGE, SHOP, "7", "test")
    store.saw(FORGE, pull(7, open=open, head_sha=head), "b" * 40)
    store.finish(request, state, "")
    store.accept(FORGE, event("pipeline-31", PipelineBegan("31", "c" * 40)))
    assert store.is_newest(request) is not asks


def test_a_pipeline_is_heard_once_also_where_the_review_that_it_asked_for_failed(store: Store) -> None:
    """The status of a review makes a pipeline take another step, of which it tells: they would go on for ever."""
    store.saw(FORGE, pull(7), "b" * 40)
    store.finish(store.request(FORGE, SHOP, "7", "test"), "done", "")
    for _ in range(3):
        store.accept(FORGE, event("pipeline-31", PipelineBegan("31", "c" * 40)))
        store.finish(Request(FORGE, SHOP, "7", 2), "failed", "")
    assert store.is_newest(Request(FORGE, SHOP, "7", 2))


def test_what_was_accepted_is_there_after_the_process_is_gone(store: Store, open_store: Callable[[], Store]) -> None:
    store.accept(FORGE, event("d-1"))
    # Not closed: a killed process closes nothing.
    assert open_store().undispatched() == [Request(FORGE, SHOP, "7", 1)]


def test_a_comment_is_one_command_however_many_deliveries_speak_of_it(store: Store) -> None:
    for delivery in ("d-1", "d-2"):
        store.accept(FORGE, event(delivery, RERUN))
    assert [stored.command for stored in store.undone_commands()] == [RERUN]


@pytest.mark.parametrize(
    "text", ["/flowdelta \0", "/flowdelta \ud800", "/flowdelta '; DROP TABLE reviews; --", "/flowdelta \N{SNAKE}" * 5_000]
)
def test_text_that_a_database_may_not_hold_fails_no_webhook(store: Store, text: str) -> None:
    assert store.accept(FORGE, event("d-1", Command(7, "c-1", BOB, text))) is Acceptance.QUEUED
    (stored,) = store.undone_commands()
    assert stored.command.text.startswith("/flowdelta ")
    assert "\0" not in stored.command.text
    assert store.accept(FORGE, WebhookEvent("d\0-2", "pull_request", "op\ud800ened", SHOP, (Look(7),))) is Acceptance.QUEUED
    assert store.accept(FORGE, WebhookEvent("d\0-2", "pull_request", "op\ud800ened", SHOP, (Look(7),))) is Acceptance.SEEN


@pytest.mark.parametrize("ref", ["refs/heads/" + "x/" * 50_000, "refs/heads/\0", "refs/heads/\ud800"])
def test_a_ref_that_no_branch_has_is_ignored_and_the_rest_is_not(
    store: Store, raw: Raw, caplog: pytest.LogCaptureFixture, ref: str
) -> None:
    with caplog.at_level(logging.WARNING):
        calls = (BaseMoved(ref), Queued("a" * 40, "b" * 40, ref, 7), Look(7))
        assert store.accept(FORGE, event("d-1", *calls)) is Acceptance.QUEUED
    assert [request.subject for request in store.undispatched()] == ["7"]
    assert raw("SELECT count(*) FROM moves") == [(0,)]
    assert len(caplog.records) == 2


def test_the_longest_ref_that_is_taken_fits_into_every_index(store: Store) -> None:
    ref = "refs/heads/" + "\N{SNAKE}" * 247
    assert store.accept(FORGE, event("d-1", BaseMoved(ref), Queued("a" * 64, "b" * 64, ref, 7))) is Acceptance.QUEUED
    (request,) = store.undispatched()
    assert request.queued is not None
    assert request.queued.head_ref == ref

"""Reviews: listed from the moment they are asked for, page by page, with what became of them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store import Figures, Request, Store, StoreError
from service.store.records import position
from tests.service.store.conftest import Raw
from tests.service.store.events import FORGE, QUEUED, SHOP, asked, event, reviewed


def test_a_request_is_listed_as_queued_at_once(store: Store) -> None:
    store.accept(FORGE, event("d-1"))
    (review,) = store.reviews()
    assert (review.request, review.number, review.state, review.cause) == (Request(FORGE, SHOP, "7", 1), 7, "queued", "pull_request opened")
    assert (review.starts, review.takeovers, review.report, review.complete) == (0, 0, None, None)
    assert review.created == pytest.approx(review.updated, abs=1)


def test_starts_and_takeovers_are_counted_whether_or_not_they_ended(store: Store) -> None:
    request = asked(store)
    assert [store.start(request) for _ in range(3)] == [1, 2, 3]
    assert [store.takeover(request) for _ in range(2)] == [1, 2]
    review = store.review(request.id)
    assert review is not None
    assert (review.state, review.starts, review.takeovers) == ("running", 3, 2)


def test_everything_that_is_noted_is_found_again(store: Store) -> None:
    request = asked(store)
    store.start(request)
    store.judged(request, "h" * 40, "b" * 40)
    store.attach(request, report="sha256:a", text="sha256:b", digest="d", complete=False, headline="1 flow opens")
    store.finish(request, "done", "it was \0 fine")
    review = store.review(request.id)
    assert review is not None
    assert (review.head_sha, review.base_sha, review.report, review.text) == ("h" * 40, "b" * 40, "sha256:a", "sha256:b")
    assert (review.digest, review.complete, review.headline) == ("d", False, "1 flow opens")
    assert (review.state, review.reason) == ("done", "it was \N{REPLACEMENT CHARACTER} fine")
    assert review.updated >= review.created


def test_a_note_about_a_review_that_nobody_asked_for_is_an_error(store: Store) -> None:
    stray = Request(FORGE, SHOP, "7", 1)
    for note in (lambda: store.start(stray), lambda: store.takeover(stray), lambda: store.finish(stray, "done", "")):
        with pytest.raises(StoreError, match="github:acme/shop#7"):
            note()
    assert store.reviews() == []
    assert store.review(stray.id) is None


def test_lists_are_narrowed_by_everything_that_is_said(store: Store) -> None:
    first, second = reviewed(store), asked(store, 8)
    other = store.request("work", "group/app", "7", "test")
    store.accept(FORGE, event("d-1", QUEUED))
    (queue,) = (request for request in store.undispatched() if request.queued)

    def ids(**narrowed: str | int) -> set[str]:
        return {review.id for review in store.reviews(**narrowed)}  # type: ignore[arg-type]

    assert ids() == {first.id, second.id, other.id, queue.id}
    assert ids(forge="work") == {other.id}
    assert ids(repository=SHOP) == {first.id, second.id, queue.id}
    assert ids(forge=FORGE, number=7) == {first.id, queue.id}
    assert ids(state="done") == {first.id}
    assert ids(forge="work", repository=SHOP) == set()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pages_hold_every_review_once_newest_first(store: Store, raw: Raw, size: int) -> None:
    requests = [asked(store, number) for number in range(1, 8)]
    # Some at the very same time: then the id decides.
    raw("UPDATE reviews SET created = 1000 WHERE number < 4")
    raw("UPDATE reviews SET created = 1000.123456789 + number WHERE number >= 4")
    found, before = [], None
    while page := store.reviews(before=before, limit=size):
        found += page
        before = page[-1].cursor
    assert [(review.created, review.id) for review in found] == sorted(((review.created, review.id) for review in found), reverse=True)
    assert sorted(review.id for review in found) == sorted(request.id for request in requests)


def test_a_review_that_comes_between_two_pages_shifts_nothing(store: Store) -> None:
    for number in range(1, 5):
        asked(store, number)
    first = store.reviews(limit=2)
    asked(store, 9)
    assert [review.number for review in store.reviews(before=first[-1].cursor)] == [2, 1]


@given(st.one_of(st.text(max_size=40), st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        position(cursor)


def test_the_last_judgement_of_a_pull_request_is_of_the_newest_review_that_ended_done(store: Store) -> None:
    assert store.last_judged(FORGE, SHOP, 7) is None
    for generation, state in enumerate(("done", "done", "failed", "superseded"), 1):
        request = asked(store)
        store.judged(request, f"head-{generation}", f"base-{generation}")
        store.finish(request, state, "")
    assert store.last_judged(FORGE, SHOP, 7) == ("head-2", "base-2")
    assert store.last_judged(FORGE, SHOP, 8) is None
    assert store.last_judged("work", SHOP, 7) is None


def test_a_review_that_ended_without_comparing_is_no_judgement(store: Store) -> None:
    store.finish(asked(store), "done", "from a fork")
    assert store.last_judged(FORGE, SHOP, 7) is None


def test_figures_of_an_idle_service_are_zero(store: Store) -> None:
    assert store.figures() == Figures(0, 0.0, 0, 0)
    reviewed(store)
    assert store.figures() == Figures(0, 0.0, 0, 0)


def test_figures_count_what_waits_runs_and_failed_of_late(store: Store, raw: Raw) -> None:
    waiting, _ = asked(store, 1), asked(store, 2)
    store.start(asked(store, 3))
    reviewed(store, 4, "failed")
    old = reviewed(store, 5, "failed")
    raw(f"UPDATE reviews SET created = created - 90 WHERE id = '{waiting.id}'")
    raw(f"UPDATE reviews SET updated = updated - 3601 WHERE id = '{old.id}'")
    figures = store.figures()
    assert (figures.waiting, figures.running, figures.failed) == (2, 1, 1)
    assert figures.oldest >= 90


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**63, 10**30, -(10**30)])
def test_a_number_that_no_pull_request_has_finds_nothing(store: Store, number: int) -> None:
    asked(store)
    assert store.reviews(number=number) == []

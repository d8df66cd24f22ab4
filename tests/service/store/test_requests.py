"""Requests: the newest of a subject counts, none is lost between asking and the job engine."""

from __future__ import annotations

from service.store import Request, Store
from tests.service.store.events import FORGE, SHOP, asked, event


def test_of_several_requests_for_a_pull_request_the_newest_counts(store: Store) -> None:
    for number in range(3):
        store.accept(FORGE, event(f"d-{number}"))
    other = asked(store, 8)
    assert store.undispatched() == [Request(FORGE, SHOP, "7", 3), other]
    store.dispatched(Request(FORGE, SHOP, "7", 3))
    assert store.undispatched() == [other]


def test_a_request_that_comes_while_one_is_dispatched_stays(store: Store) -> None:
    old, new = asked(store), asked(store)
    store.dispatched(old)
    assert store.undispatched() == [new]


def test_dispatching_twice_is_dispatching_once(store: Store) -> None:
    request = asked(store)
    for _ in range(2):
        store.dispatched(request)
    assert store.undispatched() == []
    review = store.review(request.id)
    assert review is not None
    assert review.state == "queued"


def test_what_a_newer_request_overtook_before_it_began_is_superseded(store: Store) -> None:
    old, new = asked(store), asked(store)
    store.dispatched(new)
    assert [(review.id, review.state) for review in store.reviews()] == [(new.id, "queued"), (old.id, "superseded")]


def test_dispatching_leaves_reviews_that_began_or_ended_alone(store: Store) -> None:
    running, failed, new = asked(store), asked(store), asked(store)
    store.start(running)
    store.finish(failed, "failed", "the forge was gone")
    store.dispatched(new)
    assert {review.id: review.state for review in store.reviews()} == {running.id: "running", failed.id: "failed", new.id: "queued"}


def test_subjects_do_not_mix(store: Store) -> None:
    same = [
        store.request(*subject, "test")
        for subject in ((FORGE, SHOP, "7"), ("work", SHOP, "7"), (FORGE, "acme/other", "7"), (FORGE, SHOP, "8"))
    ]
    assert {request.generation for request in same} == {1}
    assert store.undispatched() == same
    store.dispatched(same[0])
    assert store.undispatched() == same[1:]
    assert all(store.is_newest(request) for request in same)
    store.request(FORGE, SHOP, "7", "test")
    assert [store.is_newest(request) for request in same] == [False, True, True, True]

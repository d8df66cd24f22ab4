"""Many threads and several processes' stores at once: nothing is lost, nothing is doubled, nothing waits in a ring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from service.forges.port import BaseMoved, Call, Look
from service.store import Acceptance, Store
from tests.service.store.events import FORGE, asked, event

_STORES = 4


def test_every_one_of_many_concurrent_deliveries_is_kept_once(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(_STORES)]

    def send(turn: int) -> Acceptance:
        # Every delivery is sent twice, to two processes, at about the same time.
        number = turn // 2
        return stores[turn % _STORES].accept(FORGE, event(f"d-{number}", Look(number % 5 + 1)))

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(send, range(200)))
    assert outcomes == {Acceptance.QUEUED: 100, Acceptance.SEEN: 100}
    assert [request.generation for request in stores[0].undispatched()] == [20] * 5
    assert len(stores[0].reviews(limit=1_000)) == 100


def test_each_of_many_concurrent_requests_has_a_generation_of_its_own(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(_STORES)]
    with ThreadPoolExecutor(8) as pool:
        requests = list(pool.map(lambda turn: asked(stores[turn % _STORES]), range(100)))
    assert sorted(request.generation for request in requests) == list(range(1, 101))


def test_deliveries_that_name_the_same_pull_requests_in_any_order_do_not_block_each_other(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(_STORES)]

    def send(turn: int) -> Acceptance:
        numbers = range(1, 9) if turn % 2 else range(8, 0, -1)
        refs = ("main", "release") if turn % 3 else ("release", "main")
        calls: tuple[Call, ...] = (*map(Look, numbers), *(BaseMoved(f"refs/heads/{name}") for name in refs))
        return stores[turn % _STORES].accept(FORGE, event(f"d-{turn}", *calls))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(80))) == {Acceptance.QUEUED}
    assert [request.generation for request in stores[0].undispatched()] == [80] * 8


def test_dispatching_while_deliveries_come_loses_none(open_store: Callable[[], Store]) -> None:
    web, worker = open_store(), open_store()
    with ThreadPoolExecutor(4) as pool:
        coming = [pool.submit(web.accept, FORGE, event(f"d-{number}", Look(number % 3 + 1))) for number in range(60)]
        handed: set[tuple[str, int]] = set()
        while not all(future.done() for future in coming) or worker.undispatched():
            for request in worker.undispatched():
                worker.dispatched(request)
                handed.add((request.subject, request.generation))
    assert {("1", 20), ("2", 20), ("3", 20)} <= handed
    assert {review.state for review in web.reviews(limit=100) if (review.subject, review.generation) not in handed} <= {"superseded"}

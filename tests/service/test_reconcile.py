"""Reviews that nobody asked for: of what moved, and of what got lost. A real database and a forge in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from service.forges.port import BaseMoved, ForgeError, PullRequest, WebhookEvent
from service.review.reconcile import Reconciler, missed
from service.settings import Settings
from service.store import Request, Review, Store
from tests.service.forge_in_memory import ALICE, MAIN, ForgeInMemory, connected, environment

HEAD, BASE, OTHER = "a" * 40, "b" * 40, "c" * 40
SHOP = "acme/shop"


@dataclass
class Watch:
    """A reconciler with its database and its forge."""

    forge: ForgeInMemory
    store: Store
    reconciler: Reconciler
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def reviewed(self, pull: PullRequest, base: str = BASE, state: str = "done") -> Request:
        """A review of the pull request that has ended."""
        request = self.store.request("github", pull.repository, str(pull.number), "test")
        self.store.saw("github", pull, base)
        self.store.judged(request, pull.head_sha, base)
        self.store.finish(request, state, "")
        self.settle()
        return request

    def moved(self, ref: str = MAIN, repository: str = SHOP) -> None:
        """A webhook says that a branch has a new tip."""
        self.store.accept("github", WebhookEvent(f"push-{next(self.numbers)}", "push", "", repository, (BaseMoved(ref),)))

    def asked(self) -> list[str]:
        """The pull requests that a review was asked for and that is no job yet."""
        return sorted(request.subject for request in self.store.undispatched())

    def settle(self) -> None:
        """Make jobs of them."""
        for request in self.store.undispatched():
            self.store.dispatched(request)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    settings = Settings.from_environment(environment(str(tmp_path)))
    store, forge = Store.open(settings), ForgeInMemory()
    forge.tips[SHOP, MAIN] = BASE
    yield Watch(forge, store, Reconciler(settings, store, connected(settings, forge)))
    store.close()


def test_an_open_pull_request_that_was_never_reviewed_is_found(watch: Watch) -> None:
    watch.forge.open(7, HEAD)
    watch.forge.open(8, HEAD)
    watch.forge.close(8)
    watch.reconciler.reconcile()
    assert watch.asked() == ["7"]
    (review,) = watch.store.reviews()
    assert review.cause == "never reviewed"


def test_what_was_judged_as_it_is_now_is_left_alone(watch: Watch) -> None:
    watch.reviewed(watch.forge.open(7, HEAD))
    watch.reconciler.reconcile()
    assert watch.asked() == []


def test_a_push_whose_event_got_lost_is_found(watch: Watch) -> None:
    watch.reviewed(watch.forge.open(7, HEAD))
    watch.forge.open(7, OTHER)
    watch.reconciler.reconcile()
    assert watch.asked() == ["7"]


def test_a_base_that_moved_unheard_is_found(watch: Watch) -> None:
    watch.reviewed(watch.forge.open(7, HEAD))
    watch.forge.tips[SHOP, MAIN] = OTHER
    watch.reconciler.reconcile()
    assert watch.asked() == ["7"]


def test_looking_again_asks_no_second_time(watch: Watch) -> None:
    watch.forge.open(7, HEAD)
    for _ in range(3):
        watch.reconciler.reconcile()
        watch.settle()
    assert len(watch.store.reviews()) == 1


def test_repositories_of_an_owner_are_looked_at_once_they_were_seen(watch: Watch) -> None:
    watch.forge.tips["corp/one", MAIN] = BASE
    watch.forge.open(7, HEAD, repository="corp/one")
    watch.reconciler.reconcile()
    assert (watch.forge.listed, watch.asked()) == ([SHOP], [])
    watch.store.request("github", "corp/one", "1", "an event")
    watch.store.request("github", "elsewhere/two", "1", "served no more")
    watch.settle()
    watch.reconciler.reconcile()
    assert watch.forge.listed == [SHOP, SHOP, "corp/one"]
    assert watch.asked() == ["7"]


def test_a_forge_that_is_away_is_asked_at_the_next_round(watch: Watch) -> None:
    watch.forge.open(7, HEAD)
    watch.forge.down = ForgeError("away", retry=True)
    watch.reconciler.reconcile()
    assert watch.asked() == []
    watch.forge.down = None
    watch.reconciler.reconcile()
    assert watch.asked() == ["7"]


@pytest.mark.parametrize("what", ["repositories", "branches"])
def test_a_forge_that_is_away_is_left_alone_after_some_failures_in_a_row(watch: Watch, what: str) -> None:
    """Each may be a timeout, and meanwhile nobody looks after the other forges."""
    for number in range(6):
        watch.reviewed(watch.forge.open(number, HEAD, repository=f"corp/r{number}"))
        watch.moved(repository=f"corp/r{number}")
    watch.forge.down = ForgeError("away", retry=True)
    watch.forge.questions = 0
    watch.reconciler.reconcile() if what == "repositories" else watch.reconciler.follow()
    assert watch.forge.questions == 3


def test_failures_between_which_the_forge_answers_hide_no_other_repository(watch: Watch) -> None:
    names = [f"corp/r{number}" for number in range(8)]
    for number, name in enumerate(names):
        watch.reviewed(watch.forge.open(7, HEAD, repository=name))
        if number % 2:
            watch.forge.broken.add(name)
        watch.forge.tips[name, MAIN] = OTHER
    watch.reconciler.reconcile()
    assert watch.forge.listed == [SHOP, *names]


def test_a_branch_that_is_gone_hides_no_other_pull_request(watch: Watch) -> None:
    watch.forge.open(7, HEAD, base="refs/heads/gone")
    watch.forge.open(8, HEAD)
    watch.reconciler.reconcile()
    assert watch.asked() == ["8"]


def test_pull_requests_towards_a_branch_that_moved_are_reviewed_again(watch: Watch) -> None:
    watch.reviewed(watch.forge.open(7, HEAD))
    watch.reviewed(watch.forge.open(8, HEAD))
    watch.reviewed(watch.forge.open(9, HEAD, base="refs/heads/release"))
    watch.forge.tips[SHOP, MAIN] = OTHER
    watch.moved()
    watch.reconciler.follow()
    assert watch.asked() == ["7", "8"]
    watch.settle()
    watch.reconciler.follow()
    assert watch.asked() == []


def test_a_branch_that_moved_back_before_it_rested_changes_nothing(watch: Watch) -> None:
    watch.reviewed(watch.forge.open(7, HEAD))
    watch.moved()
    watch.reconciler.follow()
    assert watch.asked() == []


def test_a_branch_without_pull_requests_costs_no_question(watch: Watch) -> None:
    watch.forge.down = ForgeError("asked", retry=True)
    watch.moved("refs/heads/feature")
    watch.reconciler.follow()
    assert watch.store.due_moves() == []


def test_a_move_is_kept_while_the_forge_is_away(watch: Watch) -> None:
    watch.reviewed(watch.forge.open(7, HEAD))
    watch.forge.tips[SHOP, MAIN] = OTHER
    watch.moved()
    watch.forge.down = ForgeError("away", retry=True)
    watch.reconciler.follow()
    watch.forge.down = None
    watch.moved()  # nothing waits for the lease of the first attempt here
    watch.reconciler.follow()
    assert watch.asked() == ["7"]


PULL = PullRequest(SHOP, 7, True, False, MAIN, "refs/pull/7/head", HEAD, False, ALICE)


NEW = Review(
    id="0" * 16,
    forge="github",
    repository=SHOP,
    subject="7",
    number=7,
    generation=1,
    cause="test",
    state="queued",
    reason="",
    head_sha=None,
    base_sha=None,
    digest=None,
    complete=None,
    headline=None,
    report=None,
    text=None,
    starts=0,
    takeovers=0,
    created=0.0,
    updated=0.0,
)


def judged(state: str, head: str | None = HEAD, base: str | None = BASE, takeovers: int = 0) -> Review:
    return replace(NEW, state=state, head_sha=head, base_sha=base, takeovers=takeovers)


@pytest.mark.parametrize(
    ("newest", "cause"),
    [
        (None, "never reviewed"),
        (judged("queued", None, None), ""),
        (judged("running", None, None), ""),
        (judged("running"), ""),
        (judged("running", OTHER), "the head has moved"),
        (judged("running", HEAD, OTHER), "the base has moved"),
        (judged("done"), ""),
        (judged("done", OTHER), "the head has moved"),
        (judged("done", HEAD, OTHER), "the base has moved"),
        (judged("failed"), ""),
        (judged("failed", OTHER), "the head has moved"),
        (judged("failed", None, None), "the last review ended failed"),
        (judged("failed", None, None, takeovers=4), ""),
        (judged("closed", None, None), "the last review ended closed"),
        (judged("closed"), "the last review ended closed"),
        (judged("draft", None, None), "the last review ended draft"),
    ],
)
def test_what_was_missed(newest: Review | None, cause: str) -> None:
    assert missed(PULL, BASE, newest, drafts=True) == cause


def test_drafts_are_missed_only_where_they_are_reviewed() -> None:
    draft = replace(PULL, draft=True)
    assert missed(draft, BASE, None, drafts=True)
    assert not missed(draft, BASE, None, drafts=False)

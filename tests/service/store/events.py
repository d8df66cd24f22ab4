"""Deliveries as the tests of the store send them."""

from __future__ import annotations

from service.forges.port import Account, Call, Command, Look, PullRequest, Queued, WebhookEvent
from service.store import Request, Store

FORGE, SHOP = "github", "acme/shop"
BOB = Account("583231", "bob")
QUEUED = Queued("a" * 40, "b" * 40, "refs/heads/gh-readonly-queue/main/pr-7", 7)
RERUN = Command(7, "c-1", BOB, "/flowdelta rerun")


def event(delivery: str, *calls: Call) -> WebhookEvent:
    """A delivery about acme/shop; where nothing is said it calls for a look at pull request 7."""
    return WebhookEvent(delivery, "pull_request", "opened", SHOP, calls or (Look(7),))


def pull(number: int = 7, *, open: bool = True, base_ref: str = "refs/heads/main", head_sha: str = "c" * 40) -> PullRequest:
    """A pull request of acme/shop."""
    return PullRequest(SHOP, number, open, False, base_ref, f"refs/pull/{number}/head", head_sha, False, BOB)


def asked(store: Store, number: int = 7) -> Request:
    """One more request for a review of a pull request."""
    return store.request(FORGE, SHOP, str(number), "test")


def reviewed(store: Store, number: int = 7, state: str = "done") -> Request:
    """A review that ended."""
    request = asked(store, number)
    store.dispatched(request)
    store.start(request)
    report, text = store.keep(f"report {request.id}".encode()), store.keep(f"text {request.id}".encode())
    store.attach(request, report=report, text=text, digest="d" * 64, complete=True, headline="No flow opens or closes")
    store.finish(request, state, "")
    return request

"""The port to a forge: what a review needs from GitHub and its like, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from service.secret import Secret


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the forge knows it now. `head_ref` is the ref of the *base* repository that holds the head, also for a fork."""

    repository: str
    number: int
    open: bool
    base_ref: str
    head_ref: str
    head_sha: str
    fork: bool


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified delivery. `wanted` says whether it calls for a review; the event is only a hint to go and look."""

    delivery: str
    kind: str
    action: str
    repository: str
    number: int | None
    wanted: bool


class State(StrEnum):
    """The state of a commit status."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Status:
    """A commit status. `description` is cut to what the forge holds; `url` is empty where there is nothing to link."""

    state: State
    description: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """What git shows to the forge."""

    username: str
    password: Secret


class ForgeError(Exception):
    """The forge did not do what it was asked. `retry` says whether asking again can help, `retry_after` (seconds) when."""

    def __init__(self, message: str, *, retry: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message, self.retry, self.retry_after = message, retry, retry_after


class WebhookError(Exception):
    """A delivery that is refused. `reason` is a stable word, `status` the HTTP status of the answer."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


class Headers(Protocol):
    """The headers of a request. Names ignore case."""

    def get(self, key: str, default: str, /) -> str:
        """The value, or the default."""
        ...


class Receiver(Protocol):
    """Verifies and reads the webhooks of one forge."""

    name: str

    def receive(self, headers: Headers, body: bytes, secrets: tuple[Secret, ...]) -> WebhookEvent:
        """The event of a delivery. Raises `WebhookError`; nothing of the body is parsed before its signature holds."""
        ...


class Forge(Protocol):
    """One forge, seen by a review. Every write may be repeated without a second effect; every method may raise `ForgeError`."""

    @property
    def credential(self) -> Credential | None:
        """What git authenticates with."""
        ...

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """The pull request as it is now."""
        ...

    def clone_url(self, repository: str) -> str:
        """Where the repository is fetched from: the configured host and the repository's path, never what an event says."""
        ...

    def browse_url(self, repository: str) -> str:
        """Where people read the repository; empty where they cannot."""
        ...

    def refs_near(self, repository: str, commit: str) -> Iterator[str]:
        """Refs that may lead to a commit, the likeliest first; each is looked up when it is asked for."""
        ...

    def put_status(self, repository: str, sha: str, status: Status) -> None:
        """Set the commit status of `sha`; the last one set counts."""
        ...

    def put_comment(self, repository: str, number: int, body: str) -> None:
        """Make `body` the one comment of Flowdelta on the pull request: found by its marker and its author, updated in place."""
        ...

"""The port to a forge: what a review needs from GitHub and its like, and nothing else.

Every forge implements `Forge` and `Receiver`, and passes the one contract suite in tests/forges/contract.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from service.secret import Secret

MARKER = "<!-- flowdelta:report -->"
"""Finds our comment again. It goes in front of the text, where cutting or editing the end of a comment cannot lose it."""
_CONTEXT = "flowdelta"


def marker(context: str) -> str:
    """The marker of the comment that belongs to the check of a name: two configurations on one pull request have a comment each."""
    if context == _CONTEXT:
        return MARKER
    return f"<!-- flowdelta:report {hashlib.sha256(context.encode()).hexdigest()[:12]} -->"  # a name could end the marker


@dataclass(frozen=True, slots=True)
class Account:
    """Someone on the forge. `id` is the forge's own number, which survives a change of name; a bot is no person."""

    id: str
    name: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the forge knows it now; what GitLab calls a merge request is one too. Refs are full (`refs/heads/main`);
    `head_ref` is the ref of the *base* repository that holds the head, also for a fork."""

    repository: str
    number: int
    open: bool
    draft: bool
    base_ref: str
    head_ref: str
    head_sha: str
    fork: bool
    author: Account


@dataclass(frozen=True, slots=True)
class Look:
    """Go and look at a pull request: something about it may have changed."""

    number: int


@dataclass(frozen=True, slots=True)
class BaseMoved:
    """A branch has a new tip: pull requests towards it are judged against something new. `ref` is full."""

    ref: str


@dataclass(frozen=True, slots=True)
class Queued:
    """A merge queue made a commit of its own: what `head_sha` does to `base_sha`, compared as they are. `number` is the pull request that
    the queue names the branch for."""

    base_sha: str
    head_sha: str
    head_ref: str
    number: int | None


@dataclass(frozen=True, slots=True)
class PipelineBegan:
    """A pipeline of the forge began for a commit. Where what it shows decides on a merge, our check must be in it, and a pipeline that is
    younger than the review has none. `pipeline` is the forge's id of it."""

    pipeline: str
    head_sha: str


@dataclass(frozen=True, slots=True)
class Command:
    """A new comment that begins with `/flowdelta`. `comment` is the forge's id of it."""

    number: int
    comment: str
    author: Account
    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """Someone pressed a button of our check. `action` is the identifier that `Button` gave it, `head_sha` the commit of the check."""

    number: int
    account: Account
    action: str
    head_sha: str


Call = Look | BaseMoved | Queued | PipelineBegan | Command | Pressed
"""What a delivery calls for."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified delivery, and what it calls for: nothing, for most kinds. An event is a hint to go and look, never the truth.

    `delivery` is unique for the forge: what is sent again has the same one.
    """

    delivery: str
    kind: str
    action: str
    repository: str
    calls: tuple[Call, ...] = ()


class State(StrEnum):
    """How far a check is, and how it ended. A forge without one of them shows the nearest that does not let a merge pass."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark on a line of a file at the check's commit."""

    path: str
    line: int
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Button:
    """A button beside a check, where the forge has them. `action` comes back as `Pressed`: at most 20 of a-z, A-Z, 0-9, `-`, `_` and `:`.
    The label has at most 20 characters, the description 40."""

    label: str
    description: str
    action: str


@dataclass(frozen=True, slots=True)
class Check:
    """The check of one commit: a check run where the forge has them, else a commit status.

    `line` says it in one line and is cut to what the forge holds, `summary` is Markdown, `url` is empty where there is nothing to link.
    `subject` is the number of the pull request, so that a request to run the check again finds it, or empty; `ref` the branch or pull
    request that the commit is the head of, where the forge wants to know.
    """

    sha: str
    state: State
    line: str
    summary: str = ""
    url: str = ""
    annotations: tuple[Annotation, ...] = ()
    subject: str = ""
    ref: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """What git shows to the forge."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Contributors:
    """Who had a hand in a pull request beside its author: `accounts` are the ids of those who committed, authored, co-authored or pushed,
    as far as the forge knows; `strangers` are the emails (or names) of commits that lead to no account."""

    accounts: frozenset[str] = frozenset()
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenReview:
    """The review of a pull request that counts for one account now: whether it approves, the commit that was looked at (empty where the
    forge does not say), what tells it from an earlier one of the same account, and when it was given (seconds since 1970; None where the
    forge does not say)."""

    account: Account
    approves: bool
    commit: str
    id: str
    given: float | None


class Permission(StrEnum):
    """What an account may do in a repository."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Reaction(StrEnum):
    """The answer to a command at a glance."""

    SEEN = "seen"
    REFUSED = "refused"


class ForgeError(Exception):
    """The forge did not do what it was asked. `retry` says whether asking again can help, `retry_after` (seconds) when; `denied` that the
    credentials do not suffice."""

    def __init__(self, message: str, *, retry: bool, retry_after: float | None = None, denied: bool = False) -> None:
        super().__init__(message)
        self.message, self.retry, self.retry_after, self.denied = message, retry, retry_after, denied


DENIED = frozenset({401, 403, 404})
"""The statuses of answers for whom the credentials do not suffice: forges tell them, too, that there is no such thing."""


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
    """Verifies and reads the webhooks of one configured forge; it holds that forge's secrets."""

    def receive(self, headers: Headers, body: bytes, now: float) -> WebhookEvent:
        """The event of a delivery that came at `now` (seconds since 1970). Raises `WebhookError`; nothing of the body is parsed before its
        signature holds."""
        ...


class Forge(Protocol):
    """One forge, seen by a review. Every write may be repeated without a second effect; every method may raise `ForgeError`."""

    @property
    def comment_limit(self) -> int:
        """Characters that a comment may have, its marker included."""
        ...

    def credential(self, repository: str) -> Credential | None:
        """What git authenticates with; None where nothing is needed."""
        ...

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """The pull request as it is now."""
        ...

    def open_pull_requests(self, repository: str) -> Iterator[PullRequest]:
        """Every open pull request, all pages of them."""
        ...

    def tip(self, repository: str, ref: str) -> str:
        """The commit that a branch (`refs/heads/…`) points at now."""
        ...

    def clone_url(self, repository: str) -> str:
        """Where the repository is fetched from: the configured host and the repository's path, never what an event says."""
        ...

    def source_url(self, repository: str) -> str:
        """Where people read a line of a file, with the fields `{commit}`, `{path}` and `{line}`; empty where they cannot."""
        ...

    def refs_near(self, repository: str, commit: str) -> Iterator[str]:
        """Refs that may lead to a commit, the likeliest first; each is looked up when it is asked for."""
        ...

    def put_check(self, repository: str, check: Check) -> None:
        """Make `check` the one check of Flowdelta on its commit."""
        ...

    def put_comment(self, repository: str, number: int, body: str) -> None:
        """Make `body` the one comment of Flowdelta on the pull request: found by its marker and its author, updated in place."""
        ...

    def permission(self, repository: str, account: Account) -> Permission:
        """What the account may do in the repository now."""
        ...

    def answer(self, repository: str, command: Command, reaction: Reaction, reply: str = "") -> None:
        """Answer a command: a reaction, and where `reply` is not empty one comment, which a second call does not double."""
        ...

    def contributors(self, repository: str, number: int) -> Contributors:
        """Who had a hand in the pull request, by all of its commits. Raises `ForgeError` where not all of them can be seen."""
        ...

    def members(self, repository: str, group: str, accounts: Collection[Account]) -> frozenset[str]:
        """The ids of those of `accounts` that are in a group now: a team (`owner/team`, or `team` of the repository's owner), or on GitLab
        a group by its path. A group that does not exist, or that may not be seen, is a `ForgeError`: nobody is known to be in it."""
        ...

    def reviews(self, repository: str, number: int) -> tuple[GivenReview, ...]:
        """The reviews of the pull request that count now, one for each account; empty where the forge has none."""
        ...

    def request_review(self, repository: str, number: int, groups: Collection[str]) -> None:
        """Ask groups for a review, where the forge can; asking again changes nothing."""
        ...

    def put_labels(self, repository: str, number: int, present: Collection[str], absent: Collection[str]) -> None:
        """Make labels present and others absent; all other labels are left alone."""
        ...

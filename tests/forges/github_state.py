"""What the stand-in for GitHub keeps: pull requests, comments, statuses, check runs, and the calls that arrived."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BOT, BOT_ID = "flowdelta-bot", 4242
PERSON, PERSON_ID = "octocat", 1

User = tuple[str, int]
"""A login and an id. A login that ends in `[bot]` belongs to an App."""


@dataclass(frozen=True)
class Signed:
    """A name in a commit; `user` is the account that has the email, if any has."""

    name: str
    email: str
    user: User | None = None


@dataclass(frozen=True)
class Commit:
    """A commit of a pull request."""

    sha: str
    author: Signed
    committer: Signed
    message: str = "A change"


@dataclass
class Review:
    """A review; `state` is APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED."""

    number: int
    user: User | None
    state: str
    commit: str | None


@dataclass(frozen=True)
class Push:
    """A push to a branch, of the kind that GitHub calls its activity."""

    ref: str
    before: str
    after: str
    actor: User | None
    kind: str = "push"


@dataclass
class Pull:
    """A pull request. `head_repository` names a fork, and is None for one that was deleted; `author` is None for a deleted account.
    `asked` are the teams that were asked for a review, once for each time."""

    number: int
    base: str
    head_sha: str
    base_sha: str = "0" * 40
    state: str = "open"
    head_repository: str | None = ""
    draft: bool = False
    author: User | None = (PERSON, PERSON_ID)
    commits: list[Commit] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@dataclass
class Comment:
    """A comment. `author` is None for a deleted account; `reactions` are who reacted, and how."""

    number: int
    issue: int
    author: User | None
    body: str
    reactions: list[tuple[User, str]] = field(default_factory=list)


@dataclass
class CheckRun:
    """A check run. `values` is what calls said of it, its output apart, which is in `output`; remarks only ever become more. No answer
    tells of the buttons."""

    number: int
    name: str
    head_sha: str
    app: int
    values: dict[str, Any]
    output: dict[str, Any] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    buttons: list[dict[str, str]] = field(default_factory=list)

    @property
    def completed(self) -> bool:
        """Whether it has ended."""
        return self.values.get("status") == "completed"

    @property
    def state(self) -> str:
        """How far it is: its conclusion once it has one."""
        return str(self.values.get("conclusion") if self.completed else self.values.get("status", "queued"))


@dataclass(frozen=True)
class Caller:
    """Who makes a call: a `user` with a token, an `app` with its key, or an `installation` of the App `app` with a token of its own."""

    kind: str
    user: User
    rights: dict[str, str] | None = None
    app: int = 0
    writes: bool = True


NOBODY = Caller("nobody", ("", 0))


@dataclass
class Call:
    """A call that arrived."""

    method: str
    path: str
    body: Any
    status: int = 0
    query: dict[str, str] = field(default_factory=dict)
    caller: Caller = NOBODY


@dataclass
class Repository:
    """What is kept of a repository. `branches` maps names to commits, `permissions` logins to what the account with that id may do;
    `pushes` are the oldest first."""

    name: str
    number: int
    default_branch: str = "main"
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    checks: list[CheckRun] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    permissions: dict[str, tuple[int, str]] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)


class Refused(Exception):
    """An answer that reports an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

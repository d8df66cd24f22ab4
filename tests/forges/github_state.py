"""What the stand-in for GitHub keeps: pull requests, comments, statuses, and the calls that arrived."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BOT, BOT_ID = "flowdelta-bot", 4242
PERSON, PERSON_ID = "octocat", 1


@dataclass
class Pull:
    """A pull request. `head_repository` is another name for a fork, None for one that was deleted."""

    number: int
    base: str
    head_sha: str
    base_sha: str = "0" * 40
    state: str = "open"
    head_repository: str | None = ""


@dataclass
class Comment:
    """A comment. `author` is a user's login and id, None for a deleted account."""

    number: int
    issue: int
    author: tuple[str, int] | None
    body: str


@dataclass
class Call:
    """A call that arrived."""

    method: str
    path: str
    body: Any
    status: int = 0


@dataclass
class Repository:
    """What is kept of a repository. `branches` maps names to commits."""

    name: str
    number: int
    default_branch: str = "main"
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An answer that reports an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

"""What the database gives out: one frozen value for each kind of row."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum

from service.forges.port import Command, PullRequest
from service.store.values import Request

_ACCOUNT = re.compile(r"([a-z][a-z0-9]{0,30}):([0-9]{1,20}):([A-Za-z0-9][A-Za-z0-9._-]{0,99})")
_CURSOR = re.compile(r"([0-9]{1,15}\.[0-9]{1,20}):([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class StoredInventory:
    """The newest snapshot of a cluster: the address of its content, how many objects it has, and when it says that it was taken and was
    uploaded, in seconds since 1970."""

    forge: str
    repository: str
    cluster: str
    content: str
    objects: int
    taken: float | None
    uploaded: float


@dataclass(frozen=True, slots=True)
class Review:
    """What is known of one review, from the moment it is asked for.

    `state` is queued, running, or how it ended. `report` and `text` are the addresses of its JSON and Markdown reports; they, the commits
    that were compared and what the analysis said are None until they are known. Times are seconds since 1970.
    """

    id: str
    forge: str
    repository: str
    subject: str
    number: int | None
    generation: int
    cause: str
    state: str
    reason: str
    head_sha: str | None
    base_sha: str | None
    digest: str | None
    complete: bool | None
    headline: str | None
    report: str | None
    text: str | None
    starts: int
    takeovers: int
    created: float
    updated: float

    @property
    def request(self) -> Request:
        """The request that it answers."""
        return Request(self.forge, self.repository, self.subject, self.generation)

    @property
    def cursor(self) -> str:
        """Where a list that ends with this review goes on: what `Store.reviews` takes as `before`."""
        return base64.urlsafe_b64encode(f"{self.created!r}:{self.id}".encode()).decode().rstrip("=")


def position(cursor: str) -> tuple[float, str]:
    """The time and id of the review that a cursor names. Raises `ValueError` for what is no cursor."""
    try:
        text = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError):
        raise ValueError("no cursor of a list of reviews") from None
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise ValueError("no cursor of a list of reviews")
    return float(match[1]), match[2]


@dataclass(frozen=True, slots=True)
class KnownPull:
    """What the forge last said of a pull request, the tip of its base branch then, and when (seconds since 1970)."""

    forge: str
    pull: PullRequest
    base_sha: str
    seen: float


@dataclass(frozen=True, slots=True)
class Move:
    """A branch whose pull requests are to be reviewed again. `delivery` tells this move from a later one of the same branch."""

    forge: str
    repository: str
    ref: str
    delivery: str


@dataclass(frozen=True, slots=True)
class StoredCommand:
    """A command that waits for its answer."""

    forge: str
    repository: str
    command: Command
    id: int


class Scope(StrEnum):
    """What a token of the API is good for."""

    READ = "read"
    ANALYSE = "analyse"
    SIGNOFF = "signoff"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """The account of a forge that a token speaks for when it signs off."""

    forge: str
    id: str
    name: str

    @classmethod
    def parse(cls, text: str) -> TokenAccount:
        """From `forge:id:name`. Raises `ValueError`."""
        match = _ACCOUNT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:60]!r} is no account; write it as FORGE:ID:NAME, with the number that the forge gave the account")
        return cls(match[1], match[2], match[3])

    def __str__(self) -> str:
        return f"{self.forge}:{self.id}:{self.name}"


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the API; of its text only the digest is stored, and that is not given out. Times are seconds since 1970. `account` is whom
    it speaks for."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created: float
    expires: float | None
    revoked: float | None
    used: float | None
    account: TokenAccount | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the API that is answered later. `state` is running, done or failed; then `status`, `reason` and `detail` say why.
    `result` is the address of the answer and `type` its media type."""

    id: str
    kind: str
    state: str
    status: int
    reason: str
    detail: str
    type: str
    result: str | None
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Figures:
    """How busy the service is: reviews that wait, the age of the oldest of them in seconds, reviews that run, and reviews that failed
    within the last hour."""

    waiting: int
    oldest: float
    running: int
    failed: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of each kind were deleted."""

    deliveries: int
    commands: int
    reviews: int
    pulls: int
    contents: int

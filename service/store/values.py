"""What the database speaks of: requests for a review, reviews, and what became of a delivery."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from service.forges.port import Queued

_QUEUED = re.compile(r"queue:([0-9a-f]{40,64}):([0-9a-f]{40,64}):([0-9]*):(.+)")


class Acceptance(StrEnum):
    """What became of a delivery."""

    QUEUED = "queued"
    SEEN = "already seen"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a review. `forge` and `repository` are spelled as in the settings, so that one pull request has one name.

    `subject` is the number of a pull request, or what `subject_of_queue` makes of a commit of a merge queue. The generation counts the
    requests of one subject: the highest is the one that matters.
    """

    forge: str
    repository: str
    subject: str
    generation: int

    @property
    def lane(self) -> str:
        """What reviews of the same subject share; one of them runs at a time."""
        return f"{self.forge}:{self.repository}#{self.subject}"

    @property
    def job(self) -> str:
        """The id of the job: the same request never becomes two jobs."""
        return f"review:{self.lane}:{self.generation}"

    @property
    def id(self) -> str:
        """What logs, comments and links call the review."""
        return hashlib.sha256(self.job.encode()).hexdigest()[:16]

    @property
    def number(self) -> int | None:
        """The pull request, or None for a commit of a merge queue."""
        return int(self.subject) if self.subject.isdecimal() else None

    @property
    def queued(self) -> Queued | None:
        """The commit of a merge queue, or None for a pull request."""
        match = _QUEUED.fullmatch(self.subject)
        return Queued(match[1], match[2], match[4], int(match[3]) if match[3] else None) if match else None


def subject_of_queue(queued: Queued) -> str:
    """The subject of a commit of a merge queue."""
    number = "" if queued.number is None else queued.number
    return f"queue:{queued.base_sha}:{queued.head_sha}:{number}:{queued.head_ref}"

"""The comments of our account on one pull request, wherever it is: one for each marker, whatever was lost or doubled before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment of our account. `id` is the forge's; a higher one is younger."""

    id: int
    body: str


class Thread(Protocol):
    """The comments of one pull request, as a forge lists and changes them."""

    def own(self) -> Iterable[Remark]:
        """Every comment of our account, whatever it says."""
        ...

    def create(self, body: str) -> None:
        """Write another comment."""
        ...

    def edit(self, remark: Remark, body: str) -> None:
        """Give a comment another text."""
        ...

    def delete(self, remark: Remark) -> None:
        """Take a comment away."""
        ...


def put(thread: Thread, marker: str, body: str) -> None:
    """Make `body` below `marker` the one comment of ours that begins with the marker.

    By author, because anyone can copy a marker, and by marker, because the account may write by hand. Of several, which two creations
    at once could leave, the oldest is kept. What is there is looked up first, so a creation whose answer was lost is not repeated.
    """
    text, found = f"{marker}\n{body}", _marked(thread, marker)
    if not found:
        thread.create(text)
    elif found[0].body.rstrip() != text.rstrip():
        thread.edit(found[0], text)
    for double in found[1:]:
        thread.delete(double)


def reply_marker(comment: str) -> str:
    """Marks the reply to a comment, so that it is given once."""
    return f"<!-- flowdelta:reply {comment} -->"


def _marked(thread: Thread, marker: str) -> list[Remark]:
    return sorted((remark for remark in thread.own() if remark.body.startswith(marker)), key=lambda remark: remark.id)

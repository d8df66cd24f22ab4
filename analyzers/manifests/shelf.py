"""Shelves: what was read from a file before, by its content and path, so that the same file is never parsed twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from analyzers.model.diagnostics import Diagnostic

Item = TypeVar("Item")


class FileReading(Struct, Generic[Item], frozen=True, array_like=True):
    """What one file holds, in the order written. `template_line` is where its template syntax begins, if that kept a document from being
    read; `nodes` is how many values were read, aliases expanded; `size` is that of the file in bytes."""

    found: tuple[Item, ...]
    diagnostics: tuple[Diagnostic, ...]
    template_line: int | None = None
    nodes: int = 0
    size: int = 0


class ShelfKey(Struct, frozen=True):
    """One file: the id of its content and its path, which diagnostics and origins name."""

    content_id: str
    path: str


class Shelf(Protocol[Item]):
    """Keeps readings. It may forget any of them, and never gives one for another key."""

    def recall(self, keys: Iterable[ShelfKey]) -> Mapping[ShelfKey, FileReading[Item]]:
        """Those of the readings that are known."""
        ...

    def keep(self, readings: Mapping[ShelfKey, FileReading[Item]]) -> None:
        """Remember readings."""
        ...


class MemoryShelf(Generic[Item]):
    """Remembers everything for as long as it lives, in front of a shelf that remembers longer. Serves the two sides of one comparison."""

    def __init__(self, behind: Shelf[Item] | None = None) -> None:
        self._behind = behind
        self._known: dict[ShelfKey, FileReading[Item]] = {}

    def recall(self, keys: Iterable[ShelfKey]) -> Mapping[ShelfKey, FileReading[Item]]:
        """Those of the readings that are known here or behind."""
        wanted = list(keys)
        if self._behind is not None:
            self._known.update(self._behind.recall([key for key in wanted if key not in self._known]))
        return {key: self._known[key] for key in wanted if key in self._known}

    def keep(self, readings: Mapping[ShelfKey, FileReading[Item]]) -> None:
        """Remember readings, here and behind."""
        self._known.update(readings)
        if self._behind is not None:
            self._behind.keep(readings)


def content_id_of(data: bytes) -> str:
    """The id of content that its tree does not name. Never equal to a git blob id."""
    return "b2:" + hashlib.blake2b(data, digest_size=20).hexdigest()

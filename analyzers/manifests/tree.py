"""Trees: a folder, a git revision or an archive, seen as paths with contents. Reading one is the only I/O of the analysis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class EntryKind(StrEnum):
    """What stands at a path."""

    FILE = "file"
    LINK = "link"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a tree. `path` is relative with `/`; `size` is in bytes; `content_id` names the content (a git blob id),
    is equal only for equal bytes and is empty where it is not known without reading; for a link `target` is where it points, as written."""

    path: str
    kind: EntryKind
    size: int
    content_id: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Content that a tree lists and cannot give: a blob missing from a mirror, a file without permission."""

    reason: str


class Tree(Protocol):
    """A readable set of files."""

    def entries(self) -> Iterable[Entry]:
        """Every path below the tree's root, in any order; `.git` is never listed."""
        ...

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """The content of each given file entry, in the order given, as a stream."""
        ...


class EmptyTree:
    """A tree without a file: a folder on the side of a comparison that does not have it yet."""

    def entries(self) -> Iterable[Entry]:
        """Nothing."""
        return ()

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """Nothing, since nothing is listed."""
        return iter(())

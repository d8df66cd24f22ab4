"""Trees: a folder, a git revision or an archive, seen as paths with contents. Reading one is the only I/O of the analysis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct


class EntryKind(StrEnum):
    """What stands at a path."""

    FILE = "file"
    LINK = "link"
    SUBMODULE = "submodule"


class Entry(Struct, frozen=True):
    """One path of a tree. `path` is relative with `/`; `size` is in bytes; `content_id` names the content (a git blob id),
    is equal only for equal bytes and is empty where it is not known without reading; for a link `target` is where it points, as written."""

    path: str
    kind: EntryKind
    size: int
    content_id: str
    target: str = ""


class Unreadable(Struct, frozen=True):
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


class Change(Struct, frozen=True):
    """What differs between two trees at one path; None where a tree has nothing there. The size of an entry is 0 where it is not known."""

    path: str
    base: Entry | None
    head: Entry | None


@runtime_checkable
class VersionedTree(Tree, Protocol):
    """A tree of a store that can tell two trees apart without listing them."""

    @property
    def name(self) -> str:
        """Names the content of the whole tree: never the same for trees that differ."""
        ...

    def changes_from(self, base: Tree, most: int) -> Sequence[Change] | None:
        """Every path whose content or kind differs in `base`, in any order; None where there are more than `most`, or they cannot be
        told."""
        ...


class PartialTree(Struct, frozen=True):
    """Some files of a tree, and nothing else."""

    whole: Tree
    files: tuple[Entry, ...]

    def entries(self) -> Iterable[Entry]:
        """The files."""
        return self.files

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """Their content, from the whole tree."""
        return self.whole.read(entries)


class EmptyTree:
    """A tree without a file: a folder on the side of a comparison that does not have it yet."""

    def entries(self) -> Iterable[Entry]:
        """Nothing."""
        return ()

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """Nothing, since nothing is listed."""
        return iter(())

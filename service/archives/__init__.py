"""Uploaded archives of manifests as trees. Everything stays in memory: nothing is written to disk, nothing is followed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from analyzers.manifests.tree import Entry, Unreadable
from service.archives.errors import REASONS, ArchiveError
from service.archives.inflate import inflate
from service.archives.members import ArchiveLimits, Members
from service.archives.tar import read_tar
from service.archives.zip import is_zip, read_zip

__all__ = ["REASONS", "ArchiveError", "ArchiveLimits", "ArchiveTree"]

_HEADERS = 1_024  # bytes that a tar archive spends on a member besides its content, about


class ArchiveTree(Struct, frozen=True):
    """The files of an archive; a `Tree`. Paths are as the archive has them, with its top folder if it has one."""

    _entries: tuple[Entry, ...]
    _contents: Mapping[str, memoryview]

    @classmethod
    def from_bytes(cls, data: bytes, limits: ArchiveLimits | None = None) -> ArchiveTree:
        """Reads a whole archive: tar (plain, gzip, bzip2, xz) or zip, told by its bytes and not by a name. Raises `ArchiveError`."""
        members = Members(limits or ArchiveLimits())
        if not data:
            raise ArchiveError("not-an-archive", "the archive is empty: it has no bytes at all")
        if is_zip(data):
            read_zip(data, members)
        else:
            read_tar(inflate(data, members.limits.total_bytes + members.limits.members * _HEADERS), members)
        return cls(tuple(members.entries), members.contents)

    def entries(self) -> Iterable[Entry]:
        """Every path, in the order of the archive."""
        return self._entries

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """The content of each entry."""
        for entry in entries:
            content = self._contents.get(entry.path)
            yield entry, Unreadable("the archive has no such file") if content is None else bytes(content)

"""What an archive may hold: caps, paths that stay inside, one member for each path."""

from __future__ import annotations

import hashlib
import posixpath
import re

from msgspec import Struct, field

from analyzers.manifests.tree import Entry, EntryKind
from service.archives.errors import ArchiveError

MEBIBYTE = 2**20
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST_TARGET = 4_096


class ArchiveLimits(Struct, frozen=True):
    """Caps on one archive: its members, their bytes together and each (unpacked), and the bytes of a path."""

    members: int = 20_000
    total_bytes: int = 128 * MEBIBYTE
    member_bytes: int = 16 * MEBIBYTE
    path_bytes: int = 1_024


class Members(Struct):
    """Takes in members one by one and refuses the first that breaks a rule. Only used while an archive is read."""

    limits: ArchiveLimits
    entries: list[Entry] = field(default_factory=list)
    contents: dict[str, memoryview] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _folders: set[str] = field(default_factory=set)
    _count: int = 0
    _bytes: int = 0

    def admit(self, name: str, size: int) -> str:
        """The path of a member, before its content is read; "" when it is no part of the tree (the top folder, or inside `.git`)."""
        path = self._path(name)
        self._count += 1
        if self._count > self.limits.members:
            raise ArchiveError("too-many-members", f"the archive has more than {self.limits.members} members")
        if size > self.limits.member_bytes:
            raise ArchiveError("too-large", f"{shown(name)} holds more than {self.limits.member_bytes} bytes")
        self._bytes += size
        if self._bytes > self.limits.total_bytes:
            raise ArchiveError("too-large", f"the archive holds more than {self.limits.total_bytes} bytes")
        return "" if any(segment.lower() == ".git" for segment in path.split("/")) else path

    def folder(self, path: str) -> None:
        """Notes a folder. It may be named again, unlike a file, and never where a file stands."""
        self._claim_folders(f"{path}/")

    def file(self, path: str, content: memoryview) -> None:
        """Takes a file."""
        self._claim(path)
        self.entries.append(Entry(path, EntryKind.FILE, len(content), f"sha256:{hashlib.sha256(content).hexdigest()}"))
        self.contents[path] = content

    def link(self, path: str, target: str) -> None:
        """Takes a link, which is never followed; a target longer than any file system takes reads as empty."""
        self._claim(path)
        known = target if len(target) <= _LONGEST_TARGET else ""
        self.entries.append(Entry(path, EntryKind.LINK, len(target.encode("utf-8", "replace")), "", text(known)))

    def hard_link(self, path: str, target: str) -> None:
        """Takes a hard link as a link to the other name; its target, given from the top of the archive, is made relative to `path`."""
        self.link(path, posixpath.relpath(self._path(target) or ".", posixpath.dirname(path) or "."))

    def _claim(self, path: str) -> None:
        if path in self._taken or path in self._folders:
            raise ArchiveError("duplicate-path", f"{shown(path)} is in the archive more than once")
        self._taken.add(path)
        self._claim_folders(path)

    def _claim_folders(self, path: str) -> None:
        """Notes every folder above `path`."""
        end = path.rfind("/")
        while end > 0 and path[:end] not in self._folders:
            if path[:end] in self._taken:
                raise ArchiveError("duplicate-path", f"{shown(path[:end])} is both a file and a folder in the archive")
            self._folders.add(path[:end])
            end = path.rfind("/", 0, end)

    def _path(self, name: str) -> str:
        problem = self._problem(name)
        if problem:
            raise ArchiveError("unsafe-path", f"the member {shown(name)} {problem}")
        return text("/".join(segment for segment in name.split("/") if segment not in ("", ".")))

    def _problem(self, name: str) -> str:
        rules = (
            (not name, "has no name"),
            (
                len(name.encode("utf-8", "surrogateescape")) > self.limits.path_bytes,
                f"has a path of more than {self.limits.path_bytes} bytes",
            ),
            ("\0" in name, "has a NUL in its path"),
            ("\\" in name, "has a backslash in its path"),
            (name.startswith("/"), "has an absolute path"),
            (_DRIVE.match(name) is not None, "has a drive letter in its path"),
            (".." in name.split("/"), "leaves the archive's folder"),
        )
        return next((problem for broken, problem in rules if broken), "")


def text(name: str) -> str:
    """A name without the surrogates that stand for bytes that are not UTF-8; those are written `\\xNN`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shown(name: str) -> str:
    """A member's name for a message: quoted, on one line, not endless."""
    return repr(text(name if len(name) <= 100 else name[:97] + "..."))

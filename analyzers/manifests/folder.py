"""A folder as a tree: listed without following links, read without trusting that it stays as it was listed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from analyzers.manifests.tree import Entry, EntryKind, Unreadable

_GIT: Final = ".git"
_OPEN_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class TreeError(Exception):
    """A folder cannot be listed. `reason` is stable: `missing`, `not-a-folder` or `unreadable`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class FolderTree:
    """The files below a folder, or one file by itself.

    `.git` is never listed, and links are listed as links. A file that is a device or a pipe, or whose size has changed since it was listed,
    is `Unreadable`. Names that are not UTF-8 show the odd bytes as `\\xff`. Raises `TreeError` where a folder cannot be listed.
    """

    def __init__(self, path: Path) -> None:
        self._base = os.fspath(path)
        self._entries: tuple[Entry, ...] | None = None
        self._real_paths: dict[str, str] = {}
        try:
            self._status = os.stat(self._base)
        except OSError as error:
            reason = "missing" if isinstance(error, FileNotFoundError | NotADirectoryError) else "unreadable"
            raise TreeError(reason, f"{shown(self._base)}: {_why(error)}") from error
        except ValueError as error:
            raise TreeError("missing", f"{shown(self._base)!r} cannot be a path") from error
        if not stat.S_ISDIR(self._status.st_mode) and not stat.S_ISREG(self._status.st_mode):
            raise TreeError("not-a-folder", f"{shown(self._base)}: neither a folder nor a file")

    def entries(self) -> Iterable[Entry]:
        """Every path below the folder, in order; listed once."""
        if self._entries is None:
            listed = self._walk() if stat.S_ISDIR(self._status.st_mode) else self._single_file()
            self._entries = tuple(sorted(listed, key=lambda entry: entry.path))
        return self._entries

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """The content of each file, opened only when it is asked for."""
        self.entries()
        for entry in entries:
            real = self._real_paths.get(entry.path)
            yield entry, Unreadable("not listed") if real is None else _content(real, entry.size)

    def _single_file(self) -> Iterator[Entry]:
        real = os.path.realpath(self._base)
        yield self._file(shown(os.path.basename(self._base)), real, self._status.st_size)

    def _file(self, path: str, real: str, size: int) -> Entry:
        self._real_paths[path] = real
        return Entry(path, EntryKind.FILE, size, "")

    def _walk(self) -> Iterator[Entry]:
        ahead = [(self._base, "")]
        while ahead:
            folder, prefix = ahead.pop()
            names: set[str] = set()
            for found, mode in _scan(folder):
                name = _unique(shown(found.name), names)
                if stat.S_ISLNK(mode):
                    yield Entry(prefix + name, EntryKind.LINK, 0, "", _target(found.path))
                elif stat.S_ISDIR(mode):
                    ahead.append((found.path, f"{prefix}{name}/"))
                else:
                    yield self._file(prefix + name, found.path, found.stat(follow_symlinks=False).st_size)


def shown(name: str) -> str:
    """A file name with every byte that is not UTF-8 written as `\\xff`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _unique(name: str, names: set[str]) -> str:
    """The name, told apart from one that already reads the same."""
    while name in names:
        name += "~"
    names.add(name)
    return name


def _scan(folder: str) -> list[tuple[os.DirEntry[str], int]]:
    """What a folder holds and the mode of each, in order of their names."""
    try:
        with os.scandir(folder) as found:
            listed = sorted((entry for entry in found if entry.name != _GIT), key=lambda entry: entry.name)
        return [(entry, entry.stat(follow_symlinks=False).st_mode) for entry in listed]
    except OSError as error:
        raise TreeError("unreadable", f"{shown(folder)}: {_why(error)}") from error


def _target(path: str) -> str:
    try:
        return shown(os.readlink(path))
    except OSError:
        return ""


def _content(path: str, size: int) -> bytes | Unreadable:
    """The bytes of a regular file of exactly this size."""
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError as error:
        return Unreadable(_why(error))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Unreadable("not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(size + 1)
    except OSError as error:
        return Unreadable(_why(error))
    finally:
        os.close(descriptor)
    return content if len(content) == size else Unreadable("changed while it was being read")


def _why(error: OSError) -> str:
    return (error.strerror or "cannot be read").lower()

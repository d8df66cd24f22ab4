"""Generated repositories as trees in memory, and as real git repositories."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from analyzers.manifests.tree import Entry, EntryKind, Unreadable
from benchmarks.shapes import Files

_GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0")


@dataclass(frozen=True)
class MemoryTree:
    """Files in memory, named by their content as git would."""

    files: Files

    def entries(self) -> Iterable[Entry]:
        """Every file."""
        for path, text in self.files.items():
            data = text.encode()
            yield Entry(path, EntryKind.FILE, len(data), sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest())

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """The content of each file."""
        return ((entry, self.files[entry.path].encode()) for entry in entries)


def git_repository(folder: Path, base: Files, heads: Mapping[str, Files]) -> None:
    """A repository whose branch `base` holds one set of files, and a branch for each set of `heads`, made from it."""
    folder.mkdir(parents=True)
    _run(folder, "init", "--quiet", "--initial-branch=base")
    for branch, files in {"base": base, **heads}.items():
        if branch != "base":
            _run(folder, "checkout", "--quiet", "-b", branch, "base")
        for path, text in files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        _run(folder, "add", "--all")
        _run(folder, "commit", "--quiet", "--message", branch)
    _run(folder, "repack", "-adq")


def _run(folder: Path, *arguments: str) -> None:
    subprocess.run([*_GIT, *arguments], cwd=folder, check=True)

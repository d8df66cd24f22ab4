"""Real repositories for the tests, made with the real git."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Commits made in one second get the dates of the test, not of the clock: their ids are the same in every run.
_DATED = {"GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z"}


@dataclass(frozen=True)
class Work:
    """A repository, with a work tree unless it is bare."""

    path: Path

    @classmethod
    def create(cls, path: Path, *options: str) -> Work:
        path.mkdir(parents=True)
        work = cls(path)
        work.git("init", "--quiet", "--template=", "--initial-branch=main", *options)
        return work

    def git(self, *arguments: str | Path, stdin: bytes = b"") -> str:
        return os.fsdecode(self.raw(*arguments, stdin=stdin)).removesuffix("\n")

    def raw(self, *arguments: str | Path, stdin: bytes = b"") -> bytes:
        command = [
            "git",
            "-C",
            self.path,
            "-c",
            "protocol.file.allow=always",
            "-c",
            "gc.auto=0",
            "-c",
            "maintenance.auto=false",
            *arguments,
        ]
        done = subprocess.run(command, input=stdin, capture_output=True, env=os.environ | _DATED, check=False)
        assert done.returncode == 0, (arguments, done.stderr.decode())
        return done.stdout

    def commit(self, files: dict[str, str] | None = None, *, remove: tuple[str, ...] = ()) -> str:
        """Writes and removes files of the work tree and commits them all."""
        for name, content in (files or {}).items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        for name in remove:
            (self.path / name).unlink()
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=a change")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, start: str = "main") -> None:
        self.git("checkout", "--quiet", "-B", name, start)

    def tree(self, records: bytes) -> str:
        """A tree from the lines of `git mktree`, NUL-terminated; missing objects are allowed."""
        return self.git("mktree", "-z", "--missing", stdin=records)

    def raw_tree(self, *entries: tuple[bytes, bytes, str]) -> str:
        """A tree as bytes, with names that git itself would refuse: (mode, name, id)."""
        body = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(child) for mode, name, child in entries)
        return self.git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", stdin=body)

    def blob(self, content: bytes = b"x") -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def loose(self, name: str) -> Path:
        """Where a loose object lies."""
        return Path(self.git("rev-parse", "--path-format=absolute", "--git-path", f"objects/{name[:2]}/{name[2:]}"))

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Every file of the work tree and of the repository with its time and bytes."""
        files = [path for path in self.path.rglob("*") if path.is_file() and not path.is_symlink()]
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def diverged(path: Path, base: dict[str, str], main: dict[str, str], feature: dict[str, str]) -> tuple[Work, str, str]:
    """A repository whose branches `main` and `feature` grew apart, and the commit of each."""
    work = Work.create(path)
    work.commit(base)
    work.branch("feature")
    head = work.commit(feature)
    work.branch("main", "main")
    return work, work.commit(main), head

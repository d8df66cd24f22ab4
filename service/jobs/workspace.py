"""The folder for a worker's temporary files, which no crash needs: what a dead worker left is deleted by the next one to start."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path


class Workspace:
    """A folder below `root`. A lock beside it, which the kernel gives back when the process dies, says that someone works there."""

    def __init__(self, root: Path, name: str) -> None:
        self._root, self.folder = root, root / name
        self._lock = root / f"{name}.lock"
        self._descriptor: int | None = None

    def open(self) -> None:
        """Make the folder, and delete those of the dead."""
        self._root.mkdir(parents=True, exist_ok=True)
        self._descriptor = _locked(self._lock)
        self.folder.mkdir()
        for left in self._root.glob("*.lock"):
            descriptor = _locked(left)
            if descriptor is not None:
                _delete(left, descriptor)

    def close(self) -> None:
        """Delete the folder."""
        if self._descriptor is not None:
            _delete(self._lock, self._descriptor)


def _locked(path: Path) -> int | None:
    """The descriptor of a lock file that is ours now, or None where somebody holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _delete(lock: Path, descriptor: int) -> None:
    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    lock.unlink(missing_ok=True)
    os.close(descriptor)

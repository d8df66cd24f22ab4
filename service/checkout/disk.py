"""Mirrors as folders on disk: how much they take, and what a killed git leaves behind."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from service.checkout.errors import CheckoutError

_INTERVAL = 0.1
_LEFTOVERS = ("**/*.lock", "objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/pack/*.keep", "objects/??/tmp_obj_*")


def size(folder: Path) -> int:
    """The bytes of all files below the folder. Files may come and go meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def sweep(folder: Path) -> None:
    """Removes the locks and half-written packs of a git that was killed. The caller holds the mirror's lock, so no other git is at work."""
    for pattern in _LEFTOVERS:
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


class SizeWatch:
    """Called while git writes into `folder`; raises `CheckoutError` (`too-large`) once it holds more than `max_bytes`."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes, self._next = folder, max_bytes, 0.0

    def __call__(self) -> None:
        """Looks at most ten times a second."""
        now = time.monotonic()
        if now >= self._next:
            self.check()
            self._next = now + _INTERVAL

    def check(self) -> None:
        """Looks now."""
        if size(self._folder) > self._max_bytes:
            raise CheckoutError("too-large", f"the repository takes more than {self._max_bytes} bytes")

"""A lock between processes, held through a file that is never removed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from service.checkout.errors import CheckoutError

_POLL = 0.05


@contextlib.contextmanager
def exclusive(path: Path, timeout: float) -> Iterator[int]:
    """Holds the lock and gives its descriptor; a process that inherits it holds the lock too, until it ends.

    Raises `CheckoutError` (`locked`) after `timeout` seconds. Within one process two holders exclude each other as well.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _acquire(descriptor, path, time.monotonic() + timeout)
        try:
            yield descriptor
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise CheckoutError("locked", f"{path.name}: another process is using this mirror") from error
            time.sleep(_POLL)
        else:
            return

"""What is to be done now and then: branches that moved, events that got lost, rows that are old."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)
_MOMENT = 1.0


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that is done every `interval` seconds, the first time that long after the start."""

    name: str
    interval: float
    do: Callable[[], None]


class Chores:
    """Does the chores in one thread. One that fails is logged, and tried again at its next time."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._due = {chore.name: time.monotonic() + chore.interval for chore in chores}
        self._chores, self._stop = chores, threading.Event()
        self._thread = threading.Thread(target=self._forever, name="chores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more. A chore that asks a forge is given a moment to end; dying in the middle of it costs nothing."""
        self._stop.set()
        self._thread.join(_MOMENT)

    def _forever(self) -> None:
        while not self._stop.wait(max(0.0, min(self._due.values()) - time.monotonic())):
            for chore in self._chores:
                if self._due[chore.name] <= time.monotonic() and not self._stop.is_set():
                    self._attempt(chore)
                    self._due[chore.name] = time.monotonic() + chore.interval

    def _attempt(self, chore: Chore) -> None:
        try:
            chore.do()
        except Exception:
            # A locked database passes; a thread that ended would leave lost events lost.
            log.exception("%s failed; it is tried again", chore.name)

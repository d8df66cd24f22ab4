"""The lease of a worker: it says that the worker lives, by the database's clock. Who is silent for too long is dead to the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from service.store import Store, StoreError

log = logging.getLogger(__name__)
_BEATS = 4  # a lease survives that many less one that are missed
_ROLE = "role:"


class Lease:
    """Kept by a thread. `lost` is called there once when another worker has claimed our jobs: this process must not go on as it is."""

    def __init__(self, store: Store, executor: str, seconds: float, lost: Callable[[], None]) -> None:
        self._store, self.executor, self._seconds, self._lost = store, executor, seconds, lost
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def take(self) -> None:
        """Take it, and keep it from now on. Raises `StoreError`."""
        self._store.beat(self.executor, self._seconds)
        self._thread.start()

    def give_up(self) -> None:
        """Let it run out now, so that others look after what is left at once."""
        self._stop.set()
        self._thread.join()
        try:
            self._store.beat(self.executor, 0)
        except StoreError as error:
            log.warning("the lease runs out by itself: %s", error)

    def holds(self, role: str) -> bool:
        """Whether this worker has a role that one worker has at a time, or gets it now. It keeps it as long as it lives."""
        # The lease of a role is always over, so that what decides is whether the one who claimed it is alive.
        self._store.beat(_ROLE + role, 0)
        return self._store.claim(_ROLE + role, self.executor)

    def dead(self) -> list[str]:
        """The workers that died and whose jobs are ours to move now; say `buried` once that is done."""
        expired = (name for name in self._store.expired() if not name.startswith(_ROLE) and name != self.executor)
        return [name for name in expired if self._store.claim(name, self.executor)]

    def buried(self, executor: str) -> None:
        """Nothing of a dead worker is left."""
        self._store.leave(executor)

    def _keep(self) -> None:
        while not self._stop.wait(self._seconds / _BEATS):
            try:
                kept = self._store.renew(self.executor, self._seconds)
            except StoreError as error:
                log.warning("the lease could not be renewed: %s", error)
                continue
            if not kept:
                log.error("worker %s was silent for so long that another one took its reviews", self.executor)
                self._lost()
                return

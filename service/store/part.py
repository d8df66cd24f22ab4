"""What every part of the store stands on."""

from __future__ import annotations

from service.store.database import Database


class Part:
    """One part of the store. `debounce` is how long a branch must rest, `lease` how long work that was handed to a worker stays its own,
    both in seconds."""

    def __init__(self, database: Database, debounce: float, lease: float) -> None:
        self._database, self._debounce, self._lease = database, debounce, lease

"""One database, SQLite or PostgreSQL: transactions, the clock, upserts, and errors that give no secret away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from service.secret import Redaction
from service.store.errors import StoreError


class Database:
    """An engine with what the two dialects say differently. One instance serves all threads of a process; make it after a fork."""

    def __init__(self, engine: sa.Engine, redact: Redaction) -> None:
        self._engine, self._redact = engine, redact
        self._on_postgresql = engine.dialect.name == "postgresql"
        # Writers of SQLite poll for its lock and some wait for long; threads of one process take turns before they ask for it.
        self._turn: AbstractContextManager[object] = nullcontext() if self._on_postgresql else threading.Lock()

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that ends with the block: committed, or undone where the block raises. Raises `StoreError`."""
        with self._turn, self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that nothing is written through: on SQLite it does not wait for a writer. Raises `StoreError`."""
        with self._explained(), self._engine.connect().execution_options(reading=True) as connection:
            yield connection

    def insert(self, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
        """An insert that knows `on conflict`."""
        return postgresql.insert(table) if self._on_postgresql else sqlite.insert(table)

    def now(self) -> sa.ColumnElement[float]:
        """The time by the database's clock, which all machines that use it share. SQLite has none but this machine's."""
        if self._on_postgresql:
            return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
        return sa.literal(time.time(), sa.Double)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, OverflowError) as error:
            # What the library says holds the statement and its values; what the driver says may quote the URL.
            raise StoreError(self._redact(explanation(error))) from None


def explanation(error: Exception) -> str:
    """What went wrong, in one line and without the statement."""
    cause: Any = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    first = next(iter(str(cause).splitlines()), "")
    return f"the database failed: {type(cause).__name__}: {first}" if first else f"the database failed: {type(cause).__name__}"

"""Opening the database that the settings name, brought to the schema that this version knows."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.secret import Redaction, Secret
from service.settings import Settings
from service.store.database import Database
from service.store.errors import StoreError
from service.store.schema import migrate

FILE = "flowdelta.sqlite3"
_PATIENCE = 30  # seconds that a writer waits for another one, and that a connection may take


def opened(settings: Settings) -> Database:
    """The database of the settings, with every table. Raises `StoreError`."""
    if settings.database_url:
        return _migrated(_postgresql(settings.database_url))
    path = settings.data_dir / FILE
    with _alone(path):
        return _migrated(_sqlite(path))


def _migrated(database: Database) -> Database:
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process after the other open the file: SQLite refuses, without waiting, to turn a new file's log on for two at once."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"the folder {path.parent} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _postgresql(url: Secret) -> Database:
    try:
        parsed = sa.make_url(url.reveal()).set(drivername="postgresql+psycopg")
    except (sa.exc.ArgumentError, ValueError):
        # Their messages quote what they could not read.
        raise StoreError("the URL of the database cannot be read") from None
    engine = sa.create_engine(
        parsed,
        pool_size=8,
        max_overflow=32,
        pool_timeout=_PATIENCE,
        pool_pre_ping=True,  # a database that was restarted costs no request
        hide_parameters=True,
        connect_args={"connect_timeout": _PATIENCE, "application_name": "flowdelta"},
    )
    return Database(engine, Redaction(_secrets(url, parsed)))


def _secrets(url: Secret, parsed: sa.URL) -> list[Secret]:
    """The password, as it is and as the URL spells it, and what the URL's options may hold of the kind."""
    options = [value for name, values in parsed.normalized_query.items() if "password" in name for value in values]
    spelled = url.reveal().partition("@")[0].rpartition(":")[2] if parsed.password else ""
    return [url, Secret(str(parsed.password or "")), Secret(spelled), *map(Secret, options)]


def _sqlite(path: Path) -> Database:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": _PATIENCE}, hide_parameters=True)
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    return Database(engine, Redaction(()))


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    """Every connection: our own BEGIN, and a commit that is on the disk before a webhook is answered."""
    connection.isolation_level = None
    for pragma in (f"busy_timeout = {_PATIENCE * 1000}", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: sa.Connection) -> None:
    """A transaction that writes takes the write lock when it begins, so that two of them never deadlock half-way."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

"""The schema's versions: a database is brought to the newest one when it is opened, by one process at a time.

On PostgreSQL an advisory lock keeps the others waiting, on SQLite the write lock and before it the one of `opening`. All steps are one
transaction: a process that dies in between leaves the database as it was.
"""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa

from service.store.database import Database
from service.store.errors import StoreError

NEWEST = "0005"
"""The revision that this version of Flowdelta works on; the last of migrations/versions."""

MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.Text))
_LOCK = 0x666C6F7764656C74  # "flowdelt": any number that nobody else who uses this database takes
_ONE_AT_A_TIME = threading.Lock()  # Alembic keeps the migration that it runs in module globals


def migrate(database: Database) -> None:
    """Bring the database to `NEWEST`. Raises `StoreError` for one that a newer version, or something else, made."""
    with database.reading() as connection:
        if _version(connection) == NEWEST:
            return
    with _ONE_AT_A_TIME, database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        if (found := _version(connection)) != NEWEST:
            _upgrade(connection, found)


def _version(connection: sa.Connection) -> str | None:
    """The revision of the database, or None for an empty one."""
    there = set(sa.inspect(connection).get_table_names())
    if "alembic_version" in there:
        return connection.execute(sa.select(_VERSION.c.version_num)).scalar_one_or_none()
    if there & {"deliveries", "reviews"}:
        raise StoreError("the database holds tables without a version, of something else or of an unreleased Flowdelta; use an empty one")
    return None


def _upgrade(connection: sa.Connection, found: str | None) -> None:
    # Imported here: a database that needs nothing, which is nearly every start, does not pay for it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(f"the database has schema {found}; this version of Flowdelta knows schemas up to {NEWEST}: run a newer version")
    config.attributes["connection"] = connection
    command.upgrade(config, NEWEST)

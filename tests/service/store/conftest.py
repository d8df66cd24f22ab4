"""Fixtures of the store's tests: each test that opens a store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.settings import Settings
from service.store import Store
from tests.postgres import database_url, postgres

__all__ = ["database_url", "postgres"]

Raw = Callable[[str], list[tuple[object, ...]]]
"""Runs a statement past the store: what another program, a fault or the passing of time does to the database. The rows, if any."""


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings whose database does not exist yet, or is empty. Branches rest for 30 seconds and leases last 60."""
    return settings_of(tmp_path, database_url)


def settings_of(folder: Path, url: str) -> Settings:
    """Settings with that database."""
    known = {
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": url,
        "DEBOUNCE": "30",
        "LEASE": "60",
        "GITHUB_REPOSITORIES": "acme/shop",
        "GITHUB_TOKEN": "token-of-github",
        "GITHUB_WEBHOOK_SECRET": "secret-of-github",
    }
    return Settings.from_environment({f"FLOWDELTA_{name}": value for name, value in known.items()})


@pytest.fixture
def open_store(settings: Settings) -> Iterator[Callable[[], Store]]:
    """Opens a store as each process does, as often as it is called."""
    stores: list[Store] = []

    def opened() -> Store:
        stores.append(Store.open(settings))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """A store."""
    return open_store()


@pytest.fixture
def raw(settings: Settings) -> Iterator[Raw]:
    """The database behind the store's back."""
    url = settings.database_url.reveal().replace("postgresql://", "postgresql+psycopg://")
    settings.data_dir.mkdir(exist_ok=True)
    engine = sa.create_engine(url or f"sqlite:///{settings.data_dir / 'flowdelta.sqlite3'}")

    def run(statement: str) -> list[tuple[object, ...]]:
        with engine.begin() as connection:
            result = connection.execute(sa.text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []

    yield run
    engine.dispose()

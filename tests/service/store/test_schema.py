"""The schema: what the migrations make is what the code works on, and every installation has the migrations."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.settings import Settings
from service.store import Store
from service.store.schema import MIGRATIONS, NEWEST
from service.store.tables import metadata


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store, settings: Settings) -> None:
    url = settings.database_url.reveal().replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(url or f"sqlite:///{settings.data_dir / 'flowdelta.sqlite3'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
        indexes = {index["name"] for table in metadata.tables for index in sa.inspect(connection).get_indexes(table)}
    engine.dispose()
    assert {index.name for table in metadata.tables.values() for index in table.indexes} <= indexes


def test_the_newest_schema_is_the_last_of_one_line_of_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


def test_the_migrations_are_packages_so_that_every_installation_has_them() -> None:
    folders = {path.parent for path in Path(MIGRATIONS).rglob("*.py")}
    assert len(folders) == 2
    assert all((folder / "__init__.py").is_file() for folder in folders)

"""Inventories: the newest snapshot of each cluster of a repository. What they hold is kept among the contents."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from service.store.part import Part
from service.store.records import StoredInventory
from service.store.tables import inventories

_COLUMNS = [inventories.c[name] for name in StoredInventory.__dataclass_fields__]


class Inventories(Part):
    """Keeps which snapshot is the newest of a cluster."""

    def put_inventory(self, forge: str, repository: str, cluster: str, content: str, objects: int, taken: float | None) -> StoredInventory:
        """Note the snapshot at an address as the newest of a cluster; `taken` is when it says that it was taken, in seconds since 1970."""
        said = {"content": content, "objects": objects, "taken": taken, "uploaded": self._database.now()}
        key = {"forge": forge, "repository": repository, "cluster": cluster}
        with self._database.writing() as connection:
            row = self._database.insert(inventories).values(**key, **said)
            connection.execute(row.on_conflict_do_update(index_elements=list(key), set_={name: row.excluded[name] for name in said}))
            found = connection.execute(sa.select(*_COLUMNS).where(*_is(**key))).one()
        return _record(found)

    def inventories(self, forge: str | None = None, repository: str | None = None) -> list[StoredInventory]:
        """The newest snapshots, of one repository or of all, by repository and cluster."""
        asked = {name: value for name, value in (("forge", forge), ("repository", repository)) if value is not None}
        order = (inventories.c.forge, inventories.c.repository, inventories.c.cluster)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(sa.select(*_COLUMNS).where(*_is(**asked)).order_by(*order))]

    def drop_inventory(self, forge: str, repository: str, cluster: str) -> bool:
        """Forget the snapshot of a cluster. False where there is none."""
        gone = sa.delete(inventories).where(*_is(forge=forge, repository=repository, cluster=cluster))
        with self._database.writing() as connection:
            return bool(connection.execute(gone).rowcount)


def _is(**key: str) -> list[sa.ColumnElement[bool]]:
    return [inventories.c[name] == value for name, value in key.items()]


def _record(row: Any) -> StoredInventory:
    return StoredInventory(**row._mapping)

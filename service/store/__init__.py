"""The service's own database: what was delivered, asked for, found and said, on SQLite or PostgreSQL.

The job engine keeps its state apart: in a file of its own, or in a schema of its own.
"""

from __future__ import annotations

import sqlalchemy as sa

from service.settings import Settings
from service.store.audit import AuditLog
from service.store.contents import Contents
from service.store.deliveries import PRESS, PRESSED, Deliveries
from service.store.due import Due
from service.store.errors import StoreError
from service.store.inventories import Inventories
from service.store.leases import Leases
from service.store.opening import opened
from service.store.pulls import Pulls
from service.store.questions import Questions
from service.store.records import (
    Figures,
    KnownPull,
    Move,
    Pruned,
    Question,
    Review,
    Scope,
    StoredCommand,
    StoredInventory,
    Token,
    TokenAccount,
)
from service.store.requests import Requests
from service.store.retention import Retention
from service.store.reviews import Reviews
from service.store.tables import subjects
from service.store.tokens import Tokens
from service.store.values import Acceptance, Request, subject_of_queue

__all__ = [
    "PRESS",
    "PRESSED",
    "Acceptance",
    "Figures",
    "KnownPull",
    "Move",
    "Pruned",
    "Question",
    "Request",
    "Review",
    "Scope",
    "Store",
    "StoreError",
    "StoredCommand",
    "StoredInventory",
    "Token",
    "TokenAccount",
    "subject_of_queue",
]


class Store(Deliveries, Requests, Reviews, Pulls, Due, Contents, Leases, Tokens, Questions, Inventories, AuditLog, Retention):
    """The database of one process, for all its threads. Open it after a fork. Everything may raise `StoreError`."""

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Open the database of the settings, and create or migrate it where needed; several processes may do that at once."""
        return cls(opened(settings), settings.debounce, settings.lease)

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    def ping(self) -> None:
        """Raise where the database does not answer."""
        with self._database.reading() as connection:
            connection.execute(sa.select(subjects.c.generation).limit(1)).all()

"""What webhooks call for beside reviews: branches that moved, and commands. Each is handed to one worker at a time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from service.forges.port import Account, Command
from service.store.part import Part
from service.store.records import Move, StoredCommand
from service.store.tables import commands, moves

_MOST = 1_000


class Due(Part):
    """Hands out what is due. What is not settled within a lease, because its worker died or failed, is handed out again."""

    def due_moves(self) -> list[Move]:
        """The branches that have rested long enough, in the hands of the caller now."""
        # A move that comes from now on is another one: it is debounced from its own beginning.
        taken = {"first": self._database.now(), "due": self._database.now() + self._lease}
        if not self._any(moves, moves.c.due <= self._database.now()):
            return []
        update = sa.update(moves).where(moves.c.due <= self._database.now()).values(taken)
        columns = (moves.c.forge, moves.c.repository, moves.c.ref, moves.c.delivery)
        with self._database.writing() as connection:
            return [Move(*row) for row in connection.execute(update.returning(*columns))]

    def moved(self, move: Move) -> None:
        """Settle a move. One that came meanwhile stays."""
        keys = zip(moves.primary_key, (move.forge, move.repository, move.ref), strict=True)
        with self._database.writing() as connection:
            same = sa.and_(*(column == value for column, value in keys))
            connection.execute(sa.delete(moves).where(same, moves.c.delivery == move.delivery))

    def undone_commands(self) -> list[StoredCommand]:
        """The commands that were not answered yet, oldest first, in the hands of the caller now."""
        waiting = sa.and_(commands.c.outcome.is_(None), commands.c.due <= self._database.now())
        if not self._any(commands, waiting):
            return []
        update = sa.update(commands).where(waiting).values(due=self._database.now() + self._lease)
        with self._database.writing() as connection:
            rows = connection.execute(update.returning(commands)).all()
        return sorted((_command(row) for row in rows), key=lambda stored: stored.id)

    def commands_before(self, stored: StoredCommand, seconds: float) -> list[StoredCommand]:
        """The commands in a command's repository that came before it within so many seconds, the newest first; at most 1,000."""
        same = (commands.c.forge == stored.forge, commands.c.repository == stored.repository, commands.c.id < stored.id)
        recent = commands.c.received > self._database.now() - seconds
        query = sa.select(commands).where(*same, recent).order_by(commands.c.id.desc()).limit(_MOST)
        with self._database.reading() as connection:
            return [_command(row) for row in connection.execute(query)]

    def command_done(self, id: int, outcome: str) -> None:
        """Settle a command: what was answered."""
        with self._database.writing() as connection:
            connection.execute(sa.update(commands).where(commands.c.id == id).values(outcome=outcome))

    def _any(self, table: sa.Table, condition: sa.ColumnElement[bool]) -> bool:
        """Whether there is anything to hand out. Workers ask again and again; on SQLite each write would keep all others waiting."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(sa.literal(1)).select_from(table).where(condition).limit(1)).one_or_none() is not None


def _command(row: Any) -> StoredCommand:
    author = Account(row.author_id, row.author_name, row.author_bot)
    return StoredCommand(row.forge, row.repository, Command(row.number, row.comment, author, row.text), row.id)

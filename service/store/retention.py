"""Retention: what is old enough and of no further use is deleted."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.part import Part
from service.store.records import Pruned
from service.store.tables import audit_contents, commands, contents, deliveries, inventories, pulls, questions, reviews, subjects

_DAY = 86_400


class Retention(Part):
    """Deletes what is old."""

    def prune(self, days: int) -> Pruned:
        """Delete what is older than that many days: deliveries, answered commands, closed pull requests, reviews that ended, and contents
        that no review, no inventory and not the audit log refers to. The newest review of a pull request stays, and all of the log.
        Nothing is deleted where `days` is 0."""
        if not days:
            return Pruned(0, 0, 0, 0, 0)
        before = self._database.now() - days * _DAY
        return Pruned(
            deliveries=self._deleted(deliveries, deliveries.c.received < before),
            commands=self._deleted(commands, commands.c.received < before, commands.c.outcome.is_not(None)),
            reviews=self._deleted(reviews, reviews.c.updated < before, reviews.c.state.not_in(("queued", "running")), ~_newest()),
            pulls=self._deleted(pulls, pulls.c.seen < before, ~pulls.c.open),
            contents=self._deleted(contents, contents.c.kept < before, ~_referred()),
        )

    def _deleted(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
        """One short transaction each: a webhook never waits for all of it."""
        with self._database.writing() as connection:
            return connection.execute(sa.delete(table).where(*conditions)).rowcount


def _newest() -> sa.ColumnElement[bool]:
    """Whether a review is the newest of a pull request. Each commit of a merge queue is a subject of its own, so of those none is kept."""
    same = sa.and_(*(subjects.c[name] == reviews.c[name] for name in ("forge", "repository", "subject", "generation")))
    return sa.and_(sa.exists().where(same), sa.not_(reviews.c.subject.startswith("queue:")))


def _referred() -> sa.ColumnElement[bool]:
    return sa.or_(
        *(
            sa.exists().where(column == contents.c.address)
            for column in (reviews.c.report, reviews.c.text, questions.c.result, audit_contents.c.address, inventories.c.content)
        )
    )

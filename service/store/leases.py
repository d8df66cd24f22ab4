"""Leases: which workers live, by the database's clock, and who gets the jobs of one that died."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.part import Part
from service.store.tables import leases


class Leases(Part):
    """Keeps one lease for each worker process (executor). Its id is never used again, so a lease that ran out never comes back."""

    def beat(self, executor: str, seconds: float) -> bool:
        """Take or renew the lease of a worker for that long. False where another worker has claimed its jobs: it counts as dead then, and
        must start over under a new id."""
        until = self._database.now() + seconds
        upsert = self._database.insert(leases).values(executor=executor, until=until)
        renewed = upsert.on_conflict_do_update(index_elements=["executor"], set_={"until": until}, where=leases.c.claimed_by.is_(None))
        with self._database.writing() as connection:
            return connection.execute(renewed.returning(leases.c.executor)).one_or_none() is not None

    def renew(self, executor: str, seconds: float) -> bool:
        """Renew a lease that was taken before. False where another worker has claimed the jobs of this one, moved already or not."""
        mine = sa.and_(leases.c.executor == executor, leases.c.claimed_by.is_(None))
        update = sa.update(leases).where(mine).values(until=self._database.now() + seconds)
        with self._database.writing() as connection:
            return bool(connection.execute(update).rowcount)

    def expired(self) -> list[str]:
        """The workers whose leases ran out, claimed or not."""
        query = sa.select(leases.c.executor).where(leases.c.until <= self._database.now()).order_by(leases.c.until)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def claim(self, executor: str, by: str) -> bool:
        """Whether the jobs of a dead worker are the caller's from now on: it is alive itself, and no other live worker has claimed them.
        Claiming again is harmless. Whoever has moved the jobs says `leave(executor)`; if he dies before, another may claim them."""
        now = self._database.now()
        alive = sa.select(leases.c.executor).where(leases.c.until > now, leases.c.claimed_by.is_(None)).scalar_subquery()
        free = sa.or_(leases.c.claimed_by.is_(None), leases.c.claimed_by == by, leases.c.claimed_by.not_in(alive))
        update = sa.update(leases).where(leases.c.executor == executor, leases.c.until <= now, free, sa.literal(by).in_(alive))
        with self._database.writing() as connection:
            return bool(connection.execute(update.values(claimed_by=by)).rowcount)

    def leave(self, executor: str) -> None:
        """Drop the lease of a worker that stops, or whose jobs were taken over."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(leases).where(leases.c.executor == executor))

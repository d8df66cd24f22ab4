"""Requests for a review: the outbox between those who ask and the job engine."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.database import Database
from service.store.part import Part
from service.store.tables import reviews, subjects
from service.store.values import Request

SUPERSEDED = "superseded"
_NEWER = "a newer request came before it began"


class Requests(Part):
    """Asks for reviews and hands them on."""

    def request(self, forge: str, repository: str, subject: str, cause: str) -> Request:
        """Ask for a review. It is listed as queued from now on."""
        with self._database.writing() as connection:
            return ask(self._database, connection, (forge, repository, subject), cause)

    def undispatched(self) -> list[Request]:
        """Requests that are not jobs yet, oldest first; of several for one subject the newest only."""
        columns = (reviews.c.forge, reviews.c.repository, reviews.c.subject)
        query = sa.select(*columns, sa.func.max(reviews.c.generation)).where(reviews.c.dispatched.is_(False)).group_by(*columns)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(sa.func.min(reviews.c.created), *columns)).all()
        return [Request(*row) for row in rows]

    def dispatched(self, request: Request) -> None:
        """Note that the request is in the hands of the job engine. Older ones of the subject that did not begin yet are superseded."""
        mine = of_subject(request.forge, request.repository, request.subject)
        older, queued = reviews.c.generation < request.generation, reviews.c.state == "queued"
        with self._database.writing() as connection:
            over = {"state": SUPERSEDED, "reason": _NEWER, "updated": self._database.now()}
            connection.execute(sa.update(reviews).where(mine, older, queued).values(over))
            waiting = sa.and_(mine, reviews.c.generation <= request.generation, reviews.c.dispatched.is_(False))
            connection.execute(sa.update(reviews).where(waiting).values(dispatched=True))

    def is_newest(self, request: Request) -> bool:
        """Whether nothing newer was asked for the subject."""
        with self._database.reading() as connection:
            return newest(connection, (request.forge, request.repository, request.subject)) <= request.generation


Subject = tuple[str, str, str]
"""A forge, a repository and a subject."""


def of_subject(forge: str, repository: str, subject: str) -> sa.ColumnElement[bool]:
    """The condition that a review is of the subject."""
    return sa.and_(reviews.c.forge == forge, reviews.c.repository == repository, reviews.c.subject == subject)


def newest(connection: sa.Connection, subject: Subject) -> int:
    """The highest generation of a subject, 0 where nothing was asked yet."""
    keys = sa.and_(*(column == value for column, value in zip(subjects.primary_key, subject, strict=True)))
    return connection.execute(sa.select(subjects.c.generation).where(keys)).scalar_one_or_none() or 0


def ask(database: Database, connection: sa.Connection, subject: Subject, cause: str) -> Request:
    """Write one more request for a subject. Whoever asks for the same subject meanwhile waits for the end of this transaction."""
    forge, repository, name = subject
    row = database.insert(subjects).values(forge=forge, repository=repository, subject=name, generation=1)
    raised = row.on_conflict_do_update(index_elements=list(subjects.primary_key), set_={"generation": subjects.c.generation + 1})
    generation = connection.execute(raised.returning(subjects.c.generation)).scalar_one()
    request = Request(forge, repository, name, generation)
    connection.execute(sa.insert(reviews).values(**_fresh(request, cause), created=database.now(), updated=database.now()))
    return request


def _fresh(request: Request, cause: str) -> dict[str, object]:
    queued = request.queued
    number = queued.number if queued else request.number
    row = {"id": request.id, "forge": request.forge, "repository": request.repository, "subject": request.subject, "number": number}
    state = {"generation": request.generation, "cause": cause, "dispatched": False, "state": "queued", "reason": ""}
    return {**row, **state, "starts": 0, "takeovers": 0}

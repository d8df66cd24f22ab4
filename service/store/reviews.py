"""Reviews: how far each one is, what it compared and what it said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from service.store.errors import StoreError
from service.store.part import Part
from service.store.records import Figures, Review, position
from service.store.requests import of_subject
from service.store.tables import reviews
from service.store.values import Request

_COLUMNS = [reviews.c[name] for name in Review.__dataclass_fields__]
_HOUR = 3_600
_NUMBERS = 2**63  # what the column holds; nothing has such a number


class Reviews(Part):
    """Notes what becomes of reviews, and lists them. A note about a review that nobody asked for raises `StoreError`."""

    def start(self, request: Request) -> int:
        """Count one more start of the work of a review. The count includes the starts that a killed process never finished."""
        return int(self._note(request, reviews.c.starts, starts=reviews.c.starts + 1, state="running"))

    def takeover(self, request: Request) -> int:
        """Count one more time that a review was taken from a worker that died."""
        return int(self._note(request, reviews.c.takeovers, takeovers=reviews.c.takeovers + 1))

    def judged(self, request: Request, head_sha: str, base_sha: str) -> None:
        """Note which commits are compared."""
        self._note(request, reviews.c.id, head_sha=head_sha, base_sha=base_sha)

    def attach(self, request: Request, *, report: str, text: str, digest: str, complete: bool, headline: str) -> None:
        """Note what the analysis said, and the addresses of its JSON and Markdown reports."""
        self._note(request, reviews.c.id, report=report, text=text, digest=digest, complete=complete, headline=headline)

    def finish(self, request: Request, state: str, reason: str) -> None:
        """Note how a review ended: done, closed, superseded, failed, or another word that is neither queued nor running."""
        self._note(request, reviews.c.id, state=state, reason=reason)

    def _note(self, request: Request, wanted: sa.ColumnElement[Any], **values: Any) -> Any:
        update = sa.update(reviews).where(reviews.c.id == request.id).values(**values, updated=self._database.now())
        with self._database.writing() as connection:
            row = connection.execute(update.returning(wanted)).one_or_none()
        if row is None:
            raise StoreError(f"no review {request.id} of {request.lane} was asked for")
        return row[0]

    def review(self, id: str) -> Review | None:
        """The review of an id, or None."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(*_COLUMNS).where(reviews.c.id == id)).one_or_none()
        return None if row is None else Review(*row)

    def reviews(
        self,
        forge: str | None = None,
        repository: str | None = None,
        number: int | None = None,
        state: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[Review]:
        """Reviews that fit everything that is said, newest first. `before` is the `cursor` of the last one of the page before; raises
        `ValueError` where it is none."""
        if number is not None and not 0 <= number < _NUMBERS:
            return []
        known = {"forge": forge, "repository": repository, "number": number, "state": state}
        query = sa.select(*_COLUMNS).where(*_equal(known))
        if before is not None:
            query = query.where(sa.tuple_(reviews.c.created, reviews.c.id) < sa.tuple_(*map(sa.literal, position(before))))
        query = query.order_by(reviews.c.created.desc(), reviews.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [Review(*row) for row in connection.execute(query)]

    def newest_review(self, forge: str, repository: str, subject: str) -> Review | None:
        """The newest review of a subject, or None where none was asked for."""
        query = sa.select(*_COLUMNS).where(of_subject(forge, repository, subject)).order_by(reviews.c.generation.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Review(*row)

    def last_judged(self, forge: str, repository: str, number: int) -> tuple[str, str] | None:
        """The head and the base that the newest review of a pull request that ended done compared, or None."""
        done = sa.and_(of_subject(forge, repository, str(number)), reviews.c.state == "done", reviews.c.head_sha.is_not(None))
        query = sa.select(reviews.c.head_sha, reviews.c.base_sha).where(done).order_by(reviews.c.generation.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row[0], row[1])

    def figures(self) -> Figures:
        """How busy the service is now."""
        now = self._database.now()
        queued, recent = reviews.c.state == "queued", sa.and_(reviews.c.state == "failed", reviews.c.updated > now - _HOUR)
        count = sa.func.count()
        query = sa.select(
            count.filter(queued),
            sa.func.coalesce(now - sa.func.min(reviews.c.created).filter(queued), 0.0),
            count.filter(reviews.c.state == "running"),
            count.filter(recent),
        ).where(sa.or_(reviews.c.state.in_(("queued", "running")), recent))
        with self._database.reading() as connection:
            waiting, oldest, running, failed = connection.execute(query).one()
        return Figures(waiting, max(0.0, oldest), running, failed)


def _equal(known: dict[str, Any]) -> Iterator[sa.ColumnElement[bool]]:
    return (reviews.c[name] == value for name, value in known.items() if value is not None)

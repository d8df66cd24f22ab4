"""Questions that somebody asked through the API and whose answer takes longer than he waits.

The process that works on one renews its lease. When that process is gone the lease runs out, and the question counts as failed: it is
never pending for ever.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from service.store.part import Part
from service.store.records import Question
from service.store.tables import contents, questions, reviews

_COLUMNS = [questions.c[name] for name in Question.__dataclass_fields__]
_KEPT = 86_400.0  # seconds that an answer can be fetched
_LOST = {
    "state": "failed",
    "status": 503,
    "reason": "lost",
    "detail": "The process that worked on it ended before it had an answer; ask again.",
}


class Questions(Part):
    """Keeps questions and where their answers are."""

    def open_question(self, kind: str, lease: float) -> str:
        """Note a question that is being worked on, under a lease of that many seconds. Its id, which nobody can guess."""
        id, now = secrets.token_hex(16), self._database.now()
        fresh = {
            "state": "running",
            "status": 0,
            "reason": "",
            "detail": "",
            "type": "",
            "created": now,
            "updated": now,
            "until": now + lease,
        }
        with self._database.writing() as connection:
            connection.execute(sa.insert(questions).values(id=id, kind=kind, **fresh))
        return id

    def renew_questions(self, ids: Collection[str], lease: float) -> None:
        """Say that these are still being worked on."""
        until = self._database.now() + lease
        with self._database.writing() as connection:
            connection.execute(sa.update(questions).where(questions.c.id.in_(ids)).values(until=until))

    def answer_question(self, id: str, type: str, result: str) -> None:
        """Note the address and the media type of the answer."""
        self._close(id, state="done", status=200, type=type, result=result)

    def fail_question(self, id: str, status: int, reason: str, detail: str) -> None:
        """Note why there is no answer, as the problem that would have been sent."""
        self._close(id, state="failed", status=status, reason=reason, detail=detail)

    def question(self, id: str) -> Question | None:
        """The question of an id, or None; one whose lease ran out is failed."""
        lost = sa.and_(questions.c.state == "running", questions.c.until <= self._database.now())
        with self._database.reading() as connection:
            row = connection.execute(sa.select(*_COLUMNS, lost).where(questions.c.id == id)).one_or_none()
        if row is None:
            return None
        *values, is_lost = row
        known = dict(zip(Question.__dataclass_fields__, values, strict=True))
        return Question(**{**known, **_LOST} if is_lost else known)

    def forget_questions(self) -> int:
        """Delete the questions of more than a day ago, and their answers where nothing else has the same content."""
        before = self._database.now() - _KEPT
        old = sa.delete(questions).where(questions.c.updated < before, questions.c.until < before)
        with self._database.writing() as connection:
            gone = connection.execute(old.returning(questions.c.result)).scalars().all()
        addresses = [address for address in gone if address is not None]
        for address in addresses:
            held = (reviews.c.report, reviews.c.text, questions.c.result)
            free = [~sa.exists().where(column == contents.c.address) for column in held]
            with self._database.writing() as connection:
                connection.execute(sa.delete(contents).where(contents.c.address == address, contents.c.kept < before, *free))
        return len(gone)

    def _close(self, id: str, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.update(questions).where(questions.c.id == id).values(**values, updated=self._database.now()))

"""Deliveries: each is recorded once, in one transaction with everything that it calls for."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from service.forges.port import BaseMoved, Call, Command, Look, PipelineBegan, Pressed, Queued, WebhookEvent
from service.store.part import Part
from service.store.requests import Subject, ask, newest
from service.store.tables import commands, deliveries, moves, pulls, reviews, storable
from service.store.values import Acceptance, Request, subject_of_queue

log = logging.getLogger(__name__)
PRESS = "press"
"""The command that pressing a button beside a check becomes. Who types it says the same and may do no more."""
PRESSED = "pressed:"
"""Begins what stands for the comment of such a command."""
_LONGEST_REF = 1_000  # bytes: an index of PostgreSQL holds some 2,700, and no forge has branches with such names
_PATIENCE = 10  # a branch that never rests is reviewed after this many times the debounce


class Deliveries(Part):
    """Takes the webhooks."""

    def accept(self, forge: str, event: WebhookEvent) -> Acceptance:
        """Record a delivery and what it calls for: all or nothing. `event.repository` is spelled as in the settings.

        A delivery that is sent again asks again only where the newest review of its subject failed: that is what people redeliver for.
        """
        calls = [call for call in event.calls if _holds(call)]
        wanted = sorted({(forge, event.repository, name) for call in calls if (name := _subject(call))})
        with self._database.writing() as connection:
            new = self._is_new(connection, forge, event)
            asked = [subject for subject in wanted if new or _state(connection, subject) == "failed"]
            if new:
                self._record_calls(connection, forge, event, calls)
                asked = sorted({*asked, *_without_check(connection, forge, event.repository, calls)})
            # Always in the same order, so that two deliveries that name the same subjects never wait for each other in a ring.
            for subject in asked:
                ask(self._database, connection, subject, f"{event.kind} {event.action}".rstrip())
        if not event.calls:
            return Acceptance.IGNORED
        return Acceptance.QUEUED if new or asked else Acceptance.SEEN

    def _is_new(self, connection: sa.Connection, forge: str, event: WebhookEvent) -> bool:
        """Whether the delivery was not known. One that comes twice at once waits here for the other's end."""
        row = {"forge": forge, "delivery": event.delivery, "kind": event.kind, "action": event.action, "repository": event.repository}
        insert = self._database.insert(deliveries).values(**row, received=self._database.now())
        return connection.execute(insert.on_conflict_do_nothing().returning(deliveries.c.delivery)).one_or_none() is not None

    def _record_calls(self, connection: sa.Connection, forge: str, event: WebhookEvent, calls: list[Call]) -> None:
        for ref in sorted({call.ref for call in calls if isinstance(call, BaseMoved)}):
            self._move(connection, forge, event, ref)
        for call in calls:
            if isinstance(call, Pressed):
                call = Command(call.number, f"{PRESSED}{event.delivery}", call.account, f"/flowdelta {PRESS} {call.action} {call.head_sha}")
            if isinstance(call, Command):
                self._command(connection, forge, event.repository, call)

    def _move(self, connection: sa.Connection, forge: str, event: WebhookEvent, ref: str) -> None:
        """Put the branch's reviews off until it rests, but not for ever."""
        now, rested = self._database.now(), self._database.now() + self._debounce
        row = {"forge": forge, "repository": event.repository, "ref": ref, "delivery": event.delivery, "first": now, "due": rested}
        latest = moves.c.first + _PATIENCE * self._debounce
        again = {"delivery": event.delivery, "due": sa.case((rested < latest, rested), else_=latest)}
        upsert = self._database.insert(moves).values(row)
        connection.execute(upsert.on_conflict_do_update(index_elements=list(moves.primary_key), set_=again))

    def _command(self, connection: sa.Connection, forge: str, repository: str, command: Command) -> None:
        """A comment is one command, however many deliveries speak of it."""
        author = {"author_id": command.author.id, "author_name": command.author.name, "author_bot": command.author.bot}
        row = {"forge": forge, "repository": repository, "number": command.number, "comment": command.comment, "text": command.text}
        insert = self._database.insert(commands).values(**row, **author, due=self._database.now(), received=self._database.now())
        connection.execute(insert.on_conflict_do_nothing())


def _holds(call: Call) -> bool:
    """Whether a ref that a call names can be one, and fits into an index."""
    ref = call.ref if isinstance(call, BaseMoved) else call.head_ref if isinstance(call, Queued) else ""
    if ref == storable(ref) and len(ref.encode()) <= _LONGEST_REF:
        return True
    log.warning("a webhook names a ref that no branch has, of %d characters; it is ignored", len(ref))
    return False


def _subject(call: Call) -> str | None:
    if isinstance(call, Look):
        return str(call.number)
    return subject_of_queue(call) if isinstance(call, Queued) else None


def _without_check(connection: sa.Connection, forge: str, repository: str, calls: list[Call]) -> list[Subject]:
    """The pull requests whose check a new pipeline may be without. A review that has yet to begin will find the pipeline by itself, and so
    will the one of a head that was not seen here."""
    heads = [call.head_sha for call in calls if isinstance(call, PipelineBegan)]
    same = (pulls.c.forge == forge, pulls.c.repository == repository, pulls.c.open, pulls.c.head_sha.in_(heads))
    numbers = connection.execute(sa.select(pulls.c.number).where(*same)).scalars().all() if heads else []
    subjects = [(forge, repository, str(number)) for number in numbers]
    return [subject for subject in subjects if _state(connection, subject) != "queued"]


def _state(connection: sa.Connection, subject: Subject) -> str | None:
    """How far the newest review of a subject is."""
    last = Request(*subject, newest(connection, subject))
    return connection.execute(sa.select(reviews.c.state).where(reviews.c.id == last.id)).scalar_one_or_none()

"""The audit log: rows that are appended one at a time, each holding the hash of the one before, and never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from service.signoff.audit import START, AuditRow, chained
from service.store.part import Part
from service.store.tables import audit, audit_contents

_LOCK = 0x6175646974  # "audit"
_PAGE = 1_000
_COLUMNS = (audit.c.number, audit.c.previous, audit.c.entry, audit.c.hash)
_PLACE = ("kind", "forge", "repository", "pull")

Entry = Mapping[str, Any]


class AuditLog(Part):
    """Keeps the audit log. An entry says its `kind`, `forge`, `repository` and `pull` (a number, or null) beside what it is about."""

    def append(self, entry: Entry, contents: Iterable[str] = ()) -> AuditRow:
        """Continue the log. `contents` are addresses that the entry refers to, which are kept as long as it is."""
        row = self.append_unless(lambda _: entry, contents)
        assert row is not None
        return row

    def append_unless(
        self, made: Callable[[Entry | None], Entry | None], contents: Iterable[str] = (), *, like: Entry | None = None
    ) -> AuditRow | None:
        """Continue the log with what `made` makes of the newest entry that agrees with `like` (in `kind`, `forge`, `repository` and
        `pull`), or do not where it makes nothing. No other append comes between the look and the row: all of them take one lock."""
        with self._alone() as connection:
            newest = connection.scalar(_newest(like)) if like else None
            entry = made(None if newest is None else AuditRow(0, "", newest, "").read())
            return None if entry is None else self._continue(connection, entry, contents)

    def append_once(self, entry: Entry, contents: Iterable[str] = ()) -> AuditRow:
        """Continue the log, unless a row about the same pull request has the same `source`: that row is returned then. So what two
        processes heard from one source is said once, whatever came between."""
        with self._alone() as connection:
            about = _about(*(entry[name] for name in _PLACE[1:]))
            same = (row for each in connection.execute(about) if (row := AuditRow(*each)).read().get("source") == entry["source"])
            return next(same, None) or self._continue(connection, entry, contents)

    @contextmanager
    def _alone(self) -> Iterator[sa.Connection]:
        """A transaction beside which no other appends."""
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection

    def _continue(self, connection: sa.Connection, entry: Entry, contents: Iterable[str]) -> AuditRow:
        last = connection.execute(sa.select(*_COLUMNS).order_by(audit.c.number.desc()).limit(1)).one_or_none()
        row = chained(last.number + 1 if last else 1, last.hash if last else START, entry)
        place = {name: entry[name] for name in _PLACE}
        said = {"number": row.number, "previous": row.previous, "entry": row.entry, "hash": row.hash, **place}
        connection.execute(sa.insert(audit).values(**said, created=self._database.now()))
        if held := [{"number": row.number, "address": address} for address in dict.fromkeys(contents)]:
            connection.execute(sa.insert(audit_contents), held)
        return row

    def audit_of(self, forge: str, repository: str, pull: int) -> list[AuditRow]:
        """The rows about one pull request, oldest first."""
        with self._database.reading() as connection:
            return [AuditRow(*row) for row in connection.execute(_about(forge, repository, pull))]

    def misfiled(self) -> list[int]:
        """The numbers of rows that stand where they were not written: before the first of the chain, where no verification comes by, or
        under another pull request than their entry says, since the hash is of the entry alone."""
        columns = [audit.c[name] for name in _PLACE]
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(audit.c.number, audit.c.entry, *columns).order_by(audit.c.number))
            return [number for number, entry, *place in rows if number < 1 or place != _placed(AuditRow(number, "", entry, ""))]

    def audit_rows(self, after: int = 0) -> Iterator[AuditRow]:
        """Every row after a number, in order, read page by page."""
        while True:
            rows = self.audit_page(after, _PAGE)
            yield from rows
            if len(rows) < _PAGE:
                return
            after = rows[-1].number

    def audit_page(self, after: int, limit: int) -> list[AuditRow]:
        """So many rows after a number."""
        page = sa.select(*_COLUMNS).where(audit.c.number > after).order_by(audit.c.number).limit(limit)
        with self._database.reading() as connection:
            return [AuditRow(*row) for row in connection.execute(page)]

    def newest_hash(self) -> str:
        """The hash that names the whole log; that of no row where it is empty."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(audit.c.hash).order_by(audit.c.number.desc()).limit(1)).scalar_one_or_none()
        return found or START


def _about(forge: str, repository: str, pull: int) -> sa.Select[int, str, str, str]:
    same = (audit.c.forge == forge, audit.c.repository == repository, audit.c.pull == pull)
    return sa.select(*_COLUMNS).where(*same).order_by(audit.c.number)


def _placed(row: AuditRow) -> list[Any]:
    try:
        entry = row.read()
    except ValueError:
        return []
    return [entry.get(name) for name in _PLACE]


def _newest(like: Entry) -> sa.Select[str]:
    same = (audit.c[name] == like[name] for name in _PLACE)
    return sa.select(audit.c.entry).where(*same).order_by(audit.c.number.desc()).limit(1)

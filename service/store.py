"""The service's own database: deliveries, requests for a review, reviews and their reports.

SQLite in WAL mode; a transaction that writes takes the write lock when it begins, so that two of them never deadlock half-way.
The job engine keeps its state in a file of its own.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from service.forges.port import WebhookEvent

SCHEMA = 1
_LARGEST_REPORT = 1_000_000_000

_metadata = sa.MetaData()
_deliveries = sa.Table(
    "deliveries",
    _metadata,
    sa.Column("forge", sa.Text, primary_key=True),
    sa.Column("delivery", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("repository", sa.Text, nullable=False),
    sa.Column("number", sa.Integer),
    sa.Column("received", sa.Float, nullable=False),
)
# The outbox: a row is written in the same transaction as the delivery and handed to the job engine afterwards, so a process
# that dies in between loses nothing. The generation counts the requests of a pull request; the highest one is the one that matters.
_requests = sa.Table(
    "requests",
    _metadata,
    sa.Column("repository", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("dispatched", sa.Boolean, nullable=False),
)
sa.Index("requests_to_dispatch", _requests.c.dispatched, sqlite_where=_requests.c.dispatched.is_(False))
_reviews = sa.Table(
    "reviews",
    _metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("repository", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("starts", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("report", sa.Text),
    sa.Column("text", sa.Text),
    sa.Column("updated", sa.Float, nullable=False),
)
_contents = sa.Table(
    "contents",
    _metadata,
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)


class StoreError(Exception):
    """The database cannot be used. The message says why."""


class Acceptance(StrEnum):
    """What became of a delivery."""

    QUEUED = "queued"
    SEEN = "already seen"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Request:
    """One request to review a pull request. `repository` is spelled as in the settings, so that one pull request has one name."""

    repository: str
    number: int
    generation: int

    @property
    def pull_request(self) -> str:
        """What reviews of the same pull request share."""
        return f"{self.repository}#{self.number}"

    @property
    def job(self) -> str:
        """The id of the job: the same request never becomes two jobs."""
        return f"review:{self.pull_request}:{self.generation}"

    @property
    def id(self) -> str:
        """What logs, comments and links call the review."""
        return hashlib.sha256(self.job.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Review:
    """What is known of one review. `report` and `text` are addresses of its JSON and Markdown reports, null until there are any."""

    id: str
    repository: str
    number: int
    state: str
    reason: str
    report: str | None
    text: str | None


class Store:
    """Opens, and creates where needed, the database file. One instance serves all threads of a process; open it after a fork."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        sa.event.listen(self._engine, "connect", _configure)
        sa.event.listen(self._engine, "begin", _begin)
        with self._writing() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version not in (0, SCHEMA):
                raise StoreError(f"{path} has schema {version}, this version of Flowdelta knows {SCHEMA}")
            _metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def ping(self) -> None:
        """Raise where the database does not answer."""
        with self._reading() as connection:
            connection.execute(sa.select(sa.func.count()).select_from(_requests).where(_requests.c.dispatched.is_(False)))

    def accept(self, forge: str, event: WebhookEvent) -> Acceptance:
        """Record a delivery and, where it calls for one, the request for a review: both or neither.

        A delivery that is sent again asks again only where the review ended in failure: that is what people redeliver for.
        """
        with self._writing() as connection:
            row = {"forge": forge, "delivery": event.delivery, "kind": event.kind, "action": event.action}
            place = {"repository": event.repository, "number": event.number, "received": time.time()}
            added = connection.execute(insert(_deliveries).values(**row, **place).on_conflict_do_nothing()).rowcount
            if not event.wanted or event.number is None:
                return Acceptance.IGNORED
            if not added and not _failed(connection, event.repository, event.number):
                return Acceptance.SEEN
            self._request(connection, event.repository, event.number, f"{event.kind} {event.action}")
            return Acceptance.QUEUED

    def request(self, repository: str, number: int, cause: str) -> Request:
        """Ask for a review of a pull request."""
        with self._writing() as connection:
            return self._request(connection, repository, number, cause)

    def _request(self, connection: sa.Connection, repository: str, number: int, cause: str) -> Request:
        generation = _newest(connection, repository, number) + 1
        row = {"repository": repository, "number": number, "generation": generation, "cause": cause}
        connection.execute(sa.insert(_requests).values(**row, created=time.time(), dispatched=False))
        return Request(repository, number, generation)

    def undispatched(self) -> list[Request]:
        """Requests that are not jobs yet, oldest first; of several for one pull request the newest only."""
        columns = (_requests.c.repository, _requests.c.number)
        newest = sa.func.max(_requests.c.generation)
        query = sa.select(*columns, newest).where(_requests.c.dispatched.is_(False)).group_by(*columns)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(sa.func.min(_requests.c.created))).all()
        return [Request(repository, number, generation) for repository, number, generation in rows]

    def dispatched(self, request: Request) -> None:
        """Note that the request, and with it every older one of the same pull request, is in the hands of the job engine."""
        same = (_requests.c.repository == request.repository, _requests.c.number == request.number)
        with self._writing() as connection:
            older = _requests.c.generation <= request.generation
            connection.execute(sa.update(_requests).where(*same, older).values(dispatched=True))

    def is_newest(self, request: Request) -> bool:
        """Whether nothing newer was asked for the pull request."""
        with self._reading() as connection:
            return _newest(connection, request.repository, request.number) <= request.generation

    def start(self, request: Request) -> int:
        """Count one more start of the work of a review. The count includes the starts that a killed process never finished."""
        row = {"id": request.id, "repository": request.repository, "number": request.number, "generation": request.generation}
        values = {**row, "starts": 1, "state": "running", "reason": "", "updated": time.time()}
        again = {"starts": _reviews.c.starts + 1, "updated": time.time()}
        upsert = insert(_reviews).values(**values).on_conflict_do_update(index_elements=["id"], set_=again)
        with self._writing() as connection:
            return int(connection.execute(upsert.returning(_reviews.c.starts)).scalar_one())

    def finish(self, request: Request, state: str, reason: str) -> None:
        """Note how a review ended."""
        self._note(request, state=state, reason=reason)

    def attach(self, request: Request, report: str, text: str) -> None:
        """Note where the reports of a review are."""
        self._note(request, report=report, text=text)

    def _note(self, request: Request, **values: Any) -> None:
        row = {"id": request.id, "repository": request.repository, "number": request.number, "generation": request.generation}
        fresh = {"starts": 0, "state": "running", "reason": "", **row, **values, "updated": time.time()}
        upsert = insert(_reviews).values(**fresh)
        with self._writing() as connection:
            connection.execute(upsert.on_conflict_do_update(index_elements=["id"], set_={**values, "updated": time.time()}))

    def review(self, review: str) -> Review | None:
        """The review of an id, or None."""
        names = ("id", "repository", "number", "state", "reason", "report", "text")
        with self._reading() as connection:
            row = connection.execute(sa.select(*(_reviews.c[name] for name in names)).where(_reviews.c.id == review)).one_or_none()
        return None if row is None else Review(*row)

    def keep(self, content: bytes) -> str:
        """Store bytes under the SHA-256 of them and return that address; the same bytes are stored once."""
        address = f"sha256:{hashlib.sha256(content).hexdigest()}"
        row = insert(_contents).values(address=address, body=zlib.compress(content, 6))
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_nothing())
        return address

    def content(self, address: str) -> bytes:
        """The bytes of an address. Raises `StoreError` where there are none or others."""
        with self._reading() as connection:
            packed = connection.execute(sa.select(_contents.c.body).where(_contents.c.address == address)).scalar_one_or_none()
        if packed is None:
            raise StoreError(f"nothing is stored under {address}")
        content = zlib.decompressobj().decompress(packed, _LARGEST_REPORT)
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != address:
            raise StoreError(f"what is stored under {address} is damaged")
        return content

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._engine.connect().execution_options(reading=True) as connection:
            yield connection


def _newest(connection: sa.Connection, repository: str, number: int) -> int:
    same = (_requests.c.repository == repository, _requests.c.number == number)
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(_requests.c.generation), 0)).where(*same)).scalar_one())


def _failed(connection: sa.Connection, repository: str, number: int) -> bool:
    newest = Request(repository, number, _newest(connection, repository, number))
    return connection.execute(sa.select(_reviews.c.state).where(_reviews.c.id == newest.id)).scalar_one_or_none() == "failed"


def _configure(connection: Any, _record: Any) -> None:
    """Every connection: our own BEGIN, and a commit that is on the disk before a webhook is answered."""
    connection.isolation_level = None
    for pragma in ("busy_timeout = 30000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

"""Entries that are kept on disk between runs: bytes by name.

One SQLite file serves any number of processes, and a killed one leaves it whole. Each entry carries a keyed digest of its name and content,
made with a secret of this folder, so an entry that was damaged, swapped or planted is not believed. What is kept never makes a run fail:
where it cannot be used, nothing is remembered.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

LARGEST = 256 * 2**20
"""Bytes that entries may take on disk; what was not used for longest goes first."""

_SCHEMA = "create table if not exists readings (key blob primary key, used integer, digest blob, content blob)"
_AT_ONCE = 400  # names in one query: within every build's limit on variables
_DAY = 86_400
_SECRET = 32  # bytes
_COMPRESSED = 4_096  # bytes


class KeptEntries:
    """The entries in `folder`. Raises nothing: where they cannot be used, everything is forgotten."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self._largest, self._grown = largest, False
        self._today = int(time.time()) // _DAY
        self._connection: sqlite3.Connection | None = None
        self._secret = b""
        self._path = folder / "readings.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._secret = _secret(folder / "readings.key")
            self._connection = _opened(self._path)
        except (OSError, sqlite3.Error) as error:
            warn("cannot be used", error)

    def recall(self, names: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The content of those names whose entries are kept and believed."""
        rows = self._selected(names)
        believed = ((name, self._believed(name, digest, content)) for name, _, digest, content in rows)
        self._touch([name for name, used, _, _ in rows if used != self._today])
        return {name: content for name, content in believed if content is not None}

    def keep(self, entries: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep entries, each a name with its content, and make room for them."""
        if entries:
            self._grown = True
            packed = [(name, _packed(content)) for name, content in entries]
            rows = [(name, self._today, self._mac(name, content), content) for name, content in packed]
            self._write("insert or replace into readings values (?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Make room and let go of the file."""
        if self._connection is not None and self._grown:
            self._evict(self._connection)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _believed(self, name: bytes, digest: bytes, content: bytes) -> bytes | None:
        try:
            return _unpacked(content) if hmac.compare_digest(digest, self._mac(name, content)) else None
        except (TypeError, zlib.error):
            return None  # a column of another type

    def _mac(self, name: bytes, content: bytes) -> bytes:
        return hashlib.blake2b(name + content, digest_size=16, key=self._secret).digest()

    def _selected(self, names: Sequence[bytes]) -> list[tuple[bytes, int, bytes, bytes]]:
        rows: list[tuple[bytes, int, bytes, bytes]] = []
        try:
            for start in range(0, len(names), _AT_ONCE):
                part = names[start : start + _AT_ONCE]
                query = f"select key, used, digest, content from readings where key in ({', '.join('?' * len(part))})"
                if self._connection is not None:
                    rows += self._connection.execute(query, part)
        except sqlite3.Error as error:
            self._give_up(error)
        return rows

    def _touch(self, names: Sequence[bytes]) -> None:
        """Remember by the day what was used; by the second would turn every read into a write."""
        if names:
            self._write("update readings set used = ? where key = ?", [(self._today, name) for name in names])

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if self._connection is None:
            return
        try:
            with self._connection:
                self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def _evict(self, connection: sqlite3.Connection) -> None:
        """Drop what was not used for longest until the rest fits."""
        oldest = "delete from readings where key in (select key from readings order by used limit 1000)"
        try:
            while _taken(connection) > self._largest:
                with connection:
                    if not connection.execute(oldest).rowcount:
                        return
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on without entries. A damaged file is removed, so that the next run has one again; a busy one is left alone."""
        warn("is not used any more in this run", error)
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if not isinstance(error, sqlite3.OperationalError):
            _remove(self._path)


@contextmanager
def keeping(folder: Path | None) -> Iterator[KeptEntries | None]:
    """The entries in a folder, for as long as one run; None where there is no folder."""
    entries = KeptEntries(folder) if folder is not None else None
    try:
        yield entries
    finally:
        if entries is not None:
            entries.close()


def warn(what: str, error: Exception) -> None:
    """Say what became of the cache."""
    import logging  # imported here: it takes longer than to open the cache

    logging.getLogger(__name__).warning("the parse cache %s: %s", what, type(error).__name__)


def _packed(content: bytes) -> bytes:
    """Content as it is kept: small ones as they are, since to compress many of them would cost more than reading some bytes less saves."""
    return b"=" + content if len(content) < _COMPRESSED else b"z" + zlib.compress(content, 1)


def _unpacked(packed: bytes) -> bytes:
    return zlib.decompress(packed[1:]) if packed[:1] == b"z" else packed[1:]


def _taken(connection: sqlite3.Connection) -> int:
    """The bytes of the pages in use, which the file knows; to add up what every entry holds would read all of it."""
    pages, free, size = (connection.execute(f"pragma {each}").fetchone()[0] for each in ("page_count", "freelist_count", "page_size"))
    return int((pages - free) * size)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    """The open database; a file that is no database is made anew."""
    for attempt in range(2):
        connection = sqlite3.connect(path, timeout=10)
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = off")  # after a power cut entries may be missing or disbelieved, never wrong
            connection.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            connection.close()
            if attempt or isinstance(error, sqlite3.OperationalError):
                raise
            _remove(path)
        else:
            return connection
    raise AssertionError("unreachable")


def _secret(path: Path) -> bytes:
    """The secret of a folder, made by whoever comes first. OSError while that one has not finished."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        secret = path.read_bytes()
    else:
        with os.fdopen(descriptor, "wb") as stream:
            secret = secrets.token_bytes(_SECRET)
            stream.write(secret)
    if len(secret) != _SECRET:
        raise OSError(f"{path} holds no secret")
    return secret

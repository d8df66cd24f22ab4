"""The parse cache: readings of files, kept on disk between runs.

One SQLite file serves any number of processes, and a killed one leaves it whole. Each entry carries a keyed digest of its key and content,
made with a secret of this cache, so an entry that was damaged, swapped or planted is not believed and the file is parsed anew. The cache
never makes a run fail: where it cannot be used, nothing is remembered.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sqlite3
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import analyzers
from analyzers.manifests.limits import DEFAULT_LIMITS, Limits
from analyzers.manifests.shelf import FileReading, ShelfKey
from analyzers.manifests.wire import READINGS
from analyzers.model.records import ObjectRecord

LARGEST = 256 * 2**20
"""Bytes of content that the cache may hold; what was not used for longest goes first."""

_SCHEMA = "create table if not exists readings (key blob primary key, used integer, digest blob, content blob)"
_AT_ONCE = 400  # keys in one query: within every build's limit on variables
_DAY = 86_400
_SECRET = 32  # bytes
_COMPRESSED = 4_096  # bytes


class ParseCache:
    """A shelf of readings in `folder`, made with the given limits. Raises nothing: a cache that cannot be used forgets everything."""

    def __init__(self, folder: Path, limits: Limits, largest: int = LARGEST) -> None:
        self._largest, self._grown = largest, False
        self._today = int(time.time()) // _DAY
        self._connection: sqlite3.Connection | None = None
        self._secret = self._salt = b""
        self._path = folder / "readings.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._salt = _origin(limits)
            self._secret = _secret(folder / "readings.key")
            self._connection = _opened(self._path)
        except (OSError, sqlite3.Error) as error:
            _warn("cannot be used", error)

    def recall(self, keys: Iterable[ShelfKey]) -> Mapping[ShelfKey, FileReading[ObjectRecord]]:
        """The readings that are kept, believed, and made by this code."""
        wanted = {self._name(key): key for key in keys}
        rows = self._selected(list(wanted))
        readings = ((wanted[name], self._believed(name, digest, content)) for name, _, digest, content in rows)
        self._touch([name for name, used, _, _ in rows if used != self._today])
        return {key: reading for key, reading in readings if reading is not None}

    def keep(self, readings: Mapping[ShelfKey, FileReading[ObjectRecord]]) -> None:
        """Keep readings, and make room for them."""
        self._insert([(self._name(key), content) for key, reading in readings.items() if (content := _encoded(reading)) is not None])

    def recall_baseline(self, name: str) -> bytes | None:
        """A baseline that is kept, believed, and made by this code."""
        key = self._key(f"\0{name}")  # no reading has a content without an id
        for _, used, digest, content in self._selected([key]):
            self._touch([key] if used != self._today else [])
            return self._checked(key, digest, content)
        return None

    def keep_baseline(self, name: str, content: bytes) -> None:
        """Keep a baseline, as an entry like any other."""
        self._insert([(self._key(f"\0{name}"), content)])

    def recall_output(self, name: str) -> bytes | None:
        """What a renderer wrote, if it is kept, believed, and was kept by this code."""
        return self.recall_baseline(f"\0rendered {name}")

    def keep_output(self, name: str, content: bytes) -> None:
        """Keep what a renderer wrote, as an entry like any other."""
        self.keep_baseline(f"\0rendered {name}", content)

    def close(self) -> None:
        """Make room and let go of the file."""
        if self._connection is not None and self._grown:
            self._evict(self._connection)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _believed(self, name: bytes, digest: bytes, content: bytes) -> FileReading[ObjectRecord] | None:
        data = self._checked(name, digest, content)
        try:
            return READINGS.decode(data) if data is not None else None
        except ValueError:
            return None  # what another program wrote

    def _checked(self, name: bytes, digest: bytes, content: bytes) -> bytes | None:
        """The content of an entry, if it is what was kept under this name."""
        try:
            return _unpacked(content) if hmac.compare_digest(digest, self._mac(name, content)) else None
        except (TypeError, zlib.error):
            return None  # a column of another type

    def _name(self, key: ShelfKey) -> bytes:
        return self._key(f"{key.content_id}\0{key.path}")

    def _key(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20, key=self._salt).digest()

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

    def _insert(self, entries: Sequence[tuple[bytes, bytes]]) -> None:
        if entries:
            self._grown = True
            packed = [(name, _packed(content)) for name, content in entries]
            rows = [(name, self._today, self._mac(name, content), content) for name, content in packed]
            self._write("insert or replace into readings values (?, ?, ?, ?)", rows)

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
        held = "select coalesce(sum(length(content)), 0) from readings"
        oldest = "delete from readings where key in (select key from readings order by used limit 1000)"
        try:
            while connection.execute(held).fetchone()[0] > self._largest:
                with connection:
                    connection.execute(oldest)
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on without the cache. A damaged file is removed, so that the next run has a cache again; a busy one is left alone."""
        _warn("is not used any more in this run", error)
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if not isinstance(error, sqlite3.OperationalError):
            _remove(self._path)


@contextmanager
def remembering(folder: Path | None, limits: Limits = DEFAULT_LIMITS) -> Iterator[ParseCache | None]:
    """The cache in a folder, for as long as one run; None where there is no folder."""
    cache = ParseCache(folder, limits) if folder is not None else None
    try:
        yield cache
    finally:
        if cache is not None:
            cache.close()


def _warn(what: str, error: Exception) -> None:
    import logging  # imported here: it takes longer than to open the cache

    logging.getLogger(__name__).warning("the parse cache %s: %s", what, type(error).__name__)


def _packed(content: bytes) -> bytes:
    """Content as it is kept: small ones as they are, since to compress many of them would cost more than reading some bytes less saves."""
    return b"=" + content if len(content) < _COMPRESSED else b"z" + zlib.compress(content, 1)


def _unpacked(packed: bytes) -> bytes:
    return zlib.decompress(packed[1:]) if packed[:1] == b"z" else packed[1:]


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


def _encoded(reading: FileReading[ObjectRecord]) -> bytes | None:
    try:
        return READINGS.encode(reading)
    except ValueError:
        return None  # a file name that is no Unicode


def _origin(limits: Limits) -> bytes:
    """What an entry depends on beside the files: the caps, the parser, and the code of the analysis.

    Hashing the code takes some milliseconds and can never be forgotten, as raising a version by hand can.
    """
    parser = find_spec("yaml")
    assert parser is not None
    assert parser.origin is not None
    hasher = hashlib.blake2b(f"{limits!r} {sys.version_info[:2]}".encode())
    hasher.update(Path(parser.origin).read_bytes())  # it says its version, and to import it would take longer than all of this
    top = os.path.dirname(analyzers.__file__)
    for folder, inner, names in os.walk(top):
        inner[:] = sorted({*inner} - {"__pycache__", "reports"})
        for name in sorted(names):
            with open(os.path.join(folder, name), "rb", buffering=0) as stream:
                hasher.update(f"{folder.removeprefix(top)}/{name}\0".encode() + stream.read())
    return hasher.digest()


def _secret(path: Path) -> bytes:
    """The secret of this cache, made by whoever comes first. OSError while that one has not finished."""
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

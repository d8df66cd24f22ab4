"""The parse cache: readings of files, baselines, and what renderers wrote, kept on disk between runs and forgotten when the code changes
that made them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from analyzers.manifests.limits import DEFAULT_LIMITS, Limits
from analyzers.manifests.shelf import FileReading, ShelfKey
from analyzers.manifests.wire import READINGS
from analyzers.model.records import ObjectRecord
from service.kept_entries import KeptEntries, keeping
from service.own_code import digest_of_analysis, parser


class ParseCache:
    """A shelf of readings, made with the given limits. Raises nothing: a cache that cannot be used forgets everything."""

    def __init__(self, entries: KeptEntries, limits: Limits) -> None:
        self._entries, self._salt = entries, _origin(limits)

    def recall(self, keys: Iterable[ShelfKey]) -> Mapping[ShelfKey, FileReading[ObjectRecord]]:
        """The readings that are kept, believed, and made by this code."""
        wanted = {self._name(key): key for key in keys}
        readings = ((wanted[name], _decoded(content)) for name, content in self._entries.recall(list(wanted)).items())
        return {key: reading for key, reading in readings if reading is not None}

    def keep(self, readings: Mapping[ShelfKey, FileReading[ObjectRecord]]) -> None:
        """Keep readings, and make room for them."""
        self._entries.keep([(self._name(key), content) for key, reading in readings.items() if (content := _encoded(reading)) is not None])

    def recall_baseline(self, name: str) -> bytes | None:
        """A baseline that is kept, believed, and made by this code."""
        key = self._key(f"\0{name}")  # no reading has a content without an id
        return self._entries.recall([key]).get(key)

    def keep_baseline(self, name: str, content: bytes) -> None:
        """Keep a baseline, as an entry like any other."""
        self._entries.keep([(self._key(f"\0{name}"), content)])

    def recall_output(self, name: str) -> bytes | None:
        """What a renderer wrote, if it is kept, believed, and was kept by this code."""
        return self.recall_baseline(f"\0rendered {name}")

    def keep_output(self, name: str, content: bytes) -> None:
        """Keep what a renderer wrote, as an entry like any other."""
        self.keep_baseline(f"\0rendered {name}", content)

    def _name(self, key: ShelfKey) -> bytes:
        return self._key(f"{key.content_id}\0{key.path}")

    def _key(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20, key=self._salt).digest()


@contextmanager
def remembering(folder: Path | None, limits: Limits = DEFAULT_LIMITS) -> Iterator[ParseCache | None]:
    """The cache in a folder, for as long as one run; None where there is no folder."""
    with keeping(folder) as entries:
        yield ParseCache(entries, limits) if entries is not None else None


def _decoded(content: bytes) -> FileReading[ObjectRecord] | None:
    try:
        return READINGS.decode(content)
    except ValueError:
        return None  # what another program wrote


def _encoded(reading: FileReading[ObjectRecord]) -> bytes | None:
    try:
        return READINGS.encode(reading)
    except ValueError:
        return None  # a file name that is no Unicode


def _origin(limits: Limits) -> bytes:
    """What an entry depends on beside the files: the caps, the parser, and the code of the analysis."""
    return hashlib.blake2b(f"{limits!r} {sys.version_info[:2]} {digest_of_analysis()}".encode() + parser()).digest()

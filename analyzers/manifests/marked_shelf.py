"""A shelf whose readings are kept apart by a mark: what is made of the same file under another configuration is another reading."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Generic

from msgspec.structs import replace

from analyzers.manifests.shelf import FileReading, Item, Shelf, ShelfKey


class MarkedShelf(Generic[Item]):
    """Keeps readings in another shelf, under the content's id and a digest of the mark."""

    def __init__(self, shelf: Shelf[Item], mark: str) -> None:
        self._shelf = shelf
        self._mark = hashlib.blake2b(mark.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def recall(self, keys: Iterable[ShelfKey]) -> Mapping[ShelfKey, FileReading[Item]]:
        """Those of the readings that are known under this mark."""
        wanted = {self._marked(key): key for key in keys}
        return {wanted[marked]: reading for marked, reading in self._shelf.recall(wanted).items()}

    def keep(self, readings: Mapping[ShelfKey, FileReading[Item]]) -> None:
        """Remember readings under this mark."""
        self._shelf.keep({self._marked(key): reading for key, reading in readings.items()})

    def _marked(self, key: ShelfKey) -> ShelfKey:
        return replace(key, content_id=f"{key.content_id}+{self._mark}")

"""The audit chain: every row holds the hash of the one before, so that a log which was edited, cut or reordered shows it.

The hash of a row is the SHA-256 of the JSON of [number, hash of the row before, entry]. What a chain cannot show by itself is that its end
was cut off: for that, verification takes hashes that were published elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

START: Final = "0" * 64
"""What stands for the hash of the row before the first."""


class AuditRow(Struct, frozen=True):
    """One row as stored: its number (from 1, without gaps), the hash before, the entry's canonical JSON, and its own hash."""

    number: int
    previous: str
    entry: str
    hash: str

    def read(self) -> dict[str, Any]:
        """The entry."""
        found: dict[str, Any] = json.loads(self.entry)
        return found


def chained(number: int, previous: str, entry: Mapping[str, Any]) -> AuditRow:
    """The row that continues a chain."""
    text = canonical(entry)
    return AuditRow(number, previous, text, _hash(number, previous, text))


def canonical(entry: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no spaces."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), allow_nan=False)


def verify(rows: Iterable[AuditRow], published: Iterable[str] = ()) -> Iterator[str]:
    """What is wrong with a chain, sentence by sentence; nothing where it is whole. `published` are hashes that it must hold."""
    number, previous, wanted = 0, START, set(published)
    for row in rows:
        if row.number != number + 1:
            yield f"row {row.number} follows row {number}: rows are missing, doubled or out of order"
        if row.previous != previous:
            yield f"row {row.number} does not continue the row before it"
        if _hash(row.number, row.previous, row.entry) != row.hash:
            yield f"row {row.number} is not what it was when it was written"
        number, previous = row.number, row.hash
        wanted.discard(row.hash)
    for missing in sorted(wanted):
        yield f"no row has the published hash {missing}: the log was cut or rewritten"


def _hash(number: int, previous: str, entry: str) -> str:
    return hashlib.sha256(json.dumps([number, previous, entry], separators=(",", ":")).encode()).hexdigest()


def referred(row: AuditRow) -> list[str]:
    """The addresses of what a row's entry is about and does not hold itself: flows that were shown, and what was judged."""
    try:
        entry = row.read()
    except ValueError:
        return []
    found = (entry.get("guarded"), entry.get("act", {}).get("flows") if entry.get("kind") == "act" else None)
    return [address for address in found if address]

"""The audit log for other programs: JSON Lines that can be verified again, and CSV for spreadsheets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from typing import Any, Final

from analyzers.reports.csv_rows import cell
from service.signoff.audit import AuditRow

COLUMNS: Final = (
    *("number", "time", "kind", "forge", "repository", "pull", "person", "person_id", "verb", "way", "guardrail", "head", "base"),
    *("standing", "reason", "why", "source", "hash", "commit", "base_commit", "configuration", "organisation", "engine", "digest"),
)


def row_json(row: AuditRow) -> dict[str, Any]:
    """A row: `hash` is the SHA-256 of the JSON of [number, previous, entry as canonical JSON text]."""
    return {"number": row.number, "previous": row.previous, "hash": row.hash, "entry": row.read()}


def json_line(row: AuditRow) -> str:
    """A row as one line."""
    return f"{json.dumps(row_json(row), sort_keys=True, separators=(',', ':'))}\n"


def csv_lines(rows: Iterable[AuditRow]) -> Iterator[str]:
    """The rows as CSV with a header; what a row does not have is empty."""
    yield _line(COLUMNS)
    for row in rows:
        found = _flat(row.read()) | {"number": row.number, "hash": row.hash}
        yield _line([found.get(name) for name in COLUMNS])


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    act = entry.get("act", {})
    person = act.get("person", {})
    said = {name: act[name] for name in ("verb", "way", "guardrail", "head", "base", "reason") if name in act}
    standing = entry.get("decision", {}).get("standing")
    # A decision says what it was made of; what a person said is of what they were shown.
    about = entry if "decision" in entry else entry.get("shown", {})
    said.setdefault("base", entry.get("facts", {}).get("base"))
    compared = {"commit": about.get("commit"), "base_commit": about.get("base"), "engine": about.get("engine"), **about.get("rules", {})}
    return {**entry, **said, "person": person.get("name"), "person_id": person.get("id"), "standing": standing, **compared}


def _line(values: Iterable[Any]) -> str:
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([cell(each if isinstance(each, int) else str(each or "")) for each in values])
    return buffer.getvalue()

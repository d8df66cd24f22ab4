"""The commands `flowdelta audit verify`, `export` and `show`: the log of sign-off, in the database that the settings name."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence

from service.exits import BadInput, Exit
from service.granting import opened
from service.review.consent import replayed
from service.review.ledger import Ledger
from service.settings import Settings
from service.signoff.audit import START, AuditRow, referred, verify
from service.signoff.exporting import csv_lines, json_line
from service.store import Store, StoreError

_HASH = re.compile(r"[0-9a-f]{64}")


def check(settings: Settings, expected: Sequence[str]) -> Exit:
    """Run `flowdelta audit verify`: 1 where anything is wrong with the log."""
    if wrong := next((each for each in expected if not _HASH.fullmatch(each)), None):
        raise BadInput(f"--expect: {wrong[:80]!r} is not a hash of 64 hexadecimal digits, as the summary of a check shows it")
    with opened(settings) as store:
        rows = list(store.audit_rows())
        problems = [*verify(rows, expected), *_misfiled(store), *_lost(store, rows)]
    for problem in problems:
        print(problem)
    if problems:
        return Exit.DIFFERENCES
    print(f"The log is whole: {len(rows):,} rows, the newest hash is {rows[-1].hash if rows else START}.")
    return Exit.DONE


def export(settings: Settings, format_name: str) -> Exit:
    """Run `flowdelta audit export`: every row, to stdout."""
    with opened(settings) as store:
        for text in csv_lines(store.audit_rows()) if format_name == "csv" else map(json_line, store.audit_rows()):
            sys.stdout.write(text)
    return Exit.DONE


def show(settings: Settings, number: int, replay: bool) -> Exit:
    """Run `flowdelta audit show`: one row, and with `replay` its decision made again; 1 where it comes out otherwise."""
    with opened(settings) as store:
        row = next(iter(store.audit_page(number - 1, 1)), None)
        if row is None or row.number != number:
            raise BadInput(f"there is no row {number}; the log has rows 1 to {sum(1 for _ in store.audit_rows())}")
        print(json.dumps({"number": row.number, "hash": row.hash, "previous": row.previous, "entry": row.read()}, indent=2))
        return _replayed(store, row) if replay else Exit.DONE


def _replayed(store: Store, row: AuditRow) -> Exit:
    entry = row.read()
    if entry["kind"] != "decision":
        raise BadInput(f"row {row.number} is no decision but {entry['kind']}; only a decision can be made again")
    acts = {act.number: act for act in Ledger(store, entry["forge"], entry["repository"], entry["pull"]).acts()}
    same = set(entry["acts"]) <= set(acts) and replayed(entry, acts, json.loads(store.content(entry["guarded"])))
    said = "comes out the same when it is made again" if same else "does not come out the same when it is made again"
    print(f"The decision of row {row.number} {said} from its record.", file=sys.stderr)
    return Exit.DONE if same else Exit.DIFFERENCES


def _misfiled(store: Store) -> Iterator[str]:
    return (f"row {number} does not stand where it was written" for number in store.misfiled())


def _lost(store: Store, rows: Iterable[AuditRow]) -> Iterator[str]:
    """What rows refer to and the database does not have any more, or not as it was."""
    for row in rows:
        for address in referred(row):
            try:
                store.content(address)
            except StoreError as error:
                yield f"row {row.number}: {error}"

"""The audit log of one pull request, as sign-off reads and continues it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from service.signoff.approvals import Act
from service.signoff.audit import AuditRow
from service.signoff.flows import FlowSet
from service.signoff.records import Json, act_from
from service.store import Store

_UNTIMED = ("review", "time", "base")
"""What may differ between two records of one decision."""

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything on record about one pull request. Everything may raise `StoreError`."""

    store: Store
    forge: str
    repository: str
    number: int

    def entries(self) -> list[Json]:
        """The entries, oldest first."""
        return [row.read() for row in self._rows()]

    def acts(self) -> list[Act]:
        """What was said, oldest first."""
        return [self._act(row.number, entry["act"]) for row in self._rows() if (entry := row.read())["kind"] == "act"]

    def decisions(self) -> list[Entry]:
        """The decisions, oldest first, those on commits of a merge queue among them."""
        return [entry for entry in self.entries() if entry["kind"] == "decision"]

    def shown(self) -> Entry | None:
        """The last decision that the pull request shows; that on a commit of a merge queue stands beside another commit."""
        return next((entry for entry in reversed(self.decisions()) if not entry["queued"]), None)

    def shown_of(self, head: str, at: float | None) -> Entry | None:
        """The decision on a commit that someone saw at a time: the last before it, or the first where they were faster."""
        shown = [entry for entry in self.decisions() if not entry["queued"] and entry["head"] == head]
        before = [entry for entry in shown if at is None or datetime.fromisoformat(entry["time"]).timestamp() <= at]
        return before[-1] if before else shown[0] if shown else None

    def said(self, source: str) -> Entry | None:
        """What was heard from a source."""
        return next((entry for entry in self.entries() if entry.get("source") == source), None)

    def decide(self, entry: Json, guarded: str) -> None:
        """Write a decision down, unless the newest one says the same. `guarded` is the address of what was judged."""
        whole = {**self._place("decision"), **entry, "guarded": guarded, "time": _now()}
        like = self._place("decision")
        self.store.append_unless(lambda last: None if last and _timeless(last) == _timeless(whole) else whole, [guarded], like=like)

    def append(self, kind: str, said: Json, contents: Sequence[str] = ()) -> None:
        """Write something down."""
        self.store.append({**self._place(kind), **said, "time": _now()}, contents)

    def append_once(self, kind: str, said: Json, contents: Iterable[str] = ()) -> Entry:
        """Write down what was heard from `said["source"]`, once; what is written of it."""
        return self.store.append_once({**self._place(kind), **said, "time": _now()}, contents).read()

    def keep(self, flows: FlowSet) -> str:
        """Store a set of flows; its address."""
        return self.store.keep(json.dumps(flows.to_json(), sort_keys=True).encode())

    def _rows(self) -> list[AuditRow]:
        return self.store.audit_of(self.forge, self.repository, self.number)

    def _act(self, number: int, said: Entry) -> Act:
        return act_from(number, said, FlowSet.from_json(json.loads(self.store.content(said["flows"]))))

    def _place(self, kind: str) -> Json:
        return {"kind": kind, "forge": self.forge, "repository": self.repository, "pull": self.number}


def _timeless(entry: Entry) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in _UNTIMED}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

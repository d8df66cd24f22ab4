"""Sections: the rows of a diff under the headings that a reviewer reads them by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from analyzers.impact.assessment.may_break import EvidenceKind
from analyzers.impact.causation.causes import Cause
from analyzers.impact.report import DiffReport, FlowGroup
from analyzers.impact.rows.endpoint_sets import EndpointSet
from analyzers.model.cluster import ExternalBlock, Workload
from analyzers.reports.context import Context
from analyzers.reports.rows import Ends, Row, filtered, from_outside, merged, order
from analyzers.sets.connections import ConnectionSet

_AT_ONCE = ("Opens from outside", "May break")

BASE, HEAD = 0, -1
"""Where a revision stands among the versions of a workload."""


MOST_PARTS = 4
"""Parts of a group, with causes of their own, that have rows of their own; of more, the row of the group names all causes."""


class Section(Struct, frozen=True):
    """Rows of one kind. `revision` is where their flows exist: base for flows that close, head for flows that open. What must be seen
    `at_once` is never folded."""

    title: str
    revision: int
    rows: Sequence[Row]
    at_once: bool = False


class Seen(Struct, frozen=True, eq=False):
    """A set of endpoints as one revision has them: the set of a flow that opens exists in head, of one that closes in base."""

    ends: EndpointSet
    revision: int

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces of its workloads."""
        return self.ends.namespaces

    @property
    def blocks(self) -> tuple[ExternalBlock, ...]:
        """The address blocks in the set, by id."""
        return self.ends.blocks

    @property
    def controller(self) -> bool:
        """Whether the ingress controller is in the set."""
        return self.ends.controller

    @property
    def workloads(self) -> Iterator[Workload]:
        """The workloads in the set, by id."""
        return (joint.versions[self.revision] or joint.latest for joint in self.ends.workloads)


def sections(report: DiffReport, context: Context) -> Iterator[Section]:
    """What opens from outside, what may break, then what else opens and closes. Empty sections are left out.

    Flows that exist because a workload came or went stand apart: no edit of a policy or label opened or closed them.
    """
    opening = [(each, each.opened) for each in report.groups if each.opened]
    closing = [(each, each.closed) for each in report.groups if each.closed]
    opens, comes = _parted(opening, HEAD, frozenset(report.workloads.added))
    closes, goes = _parted(closing, BASE, frozenset(report.workloads.removed))
    listed = (
        ("Opens from outside", HEAD, [row for row in opens if from_outside(row)]),
        ("May break", BASE, [row for row in closes if row.evidence]),
        ("Opens", HEAD, [row for row in opens if not from_outside(row)]),
        ("Closes", BASE, [row for row in closes if not row.evidence]),
        ("Opens with new workloads", HEAD, comes),
        ("Closes with removed workloads", BASE, goes),
    )
    for title, revision, rows in listed:
        shown = [part for row in merged(rows) for part in filtered(row, context.namespaces)]
        if shown:
            ordered = sorted(shown, key=_strength if revision == BASE else order)
            yield Section(title, revision, ordered, title in _AT_ONCE)


def _strength(row: Row) -> tuple[int, ...]:
    """Of flows that close, those first that most surely were in use."""
    kinds = tuple(EvidenceKind)
    return (kinds.index(row.evidence[0].kind) if row.evidence else len(kinds), *order(row))


def with_workloads(groups: Iterable[FlowGroup], changed: Sequence[str]) -> int:
    """How many of the groups have no end but workloads that came or went."""
    ids = frozenset(changed)
    return sum(1 for each in groups if _only(each, ids)) if ids else 0


def _parted(groups: Sequence[tuple[FlowGroup, ConnectionSet]], revision: int, changed: frozenset[str]) -> tuple[list[Row], list[Row]]:
    """The rows between workloads that stay, and the rows of those that came or went."""
    parted: tuple[list[Row], list[Row]] = ([], [])
    for group, ports in groups:
        with_changed = bool(changed) and _only(group, changed)
        # A workload that comes or goes is cause enough of its own flows.
        parted[with_changed].extend([row_of(group, ports, revision)] if with_changed else _rows_of(group, ports, revision))
    return parted


def _rows_of(group: FlowGroup, ports: ConnectionSet, revision: int) -> Iterator[Row]:
    """The row of a group, or one for each of its parts where a few have causes of their own."""
    row = row_of(group, ports, revision)
    if not 1 < len(group.parts) <= MOST_PARTS:
        yield row
        return
    for part in group.parts:
        ends: tuple[Ends, Ends] = (Seen(part.sources, revision), Seen(part.destinations, revision))
        yield replace(
            row,
            sources=ends[0],
            destinations=ends[1],
            causes=_named(part.causes),
            alternatives=part.causes,
            truncated=part.causes_truncated,
        )


def row_of(group: FlowGroup, ports: ConnectionSet, revision: int) -> Row:
    """The row of what a group opens (in head), or of what it closes (in base)."""
    ends: tuple[Ends, Ends] = (Seen(group.sources, revision), Seen(group.destinations, revision))
    opens = revision == HEAD
    severity, evidence = (group.severity, ()) if opens else (None, group.may_break)
    return Row(*ends, ports, ports & group.may, _named(group.causes), severity, evidence, group.causes, group.causes_truncated)


def _named(alternatives: Sequence[Sequence[Cause]]) -> tuple[Cause, ...]:
    """Every object that some alternative names, once."""
    return tuple(dict.fromkeys(cause for alternative in alternatives for cause in alternative))


def _only(group: FlowGroup, changed: frozenset[str]) -> bool:
    """Whether one end of the group holds nothing but workloads that came or went."""
    return any(len(ends) <= len(changed) and changed.issuperset(ends.ids) for ends in (group.sources, group.destinations))

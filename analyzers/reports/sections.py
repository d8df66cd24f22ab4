"""Sections: the rows of a diff under the headings that a reviewer reads them by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analyzers.impact.causes import Cause
from analyzers.impact.endpoint_sets import EndpointSet
from analyzers.impact.report import DiffReport, FlowGroup
from analyzers.model.cluster import ExternalBlock, Workload
from analyzers.reports.context import Context
from analyzers.reports.rows import Ends, Row, filtered, merged, order
from analyzers.reports.service_words import Services
from analyzers.sets.connections import ConnectionSet

BASE, HEAD = 0, -1
"""Where a revision stands among the versions of a workload."""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind. `revision` is where their flows exist: base for flows that close, head for flows that open."""

    title: str
    revision: int
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
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
    def workloads(self) -> Iterator[Workload]:
        """The workloads in the set, by id."""
        return (joint.versions[self.revision] or joint.latest for joint in self.ends.workloads)


def sections(report: DiffReport, context: Context) -> Iterator[Section]:
    """What opens, then what closes. Empty sections are left out.

    Flows that exist because a workload came or went stand apart: no edit of a policy or label opened or closed them.
    """
    opening = [(each, each.opened) for each in report.groups if each.opened]
    closing = [(each, each.closed) for each in report.groups if each.closed]
    opens, comes = _parted(opening, HEAD, frozenset(report.workloads.added))
    closes, goes = _parted(closing, BASE, frozenset(report.workloads.removed))
    listed = (
        ("Opens", HEAD, opens),
        ("Closes", BASE, closes),
        ("Opens with new workloads", HEAD, comes),
        ("Closes with removed workloads", BASE, goes),
    )
    breaks = Breaks(report)
    for title, revision, rows in listed:
        shown = [part for row in merged(rows) for part in filtered(row, context.namespaces)]
        if shown:
            yield Section(title, revision, sorted(shown, key=order if revision == HEAD else breaks.order))


class Breaks:
    """Which flows that close may be closed by mistake: some ports stay open, and a port that a Service leads to is not among them."""

    def __init__(self, report: DiffReport) -> None:
        self._services = Services(report.services)
        self._current = {each.id: each.latest for each in report.involved}

    def order(self, row: Row) -> tuple[int, ...]:
        """As of any row, but suspected mistakes come before all else between workloads."""
        rank, pairs = order(row)
        return (rank, 0 if rank == 2 and self._suspected(row) else 1, pairs)

    def _suspected(self, row: Row) -> bool:
        if len(row.destinations) != 1 or row.ports == ConnectionSet.everything():
            return False
        workload = next(iter(row.destinations.workloads))
        return self._services.reach(self._current[workload.id], row.ports)


def with_workloads(groups: Iterable[FlowGroup], changed: Sequence[str]) -> int:
    """How many of the groups have no end but workloads that came or went."""
    ids = frozenset(changed)
    return sum(1 for each in groups if _only(each, ids)) if ids else 0


def _parted(groups: Sequence[tuple[FlowGroup, ConnectionSet]], revision: int, changed: frozenset[str]) -> tuple[list[Row], list[Row]]:
    """The rows between workloads that stay, and the rows of those that came or went."""
    parted: tuple[list[Row], list[Row]] = ([], [])
    for group, ports in groups:
        parted[bool(changed) and _only(group, changed)].append(_row(group, ports, revision))
    return parted


def _row(group: FlowGroup, ports: ConnectionSet, revision: int) -> Row:
    ends: tuple[Ends, Ends] = (Seen(group.sources, revision), Seen(group.destinations, revision))
    return Row(*ends, ports, ports & group.may, _causes(group))


def _causes(group: FlowGroup) -> tuple[Cause, ...]:
    return group.causes[0] if group.causes else ()


def _only(group: FlowGroup, changed: frozenset[str]) -> bool:
    """Whether one end of the group holds nothing but workloads that came or went."""
    return any(len(ends) <= len(changed) and changed.issuperset(ends.ids) for ends in (group.sources, group.destinations))

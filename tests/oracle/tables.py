"""The whole truth about one revision, and about two: every ordered pair of ends asked at every point that matters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.oracle.evaluator import Cell, End, Evaluator
from tests.oracle.points import Address, PortPoints, Segment, port_points, segments
from tests.oracle.reading import Document, Variant, read

Name = str | Address
"""An end of a row as tables name it: the id of a workload, or an address."""

NOTHING = Cell(0, 0)


class Flow(NamedTuple):
    """A row of a matrix: what is allowed or may be, and the part that only may be."""

    connections: int = 0
    may: int = 0


class Change(NamedTuple):
    """A row of a diff."""

    base: int = 0
    head: int = 0
    opened: int = 0
    closed: int = 0
    may: int = 0


@dataclass(frozen=True, slots=True)
class Universe:
    """The points at which two revisions are compared."""

    ports: PortPoints
    segments: tuple[Segment, ...]

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Both ends of every segment."""
        return tuple(dict.fromkeys(address for segment in self.segments for address in segment))


def universe(*revisions: Sequence[Document]) -> Universe:
    """The points that matter to any of the revisions."""
    documents = [document for revision in revisions for document in revision]
    return Universe(port_points(documents), segments(documents))


class Revision:
    """Every answer about one set of documents."""

    def __init__(self, documents: Sequence[Document], points: Universe, host_network: str, pod_cidrs: Sequence[str] = ()) -> None:
        self.cluster = read(documents, pod_cidrs)
        self.points = points
        self._evaluator = Evaluator(self.cluster, points.ports, points.addresses, host_network)
        self._cells: dict[tuple[End, End], Cell] = {}
        self._matrix: dict[tuple[Name, Name], Flow] | None = None

    def cell(self, source: End | None, destination: End | None) -> Cell:
        """The answer for one pair of ends; nothing where one of them does not exist in this revision."""
        if source is None or destination is None:
            return NOTHING
        if (source, destination) not in self._cells:
            self._cells[source, destination] = self._evaluator.cell(source, destination)
        return self._cells[source, destination]

    def matrix(self) -> dict[tuple[Name, Name], Flow]:
        """Every row that has a connection."""
        if self._matrix is None:
            self._matrix = self._every_row()
        return self._matrix

    def _every_row(self) -> dict[tuple[Name, Name], Flow]:
        workloads = self.cluster.workloads
        table: dict[tuple[Name, Name], Flow] = {}
        for source, destination in pairs(workloads, self.points):
            sources = workloads[source] if isinstance(source, str) else (source,)
            destinations = workloads[destination] if isinstance(destination, str) else (destination,)
            flow = union(self.cell(s, d) for s in sources for d in destinations)
            if flow.connections:
                table[source, destination] = flow
        return table


def diff(base: Revision, head: Revision) -> dict[tuple[Name, Name], Change]:
    """Every row in which some pods of the pair are answered differently."""
    matched = {
        workload: match(base.cluster.workloads.get(workload, ()), head.cluster.workloads.get(workload, ()))
        for workload in sorted({*base.cluster.workloads, *head.cluster.workloads})
    }
    table: dict[tuple[Name, Name], Change] = {}
    for source, destination in pairs(matched, base.points):
        sources = matched[source] if isinstance(source, str) else [(source, source)]
        destinations = matched[destination] if isinstance(destination, str) else [(destination, destination)]
        change = difference([(base.cell(s[0], d[0]), head.cell(s[1], d[1])) for s in sources for d in destinations])
        if change.opened or change.closed or change.may:
            table[source, destination] = change
    whole_base, whole_head = base.matrix(), head.matrix()
    return {
        pair: change._replace(base=whole_base.get(pair, Flow()).connections, head=whole_head.get(pair, Flow()).connections)
        for pair, change in table.items()
    }


def match(base: Sequence[Variant], head: Sequence[Variant]) -> list[tuple[End | None, End | None]]:
    """Pods of a workload beside what became of them: the same first, then equal labels, then what is left in order, the rest alone."""
    matched: list[tuple[End | None, End | None]] = []
    left, right = sorted(base), sorted(head)
    for alike in (_same_pods, _same_labels):
        for old in list(left):
            new = next((candidate for candidate in right if alike(old, candidate)), None)
            if new is not None:
                matched.append((old, new))
                left.remove(old)
                right.remove(new)
    paired = min(len(left), len(right))
    matched += zip(left[:paired], right[:paired], strict=True)
    return [*matched, *((old, None) for old in left[paired:]), *((None, new) for new in right[paired:])]


def _same_pods(old: Variant, new: Variant) -> bool:
    return old == new


def _same_labels(old: Variant, new: Variant) -> bool:
    return old.labels == new.labels


def union(cells: Iterator[Cell]) -> Flow:
    """The best answer among several, at each point."""
    allowed = may = 0
    for cell in cells:
        allowed |= cell.allowed
        may |= cell.may
    return Flow(allowed | may, may & ~allowed)


def difference(rows: Sequence[tuple[Cell, Cell]]) -> Change:
    opened = closed = may = 0
    for base, head in rows:
        opened |= _rise(base, head)
        closed |= _rise(head, base)
        may |= base.may ^ head.may
        for before, after in zip(base.needs, head.needs, strict=True):
            may |= base.may & head.may & (before ^ after)
    return Change(opened=opened, closed=closed, may=may)


def _rise(low: Cell, high: Cell) -> int:
    """Where `high` gives a better answer than `low`."""
    return (high.allowed & ~low.allowed) | (high.may & ~low.may & ~low.allowed)


def pairs(workloads: Iterable[str], points: Universe) -> Iterator[tuple[Name, Name]]:
    """Every ordered pair that can have a row: never outside to outside, never a bare Pod with itself."""
    workloads, addresses = list(workloads), points.addresses
    for workload in workloads:
        yield from ((workload, address) for address in addresses)
        yield from ((address, workload) for address in addresses)
        yield from ((workload, other) for other in workloads if other != workload or not workload.endswith("[Pod]"))

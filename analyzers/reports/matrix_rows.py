"""The rows of a matrix for people: sources that reach the same share a row, as do the destinations that they reach alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from analyzers.impact.report import MatrixReport
from analyzers.model.cluster import Endpoint, ExternalBlock, IngressController, Workload
from analyzers.reports.context import Context
from analyzers.reports.rows import Listed, Row, merged, order
from analyzers.sets.connections import ConnectionSet

Reach = tuple[ConnectionSet, ConnectionSet]
"""What connects, and the part of it that is only may."""


def matrix_rows(report: MatrixReport, context: Context) -> Sequence[Row]:
    """Everything that connects, grouped; traffic from outside first."""
    endpoints = {each.id: each for each in report.endpoints}
    by_source: dict[str, dict[Reach, list[str]]] = defaultdict(lambda: defaultdict(list))
    for flow in report.flows():
        if context.shows(flow.source, flow.destination):
            by_source[flow.source][flow.connections, flow.may].append(flow.destination)
    sources: dict[tuple[Reach, tuple[str, ...]], list[str]] = defaultdict(list)
    for source, reached in by_source.items():
        for reach, destinations in reached.items():
            sources[reach, tuple(destinations)].append(source)
    rows = [
        Row(_listed(endpoints[each] for each in ids), _listed(endpoints[each] for each in destinations), *reach)
        for (reach, destinations), ids in sources.items()
    ]
    return sorted(merged(rows), key=order)


def _listed(endpoints: Iterable[Endpoint]) -> Listed:
    held = tuple(endpoints)
    workloads = tuple(each for each in held if isinstance(each, Workload))
    blocks = tuple(each for each in held if isinstance(each, ExternalBlock))
    return Listed(workloads, blocks, any(isinstance(each, IngressController) for each in held))

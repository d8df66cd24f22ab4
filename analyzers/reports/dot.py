"""DOT: a drawing of the reachability, namespaces as clusters and addresses outside apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from textwrap import wrap
from typing import TYPE_CHECKING

from analyzers.impact.report import DiffReport, Effect, Explanation, MatrixReport, Step
from analyzers.model.diagnostics import Diagnostic
from analyzers.reports import headline
from analyzers.reports.context import Context
from analyzers.reports.dot_graph import OUTSIDE, written
from analyzers.reports.escape import printable
from analyzers.reports.gap_words import kinds_left_out
from analyzers.reports.phrases import counted
from analyzers.reports.ports import ports_in_words
from analyzers.sets.connections import ConnectionSet

if TYPE_CHECKING:
    from networkx import MultiDiGraph

MOST_NODES = 300
"""Endpoints that are drawn one by one; a graph of more is drawn by namespace."""

MOST_EDGES = 3_000
"""Flows that are drawn one by one."""

_WRAPPED = 60
"""Columns of a sentence in a label."""

_STYLES: Mapping[str, Mapping[str, str]] = {
    "connects": {},
    "opened": {"color": "darkgreen", "fontcolor": "darkgreen", "style": "solid"},
    "closed": {"color": "red3", "fontcolor": "red3", "style": "dashed"},
    "silent": {"color": "gray50", "style": "dashed"},
}

Edge = tuple[str, str, str, ConnectionSet, ConnectionSet]
"""Source, destination, a key of `_STYLES`, the ports, and the part of them that is only may."""


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """Everything that connects."""

    def edges() -> Iterator[Edge]:
        flows = (flow for flow in report.flows() if context.shows(flow.source, flow.destination))
        return ((flow.source, flow.destination, "connects", flow.connections, flow.may) for flow in flows)

    return _drawn(edges, [each.id for each in report.endpoints], {}, _comment(headline.of_matrix(report), report.diagnostics))


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """What opens (green, solid) and what closes (red, dashed); what stays is left out."""

    def edges() -> Iterator[Edge]:
        for pair in report.pairs():
            if context.shows(pair.source, pair.destination):
                for style, ports in (("opened", pair.opened), ("closed", pair.closed)):
                    if ports:
                        yield (pair.source, pair.destination, style, ports, pair.may)

    marks = dict.fromkeys(report.workloads.added, "new") | dict.fromkeys(report.workloads.removed, "removed")
    return _drawn(edges, [], marks, _comment(headline.of_diff(report), report.diagnostics))


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """From the source through the policies that speak about it, and about the destination, to the destination."""
    from networkx import MultiDiGraph

    graph: MultiDiGraph[str] = MultiDiGraph()
    graph.add_node("source", lines=(report.source,), style="bold")
    graph.add_node("between", lines=("",), shape="point")
    graph.add_node("destination", lines=(report.destination,), style="bold")
    _through(graph, "leaving", report.egress, "source", "between")
    _through(graph, "entering", report.ingress, "between", "destination")
    said = f"{report.source} to {report.destination}: {headline.of_explanation(report)}"
    return written(graph, _comment(said, report.diagnostics))


def _comment(said: str, diagnostics: Sequence[Diagnostic]) -> str:
    """What the first line of a drawing says, the policies that it leaves out among it."""
    left_out = kinds_left_out(diagnostics)
    return f"{said}; kinds not supported: {left_out}" if left_out else said


def _drawn(edges: Callable[[], Iterable[Edge]], endpoints: Sequence[str], marks: Mapping[str, str], comment: str) -> Iterator[str]:
    """Endpoint by endpoint, or namespace by namespace where that would be too much to look at. `endpoints` are drawn in any case."""
    few = tuple(islice(edges(), MOST_EDGES + 1))
    ends = sorted({*endpoints, *(end for edge in few for end in edge[:2])})
    if len(few) <= MOST_EDGES and len(ends) <= MOST_NODES:
        return written(_endpoint_graph(few, ends, marks), comment)
    return written(_namespace_graph(edges(), endpoints), f"{comment}; drawn by namespace, because there is too much to draw one by one")


def _endpoint_graph(edges: Iterable[Edge], ends: Iterable[str], marks: Mapping[str, str]) -> MultiDiGraph[str]:
    from networkx import MultiDiGraph

    graph: MultiDiGraph[str] = MultiDiGraph()
    for end in ends:
        mark = marks.get(end)
        graph.add_node(end, cluster=_cluster(end), lines=(*_lines(end), *((f"({mark})",) if mark else ())))
    for source, destination, style, ports, may in edges:
        graph.add_edge(source, destination, lines=(ports_in_words(ports, may),), **_STYLES[style])
    return graph


def _namespace_graph(edges: Iterable[Edge], endpoints: Iterable[str]) -> MultiDiGraph[str]:
    from networkx import MultiDiGraph

    counts = Counter((_cluster(edge[0]), _cluster(edge[1]), edge[2]) for edge in edges)
    held = {_cluster(each) for each in endpoints} | {end for source, destination, _ in counts for end in (source, destination)}
    graph: MultiDiGraph[str] = MultiDiGraph()
    for name in sorted(held):
        graph.add_node(_namespace_node(name), lines=("outside the cluster",) if name == OUTSIDE else ("namespace", name))
    for (source, destination, style), number in sorted(counts.items()):
        graph.add_edge(_namespace_node(source), _namespace_node(destination), lines=(counted(number, "pair"),), **_STYLES[style])
    return graph


def _namespace_node(name: str) -> str:
    return "outside" if name == OUTSIDE else f"namespace {name}"


def _cluster(end: str) -> str:
    """The namespace of an endpoint id; only workloads' ids end in a kind."""
    return end.partition("/")[0] if end.endswith("]") else OUTSIDE


def _lines(end: str) -> tuple[str, ...]:
    if not end.endswith("]"):
        return (end,)
    name, _, kind = end.partition("/")[2].rpartition("[")
    return (name, kind.removesuffix("]"))


def _through(graph: MultiDiGraph[str], direction: str, steps: Sequence[Step], source: str, destination: str) -> None:
    """One node for each policy, with what it and its rules do; green where some rule allows."""
    by_policy: dict[str, list[Step]] = {}
    for step in steps:
        by_policy.setdefault(step.policy or "", []).append(step)
    for number, (policy, said) in enumerate(by_policy.items()):
        node = f"{direction} {number}"
        sentences = (f"{step.rule or ''} {step.effect}: {step.detail}".strip() for step in said)
        lines = tuple(line for each in sentences for line in wrap(printable(each), _WRAPPED))
        style = _STYLES["opened" if any(step.effect is Effect.ALLOWS for step in said) else "silent"]
        graph.add_node(node, lines=(policy, *lines) if policy else lines, shape="note")
        graph.add_edge(source, node, **style)
        graph.add_edge(node, destination, **style)

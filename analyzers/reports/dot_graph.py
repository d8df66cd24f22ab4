"""Writes a networkx graph in the DOT language, namespaces as clusters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from analyzers.reports.escape import printable, shortened

if TYPE_CHECKING:
    from networkx import MultiDiGraph

LONGEST_LABEL = 120
"""Characters of one line of a label."""

OUTSIDE = ""
"""The cluster of addresses outside. No namespace has this name."""


def written(graph: MultiDiGraph[str], comment: str = "") -> Iterator[str]:
    """The DOT text, one statement a line. Beside attributes of DOT a node may have `cluster`, and a node or edge `lines` (its label)."""
    yield "digraph flowdelta {\n"
    if comment:
        yield f"  // {printable(comment)}\n"
    yield '  graph [rankdir="LR", ranksep="1.6", nodesep="0.4", fontname="sans-serif"];\n'
    yield '  node [shape="box", fontname="sans-serif"];\n'
    yield '  edge [fontname="sans-serif", fontsize="10"];\n'
    clusters: dict[str | None, list[str]] = defaultdict(list)
    for node, attributes in graph.nodes(data=True):
        clusters[attributes.get("cluster")].append(_node(node, attributes))
    for cluster, nodes in sorted(clusters.items(), key=lambda item: (item[0] is None, item[0] or "")):
        yield from nodes if cluster is None else _cluster(cluster, nodes)
    for source, destination, attributes in graph.edges(data=True):
        # An xlabel takes no part in the layout: with labels of edges graphviz needs minutes for hundreds of edges, and drops some.
        yield f"  {_quoted(source)} -> {_quoted(destination)}{_attributes(attributes, 'xlabel')};\n"
    yield "}\n"


def _cluster(name: str, nodes: list[str]) -> Iterator[str]:
    outside = name == OUTSIDE
    yield f"  subgraph {_quoted('cluster_outside' if outside else f'cluster_namespace_{name}')} {{\n"
    yield f"    label={_label(('outside the cluster' if outside else name,))};\n"
    yield '    style="dashed";\n' if outside else '    style="rounded";\n'
    yield from (f"  {node}" for node in nodes)
    yield "  }\n"


def _node(node: str, attributes: Mapping[str, object]) -> str:
    return f"  {_quoted(node)}{_attributes(attributes)};\n"


def _attributes(attributes: Mapping[str, object], label: str = "label") -> str:
    said = [f"{key}={_quoted(str(value))}" for key, value in attributes.items() if key not in ("cluster", "lines")]
    lines = attributes.get("lines")
    if isinstance(lines, tuple):
        said.insert(0, f"{label}={_label(lines)}")
    return f" [{', '.join(said)}]" if said else ""


def _quoted(text: str) -> str:
    """A quoted identifier: no character of the text can end it or start an escape."""
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _label(lines: tuple[str, ...]) -> str:
    """A quoted label: lines below each other; entities, which labels decode, stay what they were."""
    escaped = (_quoted(shortened(printable(line), LONGEST_LABEL).replace("&", "&amp;"))[1:-1] for line in lines)
    return '"' + "\\n".join(escaped) + '"'

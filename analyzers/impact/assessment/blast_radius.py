"""Blast radius: how many workloads each workload can come to in any number of hops, before and after a change.

Pods that no policy of either revision tells apart are one node of a graph. Pods that reach each other form one component; what a component
reaches is put together from those after it, so that each flow is looked at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from analyzers.impact.rows.endpoint_sets import EndpointSet, Members
from analyzers.impact.rows.folded import Folded
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.compiled import Compiled, Side, members_by_group
from analyzers.reachability.universe import Universe

if TYPE_CHECKING:
    from networkx import DiGraph

MOST_NODES: Final = 400
"""Nodes of a graph above which nothing is said of blast radii."""

MOST_CUTS: Final = 200_000
"""Times that a node is held against a set of peers while nodes are told apart."""

MOST_LISTED: Final = 100
"""Changes of a blast radius that are kept: the largest."""


class Radius(Struct, frozen=True):
    """Each of these workloads could come to so many others, and now to so many."""

    workloads: EndpointSet
    before: int
    after: int


class BlastRadius(Struct, frozen=True):
    """The blast radii that change, the largest growth first; `stopped` says why some may be missing."""

    changed: tuple[Radius, ...] = ()
    stopped: str = ""


def blast_radius(universe: Universe, compiled: Sequence[Compiled], changed: bool = True) -> BlastRadius:
    """The workloads that come to more, or to fewer, others in head than in base; none where no flow is `changed`."""
    if not changed:
        return BlastRadius()
    nodes = _nodes(universe, compiled)
    if nodes is None:
        return BlastRadius(stopped=f"more than {MOST_NODES} kinds of pods differ for policy, so blast radii were not counted")
    before, after = (_reached(nodes, each) for each in compiled)
    rows: dict[tuple[int, int], int] = defaultdict(int)
    counting = _Counting(universe)
    for classes, was, becomes in _by_workload(universe, list(zip(nodes, before, after, strict=True))):
        if was != becomes:
            rows[counting.others(classes, was), counting.others(classes, becomes)] |= classes
    found = (Radius(EndpointSet(universe, Members(classes)), *counts) for counts, classes in rows.items() if counts[0] != counts[1])
    ordered = sorted(found, key=lambda each: (each.before - each.after, each.workloads.first))
    stopped = f"the {MOST_LISTED} largest changes of {len(ordered):,} are listed" if len(ordered) > MOST_LISTED else ""
    return BlastRadius(tuple(ordered[:MOST_LISTED]), stopped)


def _nodes(universe: Universe, compiled: Sequence[Compiled]) -> list[int] | None:
    """Sets of classes that no cover of any revision tells apart, as subjects or as peers; None where there are too many."""
    sides = [side for each in compiled for side in (each.egress, each.ingress)]
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, key in enumerate(zip(*(side.group_of for side in sides), strict=True)):
        groups[key].append(number)
    nodes = [bits_of(numbers) for numbers in groups.values()]
    cuts = 0
    for peers in {classes for side in sides for classes in _peers(side)}:
        cuts += len(nodes)
        if len(nodes) > MOST_NODES or cuts > MOST_CUTS:
            return None
        nodes = [part for node in nodes for part in (node & peers, node & ~peers) if part]
    return nodes if len(nodes) <= MOST_NODES else None


def _peers(side: Side) -> Iterable[int]:
    return (classes for cover in side.covers for classes, _ in cover.pods)


def _reached(nodes: Sequence[int], compiled: Compiled) -> list[int]:
    """The classes that each node comes to in any number of hops, itself among them where it can come back."""
    from networkx import condensation, topological_sort  # imported here: a tenth of a second that most runs do not need

    graph = _graph(nodes, compiled)
    components = condensation(graph)
    beyond: dict[int, int] = {}
    for component in reversed(list(topological_sort(components))):
        members = components.nodes[component]["members"]
        comes_back = len(members) > 1 or all(graph.has_edge(each, each) for each in members)
        own = reduce(or_, (nodes[each] for each in members), 0) if comes_back else 0
        after = ((beyond[each] | _united(nodes, components.nodes[each]["members"])) for each in components.successors(component))
        beyond[component] = reduce(or_, after, own)
    place = components.graph["mapping"]
    return [beyond[place[each]] for each in range(len(nodes))]


def _united(nodes: Sequence[int], members: Iterable[int]) -> int:
    return reduce(or_, (nodes[each] for each in members), 0)


def _graph(nodes: Sequence[int], compiled: Compiled) -> DiGraph[int]:
    """Each node with those that it can reach in one hop, on any port."""
    from networkx import DiGraph

    graph: DiGraph[int] = DiGraph()
    graph.add_nodes_from(range(len(nodes)))
    columns = [(bits_of(numbers), compiled.ingress.covers[group]) for group, numbers in members_by_group(compiled.ingress)]
    for source, classes in enumerate(nodes):
        one = next(members_of(classes))
        cover, reached = compiled.egress.cover_of(one), 0
        for column, into in columns:
            mask = into.at(one)
            reached |= reduce(or_, (towards for towards, out in cover.within(column) if compiled.space.layers(out & mask)[1]), 0)
        graph.add_edges_from((source, other) for other, towards in enumerate(nodes) if towards & reached)
    return graph


def _by_workload(universe: Universe, found: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """What nodes reach before and after, as what workloads do: one whose pods differ reaches what any of them does."""
    folded = Folded(universe)
    yield from ((node & ~folded.own, was, becomes) for node, was, becomes in found if node & ~folded.own)
    for joint in folded.varied:
        own = bits_of(joint.classes)
        parts = [(was, becomes) for node, was, becomes in found if node & own]
        yield 1 << joint.classes[0], reduce(or_, (was for was, _ in parts)), reduce(or_, (becomes for _, becomes in parts))


class _Counting:
    """Counts the workloads in sets of classes; a set that stands in many rows is counted once."""

    def __init__(self, universe: Universe) -> None:
        self._universe, self._folded = universe, Folded(universe)
        self._known: dict[int, int] = {}

    def others(self, classes: int, reached: int) -> int:
        """How many workloads are reached, less the one that reaches them."""
        held = self._folded.of(reached)
        if held not in self._known:
            self._known[held] = sum(1 for _ in self._universe.within(held))
        return self._known[held] - bool(held & classes)

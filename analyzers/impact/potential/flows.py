"""Potential flows: how a change concerns pods that could exist, which policies select and no known workload is.

Representatives stand for them, and the engine decides about them as about any pod, in a universe of their own beside the known one, with
the known workloads that matter to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain, islice
from operator import or_

from msgspec.structs import replace

from analyzers.impact.assessment.severity import DEFAULT_RULES, SeverityRules
from analyzers.impact.causation.causes import Cause, ChangeKind
from analyzers.impact.causation.compared import ChangedPolicy, Compared
from analyzers.impact.potential.concerned import Bearing, concerned
from analyzers.impact.potential.weighing import PotentialWeighing
from analyzers.impact.report import FlowGroup, Potential
from analyzers.impact.rows.changes import Folding
from analyzers.impact.rows.groups import Group, group
from analyzers.impact.rows.pairs import PairRows
from analyzers.impact.rows.vias import Vias
from analyzers.model.cluster import Cluster
from analyzers.model.policy import Direction, PodPeer, Policy
from analyzers.model.representative import Representative
from analyzers.reachability.bits import bits_of, span_bits
from analyzers.reachability.compiled import Compiled, Decider
from analyzers.reachability.delta import Delta, OutsideChange, Rectangle, compare
from analyzers.reachability.index import PodIndex
from analyzers.reachability.policy_index import concerning, selecting
from analyzers.reachability.ports import PortSpace
from analyzers.reachability.representatives import Chosen, choose, port_space_with_names
from analyzers.reachability.universe import JointWorkload, Snapshot, join

_MOST_WORKLOADS = 10
"""Workloads named as what bears on a group."""


def potential_of(compared: Compared, changed: Sequence[ChangedPolicy], rules: SeverityRules = DEFAULT_RULES) -> Potential:
    """What changes between pods that could exist and all else, weighed by `rules`. Costs next to nothing where every selector at hand has
    a known pod."""
    bearing = _bearing(compared, changed)
    chosen = choose(bearing, compared.clusters, [each.index for each in compared.compiled])
    if not chosen.representatives:
        return Potential(impossible=chosen.impossible)
    return _Potential(compared, chosen, bearing, rules).changes(changed)


_Labels = tuple[dict[str, str], dict[str, str]]


def _bearing(compared: Compared, changed: Sequence[ChangedPolicy]) -> Bearing:
    found = [[policy for each in changed for policy in each.stated[revision]] for revision in (0, 1)]
    if compared.clusters[0] is not compared.clusters[1]:
        relabelled = bits_of(number for number, each in enumerate(compared.universe.classes) if _relabelled(each.shapes))
        namespaces = _relabelled_namespaces(compared.clusters)
        for revision, policies in enumerate(found):
            policies += _concerned_by(compared, revision, relabelled, namespaces)
    return tuple(tuple(dict.fromkeys(policies)) for policies in found)


def _concerned_by(compared: Compared, revision: int, relabelled: int, namespaces: Sequence[_Labels]) -> Iterator[Policy]:
    """The policies that are about relabelled pods, or that tell apart what namespaces were from what they are."""
    index, policies = compared.compiled[revision].index, compared.snapshots[revision].policies
    if relabelled:
        yield from selecting(policies, lambda subject: index.select(subject) & relabelled)
    if namespaces:
        yield from concerning(policies, lambda peer: _told_apart(peer, namespaces))


def _relabelled(shapes: Sequence[object]) -> bool:
    return None not in shapes and shapes[0] != shapes[1]


def _relabelled_namespaces(clusters: Sequence[Cluster]) -> list[_Labels]:
    """The labels of each namespace whose labels differ, in base and in head."""
    names = {name for cluster in clusters for name in cluster.namespaces}
    both = ((clusters[0].namespace_labels(name), clusters[1].namespace_labels(name)) for name in sorted(names))
    return [(dict(before), dict(after)) for before, after in both if before != after]


def _told_apart(peer: PodPeer, namespaces: Iterable[_Labels]) -> bool:
    """Whether the namespaces that a peer selects differ."""
    selector = peer.namespaces
    return not isinstance(selector, str) and any(selector.matches(before) != selector.matches(after) for before, after in namespaces)


class _Potential:
    """The comparison of a universe of representatives and of the known workloads that matter to them."""

    def __init__(self, compared: Compared, chosen: Chosen, bearing: Bearing, rules: SeverityRules) -> None:
        self._chosen = chosen
        found = concerned(compared, chosen.representatives, bearing)
        known = {index: compared.universe.workloads[index] for index in compared.universe.within(found.sources | found.destinations)}
        snapshots = [
            Snapshot(_with(compared, revision, chosen.representatives, known.values()), snapshot.policies)
            for revision, snapshot in enumerate(compared.snapshots)
        ]
        self.universe = universe = join(snapshots)
        self.stand_ins = bits_of(
            number for joint in universe.workloads if isinstance(joint.latest, Representative) for number in joint.classes
        )
        indices = compared.indices(universe, snapshots, self.stand_ins)
        # A known pod takes part at the ends at which its flows can change, and is as good as absent at others, whose policies need no look.
        places = {joint.id: bits_of(joint.classes) for joint in universe.workloads}
        ends = [
            (direction, reduce(or_, (places[known[index].id] for index in compared.universe.within(classes)), self.stand_ins))
            for direction, classes in ((Direction.EGRESS, found.sources), (Direction.INGRESS, found.destinations))
        ]
        policies = [[_selecting(each, index, *end) for end in ends] for index, each in zip(indices, snapshots, strict=True)]
        deciding = [Snapshot(each.cluster, [*one, *other]) for each, (one, other) in zip(snapshots, policies, strict=True)]
        space = port_space_with_names(universe, deciding)
        deciders = {index: Decider(index, space) for index in indices}
        self.base, self.head = (_compiled(deciders[index], space, ends, kept) for index, kept in zip(indices, policies, strict=True))
        head = replace(compared.clusters[-1], namespaces=snapshots[-1].cluster.namespaces)
        self._weighing = PotentialWeighing(universe, (self.base, self.head), head, [each.policies for each in deciding], rules)

    def changes(self, changed: Sequence[ChangedPolicy]) -> Potential:
        """What changes with a representative on either end."""
        table = Folding(self.universe, self.base, self.head).table(_touching(compare(self.base, self.head), self.stand_ins))
        groups = group(table, self.universe)
        causes = [(each.cause, self._reach(each.stated)) for each in changed]
        rows = tuple(self._flow_group(each, causes) for each in groups)
        ends = {joint.id: joint for each in groups for end in (each.sources, each.destinations) for joint in end.workloads}
        blocks = {block.id: block for each in groups for end in (each.sources, each.destinations) for block in end.blocks}
        return Potential(
            involved=tuple(ends[key] for key in sorted(ends)),
            blocks=tuple(blocks[key] for key in sorted(blocks)),
            groups=rows,
            pairs=lambda: iter(PairRows(self.universe, self.base.space, table, groups, Vias(self.universe, ()))),
            representatives=self._chosen.representatives,
            impossible=self._chosen.impossible,
            left_out=self._chosen.left_out,
        )

    def _reach(self, policies: Sequence[Sequence[Policy]]) -> dict[Direction, int]:
        """The classes that policies are about, by direction, as each revision states them."""
        reach = dict.fromkeys(Direction, 0)
        for compiled, stated in zip((self.base, self.head), policies, strict=True):
            for policy in stated:
                for direction in Direction:
                    reach[direction] |= compiled.index.select(policy.subject) if policy.decides(direction) else 0
        return reach

    def _flow_group(self, each: Group, causes: Sequence[tuple[Cause, dict[Direction, int]]]) -> FlowGroup:
        """A group with its ports read back, and the changed policies about either end; where there are none, the workloads that changed."""
        undo = tuple(
            cause
            for cause, reach in causes
            if reach[Direction.EGRESS] & each.sources.touched or reach[Direction.INGRESS] & each.destinations.touched
        )
        if not undo:
            ends = chain.from_iterable(end.workloads for end in (each.sources, each.destinations))
            undo = tuple(islice((cause for joint in ends for cause in _of_workload(joint)), _MOST_WORKLOADS))
        opened, closed, may = map(self.base.space.connections, each.alike)
        severity = self._weighing.severity(each.sources, each.destinations, opened) if opened else None
        return FlowGroup(each.sources, each.destinations, opened, closed, may, (undo,) if undo else (), severity)


def _of_workload(joint: JointWorkload) -> Iterator[Cause]:
    """A workload that came, went or has other pods, as a cause."""
    base, head = joint.versions[0], joint.versions[-1]
    latest = joint.latest
    if base is not None and head is not None and base.shapes == head.shapes:
        return
    change = ChangeKind.ADDED if base is None else ChangeKind.REMOVED if head is None else ChangeKind.MODIFIED
    side = "base" if head is None else "head"
    for origin in latest.origins[:1]:
        yield Cause(f"{latest.kind} {latest.namespace}/{latest.name}", change, (), origin.path, origin.line, side)


def _with(compared: Compared, revision: int, representatives: Sequence[Representative], known: Iterable[JointWorkload]) -> Cluster:
    """A revision's cluster of representatives and a part of its workloads; what leads in from outside is left out."""
    namespaces = {
        **compared.clusters[revision].namespaces,
        **{pod.namespace: pod.namespace_labels for pod in representatives if pod.made_up},
    }
    versions = (joint.versions[revision] for joint in known)
    return Cluster(namespaces, (*(version for version in versions if version is not None), *representatives))


_End = tuple[Direction, int]
"""A direction, and the classes whose policies are asked in it."""


def _selecting(snapshot: Snapshot, index: PodIndex, direction: Direction, classes: int) -> tuple[Policy, ...]:
    """The policies that decide something for some classes in a direction. Those of other namespaces are not read."""
    spans = index.universe.spans.items()
    namespaces = {name for name, (start, stop) in spans if classes & span_bits(start, stop)}
    return tuple(policy for policy in snapshot.about(namespaces, direction) if index.select(policy.subject) & classes)


def _compiled(decider: Decider, space: PortSpace, ends: Sequence[_End], policies: Sequence[Sequence[Policy]]) -> Compiled:
    egress, ingress = (decider.side(direction, kept, classes) for (direction, classes), kept in zip(ends, policies, strict=True))
    return Compiled(decider.index, space, egress, ingress)


def _touching(delta: Delta, classes: int) -> Delta:
    """The changes with an end in some classes."""
    outside = (replace(each, classes=each.classes & classes) for each in delta.outside if each.classes & classes)
    return Delta(tuple(part for each in delta.between for part in _parts(each, classes)), tuple[OutsideChange, ...](outside))


def _parts(each: Rectangle, classes: int) -> Iterator[Rectangle]:
    if each.sources & classes:
        yield replace(each, sources=each.sources & classes)
    if each.sources & ~classes and each.destinations & classes:
        yield replace(each, sources=each.sources & ~classes, destinations=each.destinations & classes)

"""The diff: two compiled revisions of one universe become a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from analyzers.impact.bearing import Bearing, bearings
from analyzers.impact.causes import Bodies, Cause, ChangedObject, causes_of, changed_objects
from analyzers.impact.changes import Folding
from analyzers.impact.endpoint_sets import EndpointSet, Members
from analyzers.impact.groups import Group, group
from analyzers.impact.pairs import PairRows
from analyzers.impact.report import DiffReport, FlowGroup, Revision, Scope, Summary, WorkloadChanges, digest_of
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.records import ObjectRecord, PolicyMeaning
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.delta import compare
from analyzers.reachability.universe import Snapshot, Universe


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """One revision as the diff takes it; `objects` are its settled objects, whose documents `bodies` reads again."""

    revision: Revision
    snapshot: Snapshot
    compiled: Compiled
    objects: tuple[ObjectRecord, ...]
    bodies: Bodies
    scope: Scope


def diff(universe: Universe, base: Analysed, head: Analysed, diagnostics: tuple[Diagnostic, ...], cluster: str | None = None) -> DiffReport:
    """What changes from base to head, both compiled over `universe`."""
    table = Folding(universe, base.compiled, head.compiled).table(compare(base.compiled, head.compiled))
    groups = group(table, universe)
    changed = changed_objects(base.objects, head.objects)
    bearing = bearings(universe, (base.snapshot, head.snapshot), (base.compiled, head.compiled), changed)
    causes = _Causes(changed, bearing, base, head)
    flow_groups = tuple(_flow_group(each, base.compiled, causes) for each in groups)
    involved = _involved(universe, groups)
    return DiffReport(
        base=base.revision,
        head=head.revision,
        scope=head.scope,
        groups=flow_groups,
        pairs=lambda: iter(PairRows(universe, base.compiled.space, table, groups)),
        involved=tuple(involved.workloads),
        all_workloads=universe.workloads,
        blocks=involved.blocks,
        workloads=_workload_changes(universe),
        policy_changes=causes.of_policies,
        services=head.snapshot.cluster.services,
        summary=_summary(flow_groups),
        digest=digest_of(cluster, flow_groups, involved.blocks),
        diagnostics=diagnostics,
        cluster=cluster,
    )


class _Causes:
    """The causes of everything that changed, their documents read again once."""

    def __init__(self, changed: Sequence[ChangedObject], bearing: Sequence[Bearing], base: Analysed, head: Analysed) -> None:
        policies = [each for each in changed if any(side and isinstance(side.meaning, PolicyMeaning) for side in (each.base, each.head))]
        told = list(dict.fromkeys((*policies, *(each.changed for each in bearing))))
        self._causes = dict(zip(told, causes_of(told, base.bodies, head.bodies), strict=True))
        self._bearing = bearing
        self.of_policies = tuple(self._causes[each] for each in policies)

    def of(self, group: Group) -> tuple[Cause, ...]:
        """The changed objects that bear on a group."""
        return tuple(self._causes[each.changed] for each in self._bearing if each.on(group.sources, group.destinations))


def _flow_group(each: Group, compiled: Compiled, causes: _Causes) -> FlowGroup:
    """A group with its ports read back and one alternative of causes: everything changed that bears on either end."""
    undo = causes.of(each)
    opened, closed, may = map(compiled.space.connections, each.alike)
    return FlowGroup(each.sources, each.destinations, opened, closed, may, (undo,) if undo else ())


def _involved(universe: Universe, groups: Sequence[Group]) -> EndpointSet:
    """Every endpoint that the groups name."""
    ends = [end.members for each in groups for end in (each.sources, each.destinations)]
    classes = reduce(or_, (members.classes for members in ends), 0)
    singles = frozenset[int]().union(*(members.singles for members in ends))
    whole = {index for index in singles if classes >> universe.workloads[index].classes[0] & 1}
    blocks = {block.name(): block for members in ends for block in members.blocks}
    return EndpointSet(universe, Members(classes, singles - whole, tuple(blocks[name] for name in sorted(blocks))))


def _workload_changes(universe: Universe) -> WorkloadChanges:
    found: dict[str, list[str]] = {"added": [], "removed": [], "relabelled": []}
    for joint in universe.workloads:
        base, head = joint.versions
        if base is None or head is None:
            found["added" if base is None else "removed"].append(joint.id)
        elif {shape.labels for shape in base.shapes} != {shape.labels for shape in head.shapes}:
            found["relabelled"].append(joint.id)
    return WorkloadChanges(**{kind: tuple(ids) for kind, ids in found.items()})


def _summary(groups: Sequence[FlowGroup]) -> Summary:
    pairs = [len(each.sources) * len(each.destinations) for each in groups]
    opened = sum(count for count, each in zip(pairs, groups, strict=True) if each.opened)
    closed = sum(count for count, each in zip(pairs, groups, strict=True) if each.closed)
    return Summary(len(groups), sum(pairs), opened, closed)

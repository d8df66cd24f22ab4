"""The diff: two compiled revisions of one universe become a report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial, reduce
from operator import or_

from msgspec import Struct

from analyzers.impact.assessment.assess import assess
from analyzers.impact.assessment.blast_radius import blast_radius
from analyzers.impact.assessment.severity import DEFAULT_RULES, SeverityRules
from analyzers.impact.causation.bearing import bearings
from analyzers.impact.causation.causes import Bodies, changed_objects
from analyzers.impact.causation.causing import Causing
from analyzers.impact.causation.changed import Side
from analyzers.impact.causation.compared import ChangedPolicy, Compared
from analyzers.impact.causation.reasons import named_in, reasons
from analyzers.impact.potential.flows import potential_of
from analyzers.impact.report import DiffReport, FlowGroup, Scope, Summary, WorkloadChanges, digest_of
from analyzers.impact.rows.changes import Folding
from analyzers.impact.rows.endpoint_sets import EndpointSet, Members
from analyzers.impact.rows.groups import Group, group
from analyzers.impact.rows.outages import blocked_notes, blocked_ways, publications
from analyzers.impact.rows.pairs import PairRows
from analyzers.impact.rows.vias import Vias
from analyzers.model.diagnostics import Diagnostic, of_both_sides
from analyzers.model.records import ObjectRecord
from analyzers.model.revision import Revision
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.delta import compare
from analyzers.reachability.universe import Snapshot, Universe
from analyzers.reachability.ways_in import WaysIn


class Analysed(Struct, frozen=True, eq=False):
    """One revision as the diff takes it; `objects` are its settled objects, whose documents `bodies` reads again. Objects that both
    revisions share may be left out of both."""

    revision: Revision
    snapshot: Snapshot
    compiled: Compiled
    objects: tuple[ObjectRecord, ...]
    bodies: Bodies
    scope: Scope


def diff(
    universe: Universe,
    base: Analysed,
    head: Analysed,
    diagnostics: tuple[Diagnostic, ...],
    cluster: str | None = None,
    rules: SeverityRules = DEFAULT_RULES,
) -> DiffReport:
    """What changes from base to head, both compiled over `universe`; what opens is weighed by `rules`."""
    delta = compare(base.compiled, head.compiled)
    before, after = (WaysIn(each.compiled, each.snapshot) for each in (base, head))
    table = Folding(universe, base.compiled, head.compiled).table(delta, before.pieces, after.pieces)
    groups = group(table, universe)
    changed = changed_objects(base.objects, head.objects)
    bearing = bearings(universe, (base.compiled, head.compiled), (before, after), changed)
    causing = Causing(universe, (_side(base), _side(head)), changed, bearing, groups, (base.bodies, head.bodies))
    both = (base.compiled, head.compiled)
    clusters = (base.snapshot.cluster, head.snapshot.cluster)
    assessed = assess(causing.groups, universe, clusters, both, (before, after), rules)
    involved = _involved(universe, groups)
    notes = of_both_sides(blocked_notes(before), blocked_notes(after))
    published = publications(base.snapshot.cluster, head.snapshot.cluster)
    policies = tuple(ChangedPolicy.of(*each) for each in zip(causing.stating, causing.of_policies, strict=True))
    compared = Compared(universe, (base.snapshot, head.snapshot), both)
    potential = potential_of(compared, policies, rules)
    return DiffReport(
        base=base.revision,
        head=head.revision,
        scope=head.scope,
        groups=assessed.groups,
        pairs=lambda: iter(PairRows(universe, base.compiled.space, table, groups, Vias(universe, (before, after)))),
        involved=tuple(involved.workloads),
        all_workloads=universe.workloads,
        blocks=involved.blocks,
        workloads=_workload_changes(universe),
        policy_changes=causing.of_policies,
        clusters=clusters,
        summary=_summary(assessed.groups),
        digest=digest_of(cluster, assessed.groups, involved.blocks),
        diagnostics=tuple(sorted((*diagnostics, *notes), key=lambda each: each.sort_key)),
        cluster=cluster,
        controller=involved.controller,
        blocked=blocked_ways(before, after),
        publications=published,
        paths=assessed.paths,
        blast_radius=cache(partial(blast_radius, universe, both, bool(groups))),
        potential=potential,
        no_effect=cache(partial(reasons, compared, policies, potential, named_in(assessed.groups))),
        protection=causing.protection,
        may_break_stopped=assessed.stopped,
    )


def _side(each: Analysed) -> Side:
    return Side(each.snapshot, each.compiled, each.objects)


def _involved(universe: Universe, groups: Sequence[Group]) -> EndpointSet:
    """Every endpoint that the groups name."""
    ends = [end.members for each in groups for end in (each.sources, each.destinations)]
    classes = reduce(or_, (members.classes for members in ends), 0)
    singles = frozenset[int]().union(*(members.singles for members in ends))
    whole = {index for index in singles if classes >> universe.workloads[index].classes[0] & 1}
    blocks = {block.name(): block for members in ends for block in members.blocks}
    controller = any(members.controller for members in ends)
    return EndpointSet(universe, Members(classes, singles - whole, tuple(blocks[name] for name in sorted(blocks)), controller))


def _workload_changes(universe: Universe) -> WorkloadChanges:
    found: dict[str, list[str]] = {"added": [], "removed": [], "relabelled": []}
    for joint in universe.workloads:
        base, head = joint.versions
        if base is None or head is None:
            found["added" if base is None else "removed"].append(joint.id)
        elif base is not head and {shape.labels for shape in base.shapes} != {shape.labels for shape in head.shapes}:
            found["relabelled"].append(joint.id)
    return WorkloadChanges(**{kind: tuple(ids) for kind, ids in found.items()})


def _summary(groups: Sequence[FlowGroup]) -> Summary:
    pairs = [len(each.sources) * len(each.destinations) for each in groups]
    opened = sum(count for count, each in zip(pairs, groups, strict=True) if each.opened)
    closed = sum(count for count, each in zip(pairs, groups, strict=True) if each.closed)
    return Summary(len(groups), sum(pairs), opened, closed)

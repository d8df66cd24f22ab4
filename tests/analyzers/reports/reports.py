"""Reports made by hand, of any size and with any names, over a real universe of endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from analyzers.impact.causation.causes import Cause, ChangeKind, FieldChange
from analyzers.impact.report import DiffReport, FlowGroup, MatrixReport, Scope, Summary, WorkloadChanges
from analyzers.impact.rows.endpoint_sets import EndpointSet, Members
from analyzers.model.cluster import Cluster, PodShape, Service, Workload
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.revision import Revision
from analyzers.model.selectors import canonical_labels
from analyzers.reachability.universe import Snapshot, Universe, join
from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock, parse_address

NONE = ConnectionSet()
ALL = ConnectionSet.everything()
OUTSIDE = (parse_address("0.0.0.0/0"), parse_address("::/0"))


def ports(*numbers: int, protocol: Protocol = Protocol.TCP) -> ConnectionSet:
    return ConnectionSet.of({protocol: IntervalSet.of((number, number) for number in numbers)})


def workload(namespace: str, name: str, kind: str = "Deployment", **labels: str) -> Workload:
    shape = PodShape(canonical_labels({"app": name, **labels}))
    return Workload(namespace, name, kind, (shape,), (SourceLocation(f"{namespace}/{name}.yaml", 1),))


def universe(workloads: Iterable[Workload], *, base: Iterable[Workload] | None = None) -> Universe:
    """Of two revisions: the workloads are those of head, and of base where nothing else is said."""
    head = tuple(workloads)
    return join([Snapshot(Cluster({}, tuple(each)), ()) for each in (head if base is None else base, head)])


def ends(known: Universe, *ids: str, blocks: Sequence[IPBlock] = ()) -> EndpointSet:
    indices = {joint.id: index for index, joint in enumerate(known.workloads)}
    return EndpointSet(known, Members(0, frozenset(indices[each] for each in ids), tuple(blocks)))


def group(
    sources: EndpointSet,
    destinations: EndpointSet,
    *,
    opened: ConnectionSet = NONE,
    closed: ConnectionSet = NONE,
    may: ConnectionSet = NONE,
    causes: Sequence[Cause] = (),
) -> FlowGroup:
    return FlowGroup(sources, destinations, opened, closed, may, (tuple(causes),) if causes else ())


def cause(title: str, change: ChangeKind = ChangeKind.ADDED, *fields: FieldChange, path: str = "policies.yaml") -> Cause:
    return Cause(title, change, fields, path, 7, "base" if change is ChangeKind.REMOVED else "head")


def report(
    known: Universe,
    groups: Sequence[FlowGroup],
    *,
    diagnostics: Sequence[Diagnostic] = (),
    services: Sequence[Service] = (),
    policy_changes: Sequence[Cause] = (),
    labels: tuple[str, str] = ("main", "feature"),
) -> DiffReport:
    blocks = tuple(dict.fromkeys(block for each in groups for end in (each.sources, each.destinations) for block in end.blocks))
    added = tuple(joint.id for joint in known.workloads if joint.versions[0] is None)
    removed = tuple(joint.id for joint in known.workloads if joint.versions[-1] is None)
    return DiffReport(
        base=Revision(labels[0], "9b04e17" * 5),
        head=Revision(labels[1], "3f2c1aa" * 5),
        scope=Scope(len(known.workloads), 2, 1, 3),
        groups=tuple(groups),
        pairs=lambda: iter(()),
        involved=known.workloads,
        all_workloads=known.workloads,
        blocks=blocks,
        workloads=WorkloadChanges(added, removed, ()),
        policy_changes=tuple(policy_changes),
        clusters=(Cluster({}, ()), Cluster({}, (), tuple(services))),
        summary=Summary(len(groups), 0, 0, 0),
        digest="sha256:" + "51c0ffee" * 8,
        diagnostics=tuple(diagnostics),
    )


def matrix_report(made: DiffReport) -> MatrixReport:
    """A matrix of the workloads of a diff, without flows."""
    endpoints = tuple(joint.latest for joint in made.all_workloads)
    return MatrixReport(made.head, made.scope, endpoints, lambda: iter(()), made.clusters[-1], made.diagnostics)


def relabelled(one: Workload, **labels: str) -> Workload:
    shape = replace(one.shapes[0], labels=canonical_labels(dict(one.shapes[0].labels) | labels))
    return replace(one, shapes=(shape,))

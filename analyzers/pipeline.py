"""The pipeline: trees of files in, reports out. The only module that knows every stage; each stage only goes down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from analyzers.dialects import DIALECTS
from analyzers.dialects.unsupported import is_policy_shaped
from analyzers.impact.diff import Analysed
from analyzers.impact.diff import diff as diff_analysed
from analyzers.impact.explain import Explainer, ExplainError, parse_port
from analyzers.impact.report import DiffReport, Explanation, Flow, MatrixReport, Revision, Scope
from analyzers.manifests.inventory import INVENTORY_KINDS, host_network_note, read_inventory, take_inventory
from analyzers.manifests.limits import Limits
from analyzers.manifests.load import Interest, load
from analyzers.manifests.objects import record, settle, with_namespace
from analyzers.manifests.reread import reread
from analyzers.manifests.shelf import MemoryShelf, Shelf
from analyzers.manifests.tree import Entry, Tree
from analyzers.model.cluster import Endpoint, HostNetwork
from analyzers.model.diagnostics import Diagnostic, is_complete, of_both_sides
from analyzers.model.manifest import Manifest
from analyzers.model.policy import Direction
from analyzers.model.records import Meaning, ObjectRecord, PolicyMeaning
from analyzers.reachability.compiled import compile_revisions
from analyzers.reachability.matrix import Matrix
from analyzers.reachability.universe import Snapshot, Universe, join

__all__ = ["ExplainError", "Options", "Revision", "diff", "explain", "matrix"]

Observer = Callable[[str, int, int], None]
"""Told the stage at work, and how much of how much of it is done (0 of 0 where that cannot be told); the caller owns clocks and bars."""

_CLAIMED = {kind: dialect for dialect in DIALECTS for kind in dialect.kinds}


def ignore(stage: str, done: int, total: int) -> None:
    """An observer that does nothing."""


def wanted(group: str, kind: str) -> bool:
    """Whether objects of this group and kind take part in the analysis, or must be reported because they would."""
    return (group, kind) in _CLAIMED or (group, kind) in INVENTORY_KINDS or is_policy_shaped(group, kind)


def interpret(manifest: Manifest) -> ObjectRecord:
    """What one wanted object means."""
    return record(manifest, _meaning)


def _meaning(manifest: Manifest) -> tuple[Meaning | None, tuple[Diagnostic, ...]]:
    """The meaning of an object whose namespace is known. A policy that no dialect claims has none, and a diagnostic."""
    dialect = _CLAIMED.get((manifest.group, manifest.kind))
    if dialect is not None:
        lowered = dialect.lower(manifest)
        return PolicyMeaning(lowered.policies), lowered.diagnostics
    if (manifest.group, manifest.kind) in INVENTORY_KINDS:
        return read_inventory(manifest), ()
    problem = f"{manifest.title} ({manifest.group}) decides traffic and is not analysed"
    return None, (Diagnostic.at("unsupported-kind", problem, manifest.location),)


INTEREST = Interest(wanted, interpret)


@dataclass(frozen=True, slots=True)
class Options:
    """How to analyse: how hostNetwork pods are read, the caps on what is read, and where readings are kept for the next time."""

    host_network: HostNetwork = HostNetwork.NODE
    limits: Limits = field(default_factory=Limits)
    shelf: Shelf[ObjectRecord] | None = None


DEFAULTS = Options()
UNNAMED = Revision("")


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """One revision as read from its tree."""

    revision: Revision
    snapshot: Snapshot
    objects: tuple[ObjectRecord, ...]
    scope: Scope
    diagnostics: tuple[Diagnostic, ...]
    listed: Mapping[str, Entry]


def matrix(tree: Tree, options: Options = DEFAULTS, *, revision: Revision = UNNAMED, observe: Observer = ignore) -> MatrixReport:
    """The reachability matrix of one tree of manifests."""
    read = _read(tree, options, revision, observe)
    observe("reachability", 0, 0)
    universe = join([read.snapshot])
    (compiled,) = compile_revisions(universe, [read.snapshot], options.host_network)
    found = Matrix(universe, compiled)
    return MatrixReport(revision, read.scope, _endpoints(universe, found), lambda: _flows(universe, found), read.diagnostics)


def diff(
    base: Tree,
    head: Tree,
    options: Options = DEFAULTS,
    *,
    base_revision: Revision,
    head_revision: Revision,
    observe: Observer = ignore,
) -> DiffReport:
    """What changes from one tree of manifests to another."""
    both = replace(options, shelf=MemoryShelf(options.shelf))
    sides = [_read(tree, both, revision, observe) for tree, revision in ((base, base_revision), (head, head_revision))]
    observe("reachability", 0, 0)
    snapshots = [side.snapshot for side in sides]
    universe = join(snapshots)
    compiled = compile_revisions(universe, snapshots, options.host_network)
    observe("diff", 0, 0)
    bodies = [
        partial(reread, tree, side.listed, wanted=wanted, settled=with_namespace) for tree, side in zip((base, head), sides, strict=True)
    ]
    before, after = (
        Analysed(side.revision, side.snapshot, one, side.objects, body, side.scope)
        for side, one, body in zip(sides, compiled, bodies, strict=True)
    )
    return diff_analysed(universe, before, after, of_both_sides(*(side.diagnostics for side in sides)))


def explain(tree: Tree, source: str, destination: str, port: str | None = None, options: Options = DEFAULTS) -> Explanation:
    """Why one end can or cannot reach another. Raises ExplainError."""
    question = parse_port(port) if port is not None else None
    asked = [(question.protocol, question.number)] if question is not None else []
    read = _read(tree, options, UNNAMED, ignore)
    universe = join([read.snapshot])
    (compiled,) = compile_revisions(universe, [read.snapshot], options.host_network, asked)
    return Explainer(universe, compiled, read.snapshot.policies, read.diagnostics).explain(source, destination, question)


def _read(tree: Tree, options: Options, revision: Revision, observe: Observer) -> _Read:
    """Load one tree and lower what it holds."""
    loaded = load(tree, INTEREST, options.limits, options.shelf, partial(observe, "read"))
    objects, settling = settle(loaded.found)
    cluster = take_inventory(objects)
    policies = tuple(policy for each in objects if isinstance(each.meaning, PolicyMeaning) for policy in each.meaning.policies)
    found = (*loaded.diagnostics, *settling, *host_network_note(cluster, options.host_network))
    empty = () if objects or not is_complete(found) else (Diagnostic("no-manifests", "no Kubernetes object was found"),)
    namespaces = {each.namespace for each in cluster.workloads} | set(cluster.namespaces)
    scope = Scope(len(cluster.workloads), len(policies), len(namespaces), loaded.files)
    diagnostics = tuple(sorted({*found, *empty}, key=lambda each: each.sort_key))
    return _Read(revision, Snapshot(cluster, policies), objects, scope, diagnostics, loaded.listed)


def _endpoints(universe: Universe, found: Matrix) -> tuple[Endpoint, ...]:
    """Every workload, and every block of addresses that some workload can reach or be reached from, by id."""
    pairs = ((direction, index) for direction in Direction for index in range(len(universe.workloads)))
    blocks = {block.id: block for pair in pairs for block, _ in found.outside(*pair)}
    endpoints: dict[str, Endpoint] = {**blocks, **{joint.id: joint.latest for joint in universe.workloads}}
    return tuple(endpoints[key] for key in sorted(endpoints))


def _flows(universe: Universe, found: Matrix) -> Iterator[Flow]:
    """The rows of a matrix, sorted by (source, destination)."""
    verdicts = found.compiled.space.verdicts
    ids = [joint.id for joint in universe.workloads]
    from_blocks = {block.id: row for block, row in found.from_outside().items()}
    for source, index in sorted([*((name, None) for name in from_blocks), *((name, index) for index, name in enumerate(ids))]):
        row = {ids[each]: mask for each, mask in (from_blocks[source] if index is None else found.towards_pods(index)).items()}
        if index is not None:
            row |= {block.id: mask for block, mask in found.outside(Direction.EGRESS, index)}
        for destination, mask in sorted(row.items()):
            read = verdicts(mask)
            yield Flow(source, destination, read.connections, read.may, read.conditions)

"""The pipeline: trees of files in, reports out. The only module that knows every stage; each stage only goes down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from analyzers.baseline.baseline import Baseline, Baselines, take_baseline
from analyzers.baseline.kept_sides import KeptSides
from analyzers.baseline.moved import KnownBase, same_inventory
from analyzers.baseline.resuming import Half, Reading, resume_from
from analyzers.baseline.running import with_running
from analyzers.baseline.surroundings import KeptSurroundings
from analyzers.dialects.admin_rules import mixed_apis
from analyzers.impact.assessment.severity import DEFAULT_RULES, SeverityRules
from analyzers.impact.causation.causes import Bodies
from analyzers.impact.clusters import Changes, DiffsReport, digest_of_all, holds_something
from analyzers.impact.diff import Analysed
from analyzers.impact.diff import diff as diff_analysed
from analyzers.impact.explanation.questions import ExplainError, parse_port
from analyzers.impact.report import DiffReport, Explanation, MatrixReport, Scope
from analyzers.impact.rows.flows import endpoints, flows
from analyzers.impact.rows.outages import blocked_notes
from analyzers.interest import interest
from analyzers.manifests.inventory import host_network_note, survey
from analyzers.manifests.kinds import CustomKinds
from analyzers.manifests.limits import Limits
from analyzers.manifests.load import Interest, Loaded, load
from analyzers.manifests.marked_shelf import MarkedShelf
from analyzers.manifests.objects import settle, with_namespace
from analyzers.manifests.reread import rendered_bodies, reread
from analyzers.manifests.running import Running
from analyzers.manifests.shelf import MemoryShelf, Shelf
from analyzers.manifests.tree import PartialTree, Tree, VersionedTree
from analyzers.model.cluster import HostNetwork
from analyzers.model.diagnostics import Diagnostic, is_complete, of_both_sides
from analyzers.model.manifest import Manifest
from analyzers.model.pod_network import PodNetworks
from analyzers.model.records import ObjectKey, ObjectRecord
from analyzers.model.revision import Revision
from analyzers.reachability.ambiguity import equal_priorities
from analyzers.reachability.compiled import Compiled, compile_revisions
from analyzers.reachability.matrix import Matrix
from analyzers.reachability.renumbering import Renumbering, narrowing, own_classes
from analyzers.reachability.universe import Snapshot, Universe, join
from analyzers.reachability.ways_in import WaysIn
from analyzers.rendering.clusters import ClusterError, SourcePair, chosen, clusters_of, paired, told_apart_by
from analyzers.rendering.source import Prepared, Source
from analyzers.rendering.stage import MemoryOutputs, Rendering, passes, plain_plan, plan_of, prepare
from analyzers.rendering.standing import are_several, deploys
from analyzers.units.unit import Plan

__all__ = [
    "Changes",
    "ClusterError",
    "ExplainError",
    "Options",
    "Revision",
    "compare",
    "diff",
    "explain",
    "like",
    "matrices",
    "matrix",
    "plan",
]

Observer = Callable[[str, int, int], None]
"""Told the stage at work, and how much of how much of it is done (0 of 0 where that cannot be told); the caller owns clocks and bars."""


def ignore(stage: str, done: int, total: int) -> None:
    """An observer that does nothing."""


class Options(Struct, frozen=True):
    """How to analyse: how hostNetwork pods are read, the caps on what is read, where readings are kept for the next time, kinds that make
    pods beside those that are known, the addresses of pods, how trees are rendered (not at all where that is None: files are read as
    written), the table by which what opens is weighed, and the cluster that is analysed ("" is what names none; None all of a comparison,
    else the only one); and what runs in clusters, by their names ("" is the only one, or what names none)."""

    host_network: HostNetwork = HostNetwork.NODE
    limits: Limits = field(default_factory=Limits)
    shelf: Shelf[ObjectRecord] | None = None
    kinds: CustomKinds = field(default_factory=CustomKinds)
    pods: PodNetworks = field(default_factory=PodNetworks)
    baselines: Baselines | None = None
    rendering: Rendering | None = None
    severity: SeverityRules = DEFAULT_RULES
    cluster: str | None = None
    running: Mapping[str, Running] = field(default_factory=dict)


DEFAULTS = Options()
UNNAMED = Revision("")


class _Read(Struct, frozen=True, eq=False):
    """One revision as read from its tree; `noticed` is what its inventory has to say."""

    reading: Reading
    snapshot: Snapshot
    noticed: tuple[Diagnostic, ...]
    scope: Scope
    diagnostics: tuple[Diagnostic, ...]


def matrix(tree: Tree, options: Options = DEFAULTS, *, revision: Revision = UNNAMED, observe: Observer = ignore) -> MatrixReport:
    """The reachability matrix of one cluster of a tree of manifests. Raises `ClusterError`."""
    source = _source(tree, options, observe)
    return _matrix(source, _settled(options, [source.cluster]), revision, observe)


def matrices(
    tree: Tree, options: Options = DEFAULTS, *, revision: Revision = UNNAMED, observe: Observer = ignore
) -> tuple[MatrixReport, ...]:
    """The reachability matrix of each cluster of a tree of manifests."""
    prepared = _prepared(tree, options, options.rendering, observe)
    held = clusters_of(prepared) or prepared.clusters[:1]
    options = _settled(options, held)
    return tuple(_matrix(prepared.source(each), options, revision, observe) for each in held)


def like(options: Options, report: Changes) -> Options:
    """The options by which one of the trees of a comparison is divided into clusters as the comparison was."""
    if options.rendering is None:
        return options
    return replace(options, rendering=replace(options.rendering, divided=isinstance(report, DiffsReport)))


def _matrix(source: Source, options: Options, revision: Revision, observe: Observer) -> MatrixReport:
    """The reachability matrix of one cluster."""
    read = _read_alone(source, options, observe)
    observe("reachability", 0, 0)
    universe = join([read.snapshot])
    (compiled,) = compile_revisions(universe, [read.snapshot], options.host_network)
    found, ways = Matrix(universe, compiled), WaysIn(compiled, read.snapshot)
    diagnostics = tuple(sorted((*read.diagnostics, *blocked_notes(ways)), key=lambda each: each.sort_key))
    rows = partial(flows, universe, found, ways)
    return MatrixReport(revision, read.scope, endpoints(universe, found, ways), rows, read.snapshot.cluster, diagnostics, source.cluster)


def diff(
    base: Tree,
    head: Tree,
    options: Options = DEFAULTS,
    *,
    base_revision: Revision,
    head_revision: Revision,
    observe: Observer = ignore,
) -> DiffReport:
    """What changes in one cluster, from one tree of manifests to another. Raises `ClusterError`."""
    report = compare(base, head, options, base_revision=base_revision, head_revision=head_revision, observe=observe)
    if isinstance(report, DiffsReport):
        held = [each.cluster for each in report.clusters]
        raise ClusterError("the repository holds several clusters, which are compared one by one", held)
    return report


def compare(
    base: Tree,
    head: Tree,
    options: Options = DEFAULTS,
    *,
    base_revision: Revision,
    head_revision: Revision,
    observe: Observer = ignore,
) -> Changes:
    """What changes from one tree of manifests to another, in each cluster by itself. Raises `ClusterError`."""
    options = replace(options, shelf=MemoryShelf(options.shelf))
    revisions = base_revision, head_revision
    resumed = None if options.cluster else _resumed(base, head, options, observe)
    if resumed is not None:
        return _differing(SourcePair(None, _unrendered(base), _unrendered(head)), resumed, revisions, options, observe)
    pairs = _pairs(base, head, options, observe)
    options = _settled(options, [each.cluster for each in pairs])
    name = _baseline_name(base, options) if len(pairs) == 1 else ""
    reports = [
        _differing(each, _whole(each.cluster, each.base, each.head, name, options, observe), revisions, options, observe) for each in pairs
    ]
    told = [(pair, report) for pair, report in zip(pairs, reports, strict=True) if pair.cluster is not None or holds_something(report)]
    if len(told) <= 1:
        return told[0][1] if told else reports[0]
    added, removed = (tuple(pair.cluster for pair, _ in told if pair.only == side) for side in ("head", "base"))
    digest = digest_of_all(report.digest for _, report in told)
    return DiffsReport(*revisions, tuple(report for _, report in told), digest, added, removed)


def _differing(
    pair: SourcePair, compared: tuple[Universe, Half, Half], revisions: tuple[Revision, Revision], options: Options, observe: Observer
) -> DiffReport:
    """What changes in one cluster."""
    universe, *halves = compared
    observe("diff", 0, 0)
    before, after = (
        Analysed(revision, half.snapshot, half.compiled, half.objects, _bodies(source, half, options), half.scope)
        for half, revision, source in zip(halves, revisions, (pair.base, pair.head), strict=True)
    )
    diagnostics = of_both_sides(*(half.diagnostics for half in halves))
    return diff_analysed(universe, before, after, diagnostics, pair.cluster, rules=options.severity)


def _unrendered(tree: Tree) -> Source:
    return Source(None, tree, passed=True)


def _source(tree: Tree, options: Options, observe: Observer) -> Source:
    """What is analysed of one tree."""
    if options.rendering is None and not options.cluster:
        return _unrendered(tree)
    return chosen(_prepared(tree, options, options.rendering, observe), options.cluster)


def _pairs(base: Tree, head: Tree, options: Options, observe: Observer) -> tuple[SourcePair, ...]:
    """What is analysed of the two trees of a comparison, by cluster."""
    if options.rendering is None and not options.cluster:
        return (SourcePair(None, _unrendered(base), _unrendered(head)),)
    rendering = options.rendering
    if rendering is not None:
        rendering = replace(rendering, outputs=MemoryOutputs(rendering.outputs))
    before = _prepared(base, options, rendering, observe)
    if rendering is not None:
        # What base holds decides, so that a change cannot hide a flow by dividing what it connects.
        rendering = replace(rendering, divided=before.divided)
    after = _prepared(head, options, rendering, observe)
    apart = told_apart_by(before, after)
    if rendering is not None and any(apart):
        renderings = (replace(rendering, apart=each) for each in apart)
        before, after = (_prepared(tree, options, each, observe) for tree, each in zip((base, head), renderings, strict=True))
    return paired(before, after, options.cluster)


def _prepared(tree: Tree, options: Options, rendering: Rendering | None, observe: Observer) -> Prepared:
    """A tree with its units rendered, if any are to be."""
    if rendering is None:
        return Prepared.whole(PartialTree(tree, tuple(tree.entries())))
    wanted = interest(options.kinds).wanted
    prepared = prepare(tree, rendering, wanted, observe, options.limits)
    if not prepared.passed:
        return prepared
    loaded, divided = _standing(prepared.files[None], options, rendering, observe)
    if loaded is not None:
        return replace(prepared, loaded=loaded)
    rendering = replace(rendering, staged=True, divided=divided)
    return replace(prepare(tree, rendering, wanted, observe, options.limits), divided=divided)


def _standing(tree: Tree, options: Options, rendering: Rendering, observe: Observer) -> tuple[Loaded[ObjectRecord] | None, bool]:
    """What a tree of plain files holds, if that is read as one; and whether the names of its folders divide it."""
    loaded = _loaded(tree, options, observe)
    divided = are_several(loaded.found) if rendering.divided is None else rendering.divided
    return (None if divided or deploys(loaded.found) else loaded), divided


def plan(tree: Tree, options: Options = DEFAULTS) -> Plan:
    """What would be read and rendered of a tree, for which cluster, and why. Nothing is rendered. Options must say how trees are."""
    rendering = options.rendering
    assert rendering is not None
    part = PartialTree(tree, tuple(tree.entries()))
    if passes(part.files, rendering):
        loaded, divided = _standing(part, options, rendering, ignore)
        if loaded is not None:
            return plain_plan(tree)
        rendering = replace(rendering, staged=True, divided=divided)
    return plan_of(tree, rendering, options.limits)


def _resumed(base: Tree, head: Tree, options: Options, observe: Observer) -> tuple[Universe, Half, Half] | None:
    """The comparison from the baseline that an earlier one with the same base left, if it can be."""
    name = _baseline_name(base, options)
    if options.baselines is None or not name or not isinstance(head, VersionedTree):
        return None
    content = options.baselines.recall_baseline(name)
    if content is None:
        return None
    observe("reachability", 0, 0)
    known = KnownBase(base, Baseline.decode(content), KeptSurroundings(options.baselines, name))
    return resume_from(known, head, partial(_reading, options=options), options.host_network, options.limits)


def _whole(cluster: str | None, base: Source, head: Source, name: str, options: Options, observe: Observer) -> tuple[Universe, Half, Half]:
    """The comparison of two revisions that are read and compiled from the beginning."""
    readings = (_reading(each.files, options, observe, each, cluster) for each in (base, head))
    at_base, at_head = with_running(tuple(readings), _running(cluster, options), _interest(options, cluster).interpret)
    before = _read(at_base, base, options)
    sides = before, _read(at_head, head, options, before)
    observe("reachability", 0, 0)
    snapshots = [side.snapshot for side in sides]
    universe = join(snapshots)
    compiled = compile_revisions(universe, snapshots, options.host_network)
    if options.baselines is not None and name and base.passed and before.reading.objects and before.reading.is_whole:
        with suppress(ValueError):  # a file name that is no Unicode
            options.baselines.keep_baseline(name, _baseline(before, universe, compiled[0]).encode())
            KeptSurroundings(options.baselines, name).keep(before.reading.objects)
    one, other = (
        Half(side.snapshot, each, side.reading.objects, side.reading.loaded.listed, side.scope, side.diagnostics)
        for side, each in zip(sides, compiled, strict=True)
    )
    return universe, one, other


def _baseline_name(tree: Tree, options: Options) -> str:
    """What a baseline is kept as: the tree, and how it is read. Empty for a tree without a name, or of which configuration makes
    units, and beside what runs."""
    rendering = options.rendering
    if not isinstance(tree, VersionedTree) or options.running or (rendering is not None and rendering.settings.decides_units):
        return ""
    return f"{tree.name} {options.host_network} {options.limits} {options.kinds} {options.pods} {rendering is not None}"


def _baseline(read: _Read, universe: Universe, compiled: Compiled) -> Baseline:
    """What is kept of base, over its own classes."""
    reading = read.reading
    own = own_classes(join([read.snapshot]))
    narrow = Renumbering(narrowing(own, universe))
    return take_baseline(
        layout=reading.loaded.layout,
        cluster=read.snapshot.cluster,
        scope=read.scope,
        diagnostics=read.diagnostics,
        described=reading.loaded.found,
        objects=reading.objects,
        listed=reading.loaded.listed,
        space=compiled.space,
        classes=tuple(own[each.id] for each in read.snapshot.cluster.workloads),
        sides=KeptSides.of(map(narrow.side, (compiled.egress, compiled.ingress))),
    )


def _bodies(source: Source, half: Half, options: Options) -> Bodies:
    wanted = interest(options.kinds).wanted

    def bodies(paths: Iterable[str]) -> Mapping[tuple[ObjectKey, str, int], Manifest]:
        asked = set(paths)
        read = reread(source.files, half.listed, asked & half.listed.keys(), wanted=wanted, settled=with_namespace)
        return {**read, **rendered_bodies(source.manifests, asked)}

    return bodies


def explain(tree: Tree, source: str, destination: str, port: str | None = None, options: Options = DEFAULTS) -> Explanation:
    """Why one end can or cannot reach another. Raises ExplainError."""
    from analyzers.impact.explanation.explain import Explainer  # the only command that explains pays for it

    question = parse_port(port) if port is not None else None
    asked = [(question.protocol, question.number)] if question is not None else []
    whole = _source(tree, options, ignore)
    read = _read_alone(whole, _settled(options, [whole.cluster]), ignore)
    universe = join([read.snapshot])
    (compiled,) = compile_revisions(universe, [read.snapshot], options.host_network, asked)
    return Explainer(universe, compiled, read.snapshot, read.diagnostics).explain(source, destination, question)


def _interest(options: Options, cluster: str | None) -> Interest[ObjectRecord]:
    """What is loaded of a cluster, and what is made of it."""
    return interest(options.kinds, options.pods.of(cluster))


def _reading(tree: Tree, options: Options, observe: Observer = ignore, source: Source | None = None, cluster: str | None = None) -> Reading:
    """Load one tree of a cluster, with what was rendered beside it, and settle what it holds."""
    loaded = source.loaded if source is not None and source.loaded is not None else _loaded(tree, options, observe, cluster)
    if source is None or source.passed:
        objects, settling = settle(loaded.found)
        return Reading(loaded, objects, (*loaded.diagnostics, *settling))
    made = map(_interest(options, cluster).interpret, source.manifests)
    found = tuple(sorted((*loaded.found, *made), key=lambda each: (each.location.path, each.location.line)))
    objects, settling = settle(found)
    return Reading(replace(loaded, found=found), objects, (*loaded.diagnostics, *source.diagnostics, *settling))


def _loaded(tree: Tree, options: Options, observe: Observer, cluster: str | None = None) -> Loaded[ObjectRecord]:
    """What a tree of one cluster holds."""
    network = options.pods.of(cluster)
    plain = options.kinds == CustomKinds() and not network
    shelf = options.shelf if options.shelf is None or plain else MarkedShelf(options.shelf, f"{options.kinds} {network}")
    return load(tree, _interest(options, cluster), options.limits, shelf, partial(observe, "read"))


def _settled(options: Options, clusters: Sequence[str | None]) -> Options:
    """The options with what runs under the names of the clusters that there are. Raises `ClusterError` for a cluster that is not there."""
    running = dict(options.running)
    if len(clusters) == 1 and clusters[0] and "" in running:
        running.setdefault(clusters[0], running.pop(""))
    known = {each or "" for each in clusters}
    named = known - {""} if len(clusters) > 1 else known
    unknown = [name for name, each in running.items() if name not in named and each.required and options.cluster is None]
    if unknown:
        what = (
            f"there is no cluster {unknown[0]!r}, whose inventory is given; there is" if unknown[0] else "name the cluster of the inventory"
        )
        raise ClusterError(what, clusters)
    return replace(options, running={name: each for name, each in running.items() if name in known})


def _running(cluster: str | None, options: Options) -> Running | None:
    """What runs in a cluster."""
    return options.running.get(cluster or "")


def _read_alone(source: Source, options: Options, observe: Observer) -> _Read:
    """Load one source that is not compared, and lower what it holds."""
    reading = _reading(source.files, options, observe, source, source.cluster)
    (whole,) = with_running((reading,), _running(source.cluster, options), _interest(options, source.cluster).interpret)
    return _read(whole, source, options)


def _read(reading: Reading, source: Source, options: Options, like: _Read | None = None) -> _Read:
    """Lower what was read of a source. Where it makes up the same cluster as another revision, they share it."""
    if like is not None and same_inventory(like.reading.objects, reading.objects):
        cluster, noticed = like.snapshot.cluster, like.noticed
    else:
        cluster, noticed = survey(reading.objects)
    snapshot = Snapshot(cluster, policies := reading.policies)
    admin = (*mixed_apis(policies), *equal_priorities(snapshot, options.host_network))
    found = (*reading.diagnostics, *noticed, *host_network_note(cluster, options.host_network), *admin)
    empty = () if reading.objects or not is_complete(found) else (Diagnostic("no-manifests", "no Kubernetes object was found"),)
    scope = Scope.of(snapshot, reading.loaded.files + source.rendered_from)
    diagnostics = tuple(sorted({*found, *empty}, key=lambda each: each.sort_key))
    return _Read(reading, snapshot, noticed, scope, diagnostics)

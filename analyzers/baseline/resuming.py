"""From a baseline to a comparison with it: only files that differ are read, and only what they can change is decided again.

Whatever is not certain to come out as if everything had been read is left to whoever reads everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from analyzers.baseline.baseline import Baseline, keys_of
from analyzers.baseline.moved import KnownBase, Moved, moved_objects
from analyzers.baseline.policies import EditedPolicies, KeptPolicies
from analyzers.impact.report import Scope
from analyzers.manifests.changes import MOST_CHANGES, changed_parts, within_caps
from analyzers.manifests.limits import Limits
from analyzers.manifests.load import Loaded
from analyzers.manifests.tree import Entry, PartialTree, Tree, VersionedTree
from analyzers.model.cluster import HostNetwork
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.policy import Policy, Tier
from analyzers.model.records import ObjectRecord, PolicyMeaning
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.index import PodIndex
from analyzers.reachability.rejoined import rejoin
from analyzers.reachability.renumbering import Grown, Renumbering
from analyzers.reachability.resumed import PolicyEdit, resume
from analyzers.reachability.universe import Snapshot, Universe
from analyzers.units.deployment import DEPLOYING

_OF_THE_TREE: Final = frozenset({"needs-rendering", "limit-exceeded", "unreadable-file"})
"""Diagnostics of the loader that say something of more than one file, or that a file was not read."""


class Reading(Struct, frozen=True, eq=False):
    """A tree as read: `objects` are what its documents settle to, `diagnostics` those of loading and settling."""

    loaded: Loaded[ObjectRecord]
    objects: tuple[ObjectRecord, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Its policies, in the order of its objects."""
        return tuple(policy for each in self.objects if isinstance(each.meaning, PolicyMeaning) for policy in each.meaning.policies)

    @property
    def policy_objects(self) -> tuple[ObjectRecord, ...]:
        """Its objects that state policies."""
        return tuple(each for each in self.objects if isinstance(each.meaning, PolicyMeaning))

    @property
    def is_whole(self) -> bool:
        """Whether no cap and no missing content kept a file from being read."""
        return not any(each.code in {"limit-exceeded", "unreadable-file"} for each in self.loaded.diagnostics)


class Half(Struct, frozen=True, eq=False):
    """One revision of a comparison, ready to be compared. Objects that both revisions share may be left out of both."""

    snapshot: Snapshot
    compiled: Compiled
    objects: tuple[ObjectRecord, ...]
    listed: Mapping[str, Entry]
    scope: Scope
    diagnostics: tuple[Diagnostic, ...]


def resume_from(
    base: KnownBase, head: VersionedTree, read: Callable[[Tree], Reading], host_network: HostNetwork, limits: Limits
) -> tuple[Universe, Half, Half] | None:
    """The comparison of head with a known base, as if both had been read whole; None where that is not certain to come out."""
    baseline = base.baseline
    changes = head.changes_from(base.tree, MOST_CHANGES)
    parts = changed_parts(base.tree, head, changes, baseline.layout) if changes is not None else None
    if parts is None:
        return None
    before, after = map(read, parts)
    if not _exchangeable(baseline, before, after, limits):
        return None
    moved = moved_objects(base, before.objects, after.objects, host_network)
    if moved is None:
        return None
    policies = KeptPolicies(baseline, moved.outlines, lambda entries: read(PartialTree(base.tree, entries)).loaded.found)
    edit = PolicyEdit(policies.positions_in(frozenset(before.loaded.listed)), after.policies)
    snapshots = Snapshot(baseline.cluster, policies), Snapshot(moved.cluster, EditedPolicies(policies, edit))
    joint = rejoin(baseline.cluster, baseline.classes, moved.cluster, moved.namespaces)
    universe = joint.universe
    compiled = _compiled(baseline, joint, snapshots, host_network)
    index = compiled.index if moved.cluster is baseline.cluster else PodIndex(universe, 1, snapshots[1], host_network)
    both = resume(compiled, index, snapshots, policies, edit)
    if both is None:
        return None
    scope, diagnostics = _after(baseline, snapshots[1], moved, before, after)
    return (
        universe,
        Half(snapshots[0], both[0], (*before.policy_objects, *moved.before), before.loaded.listed, baseline.scope, baseline.diagnostics),
        Half(snapshots[1], both[1], (*after.policy_objects, *moved.after), after.loaded.listed, scope, diagnostics),
    )


def _compiled(baseline: Baseline, joint: Grown, snapshots: Sequence[Snapshot], host_network: HostNetwork) -> Compiled:
    """Base over the classes that it has beside head."""
    sides = baseline.sides.read()
    if snapshots[0].cluster is not snapshots[1].cluster:
        sides = tuple(map(Renumbering(joint.origins).side, sides))
    egress, ingress = sides
    return Compiled(PodIndex(joint.universe, 0, snapshots[0], host_network), baseline.space, egress, ingress)


def _after(baseline: Baseline, snapshot: Snapshot, moved: Moved, before: Reading, after: Reading) -> tuple[Scope, tuple[Diagnostic, ...]]:
    """How much was analysed in head, and all its diagnostics."""
    files = baseline.scope.files - before.loaded.files + after.loaded.files
    found = {*baseline.diagnostics}.difference(before.diagnostics, moved.noticed_before).union(after.diagnostics, moved.noticed_after)
    return Scope.of(snapshot, files), tuple(sorted(found, key=lambda each: each.sort_key))


def _exchangeable(baseline: Baseline, before: Reading, after: Reading, limits: Limits) -> bool:
    """Whether head is base with the objects of one reading in place of those of the other, and nothing else."""
    if any(each.code in _OF_THE_TREE for side in (before, after) for each in side.loaded.diagnostics):
        return False
    if any((each.key.group, each.key.kind) in DEPLOYING for side in (before, after) for each in side.loaded.found):
        return False  # they say what of other files is deployed where
    if any(policy.tier is not Tier.NETWORK_POLICY for side in (before, after) for policy in side.policies):
        return False  # the admin tiers are compared with each other, too
    if not within_caps(baseline.layout, before.loaded.layout, after.loaded.layout, limits):
        return False
    was, becomes = Counter(keys_of(before.loaded.found)), Counter(keys_of(after.loaded.found))
    named = {*was, *becomes}
    every = Counter(key for key in baseline.keys if key in named)
    if any(max(was[key], becomes[key]) > 1 or every[key] != was[key] for key in named):
        return False  # an object that is described elsewhere as well
    return len(baseline.keys) > was.total() or bool(after.objects)

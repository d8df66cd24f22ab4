"""The files that differ between two trees, to be read alone: everything else of head is as in base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from analyzers.manifests.kustomizations import is_kustomization_name
from analyzers.manifests.limits import Limits
from analyzers.manifests.listing import is_manifest_name
from analyzers.manifests.load import Layout
from analyzers.manifests.templates import CHART, above
from analyzers.manifests.tree import Change, EntryKind, PartialTree, Tree

MOST_CHANGES: Final = 2_000
"""Changed paths above which reading everything costs hardly more."""


def changed_parts(base: Tree, head: Tree, changes: Sequence[Change], layout: Layout) -> tuple[PartialTree, PartialTree] | None:
    """The changed manifest files of base and of head; `layout` is that of base.

    None where more must be read to know what a change means: one of a chart or a kustomization, of what they or a link may speak of, or of
    a link itself.
    """
    if not all(_stands_alone(each, layout) for each in changes):
        return None
    concerned = [each for each in changes if is_manifest_name(each.path)]
    before = PartialTree(base, tuple(each.base for each in concerned if each.base is not None))
    return before, PartialTree(head, tuple(each.head for each in concerned if each.head is not None))


def _stands_alone(change: Change, layout: Layout) -> bool:
    """Whether nothing but the file itself is read otherwise because of a change."""
    appears = change.base is None or change.head is None
    kinds = {side.kind for side in (change.base, change.head) if side is not None}
    if kinds != {EntryKind.FILE} or (appears and layout.refers):
        return False
    if is_kustomization_name(change.path) or change.path.rpartition("/")[2] == CHART:
        return False
    return change.path not in layout.patches and layout.charts.isdisjoint(above(change.path))


def within_caps(layout: Layout, before: Layout, after: Layout, limits: Limits) -> bool:
    """Whether a tree stays clear of every cap on a whole tree when the files of one part of it become those of another."""
    files = layout.files - before.files + after.files
    size = layout.bytes - before.bytes + after.bytes
    nodes = layout.nodes - before.nodes + after.nodes
    return files <= limits.files and size <= limits.tree_bytes and nodes + limits.nodes <= limits.tree_nodes

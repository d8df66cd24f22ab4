"""Clusters of a repository: which of them is meant, and which of two revisions are the same. Objects of two clusters never meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from analyzers.configuration import NAME
from analyzers.rendering.source import Prepared, Source, alike

if TYPE_CHECKING:
    from analyzers.units.unit import Cluster


class ClusterError(Exception):
    """What was asked about is not one cluster. `reason` is a stable word."""

    reason = "cluster"

    def __init__(self, problem: str, known: Iterable[Cluster]) -> None:
        super().__init__(f"{problem}: {listed(known)}")
        self.known = tuple(known)


class SourcePair(Struct, frozen=True, eq=False):
    """What is compared of one cluster. `only` is `base` or `head` where no other revision has the cluster."""

    cluster: Cluster
    base: Source
    head: Source
    only: str = ""


def listed(clusters: Iterable[Cluster]) -> str:
    """`dev, prod, '' (what names no cluster)`."""
    names = sorted(clusters, key=lambda each: (each is None, each or ""))
    return ", ".join("'' (what names no cluster)" if each is None else each for each in names) or "none"


def chosen(prepared: Prepared, wanted: str | None) -> Source:
    """What is analysed of the cluster of a name, where "" is what names none; of the only one where none is wanted. Raises
    `ClusterError`."""
    held = clusters_of(prepared)
    if wanted is None:
        if len(held) > 1:
            raise ClusterError("the repository holds several clusters, which are analysed one by one; choose one of them", held)
        return prepared.source(held[0] if held else prepared.clusters[0])
    if (wanted or None) not in held:
        raise ClusterError(f"there is no cluster {wanted!r}; there is", held)
    return prepared.source(wanted or None)


def paired(base: Prepared, head: Prepared, wanted: str | None = None) -> tuple[SourcePair, ...]:
    """What is compared, cluster by cluster of the units that both revisions could render, in order of their names, what
    names none first. Where each revision has one cluster and only one
    of them is named, they are the same one. Raises `ClusterError` where the cluster that is wanted is in neither."""
    before, after = clusters_of(base), clusters_of(head)
    base, head = alike(base, head)
    if len(before) <= 1 and len(after) <= 1 and len({*before, *after} - {None}) <= 1:
        pairs: Sequence[SourcePair] = [_only_pair(base, head, before, after)]
    else:
        pairs = [_pair(base, head, each, before, after) for each in sorted({*before, *after}, key=_order)]
    if wanted is None:
        return tuple(pairs)
    found = tuple(each for each in pairs if each.cluster == (wanted or None))
    if not found:
        raise ClusterError(f"there is no cluster {wanted!r}; there is", (each.cluster for each in pairs))
    return found


def told_apart_by(base: Prepared, head: Prepared) -> tuple[frozenset[str], frozenset[str]]:
    """For each revision the clusters of the other one by which it must be divided too. What names no cluster belongs to the only one there
    is; where one revision has a single cluster and the other has more, it would belong to that one here and to none there."""
    before, after = (frozenset(each for each in side.clusters if each is not None) for side in (base, head))
    if len(before | after) < 2:
        return frozenset(), frozenset()
    return (after if len(before) == 1 else frozenset()), (before if len(after) == 1 else frozenset())


def clusters_of(prepared: Prepared) -> tuple[Cluster, ...]:
    """The clusters of a tree that hold anything."""
    named = {cluster for each in prepared.results for cluster in each.unit.clusters}
    filled = {cluster for cluster, tree in prepared.files.items() if any(entry.path != NAME for entry in tree.files)}
    return tuple(each for each in prepared.clusters if each in named | filled)


def _only_pair(base: Prepared, head: Prepared, before: Sequence[Cluster], after: Sequence[Cluster]) -> SourcePair:
    name = next((each for each in (*after, *before) if each is not None), None)
    one, other = (side.source(held[0] if held else name) for side, held in ((base, before), (head, after)))
    return SourcePair(name, one, other)


def _pair(base: Prepared, head: Prepared, cluster: Cluster, before: Sequence[Cluster], after: Sequence[Cluster]) -> SourcePair:
    only = "head" if cluster not in before else "base" if cluster not in after else ""
    return SourcePair(cluster, base.source(cluster), head.source(cluster), only)


def _order(cluster: Cluster) -> tuple[bool, str]:
    return (cluster is not None, cluster or "")

"""What the objects of a tree of plain files tell before it is read as one: that others are deployed by them, or that there are several
clusters."""

from __future__ import annotations

from collections.abc import Iterable
from posixpath import dirname

from analyzers.manifests.objects import DEFAULT_NAMESPACE
from analyzers.model.records import ObjectKey, ObjectRecord
from analyzers.units.clusters import cluster_of
from analyzers.units.deployment import DEPLOYING
from analyzers.units.unit import Cluster


def deploys(records: Iterable[ObjectRecord]) -> bool:
    """Whether some object is of Flux or Argo CD and says what is deployed where."""
    return any((each.key.group, each.key.kind) in DEPLOYING for each in records)


def are_several(records: Iterable[ObjectRecord]) -> bool:
    """Whether some object is described in folders that conventions give to different clusters, so that these cannot be one.

    Only objects that say their namespace are asked: the same folder may be applied to several namespaces. Nor are namespaces, which are
    often described wherever they are used.
    """
    first: dict[ObjectKey, Cluster] = {}
    for each in records:
        key = each.key
        if each.meaning is not None and key.namespace not in ("", DEFAULT_NAMESPACE):
            cluster = cluster_of(dirname(each.location.path))
            if cluster is not None and first.setdefault(key, cluster) != cluster:
                return True
    return False

"""Which workload a pod counts as: its controller, and the controller's own where manifests or naming conventions tell. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.model.manifest import Manifest, root
from analyzers.model.records import Identity, ObjectKey, ObjectRecord, PodMeaning

_FOLDED = frozenset({"ReplicaSet", "Job"})
"""Controllers that other controllers make; their own owner is the workload that people wrote."""

_HASH_LABEL = "pod-template-hash"


def controller_of(manifest: Manifest) -> Identity | None:
    """The owner that controls the object, if any. Raises InvalidObject."""
    for owner in root(manifest)["metadata"]["ownerReferences"].items():
        if owner["controller"].flag():
            return Identity(manifest.namespace, owner["name"].text(), owner["kind"].text())
    return None


class Owners:
    """The controllers that the objects of one revision declare."""

    def __init__(self, pods: Iterable[tuple[ObjectRecord, PodMeaning]]) -> None:
        declared = ((record, meaning.controller) for record, meaning in pods if record.key.kind in _FOLDED)
        self._workload = {_itself(record.key): _folded(record.key, owner) for record, owner in declared}

    def workload_of(self, key: ObjectKey, meaning: PodMeaning) -> Identity:
        """The identity under which the pods of an object are shown."""
        owner = meaning.controller
        if key.kind != "Pod" or owner is None or owner.kind == "Node":
            return _folded(key, owner)
        if owner in self._workload:
            return self._workload[owner]
        template_hash = dict(meaning.shape.labels).get(_HASH_LABEL, "")
        if owner.kind == "ReplicaSet" and template_hash and owner.name.endswith(f"-{template_hash}"):
            return Identity(owner.namespace, owner.name.removesuffix(f"-{template_hash}"), "Deployment")
        return owner


def _folded(key: ObjectKey, owner: Identity | None) -> Identity:
    """What an object that is no owned pod is shown as: a ReplicaSet as what controls it, a Job as its CronJob, anything else as itself."""
    folds = owner is not None and (key.kind == "ReplicaSet" or (key.kind == "Job" and owner.kind == "CronJob"))
    return owner if folds and owner is not None else _itself(key)


def _itself(key: ObjectKey) -> Identity:
    return Identity(key.namespace, key.name, key.kind)

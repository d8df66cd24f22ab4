"""Which workload a pod counts as: its controller, and the controller's own where manifests or naming conventions tell. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analyzers.model.manifest import Manifest, root

_FOLDED = frozenset({"ReplicaSet", "Job"})
"""Controllers that other controllers make; their own owner is the workload that people wrote."""

_HASH_LABEL = "pod-template-hash"


@dataclass(frozen=True, slots=True)
class Identity:
    """The name by which a workload is shown."""

    namespace: str
    name: str
    kind: str


def controller_of(manifest: Manifest) -> Identity | None:
    """The owner that controls the object, if any. Raises InvalidObject."""
    for owner in root(manifest)["metadata"]["ownerReferences"].items():
        if owner["controller"].flag():
            return Identity(manifest.namespace, owner["name"].text(), owner["kind"].text())
    return None


class Owners:
    """The controllers that the manifests of one revision declare."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        found = ((_identity(each), controller_of(each)) for each in manifests if each.kind in _FOLDED)
        self._owner = {identity: owner for identity, owner in found if owner is not None}

    def workload_of(self, manifest: Manifest, pod_labels: dict[str, str]) -> Identity:
        """The identity under which the pods of an object are shown. `pod_labels` are those of its pod template. Raises InvalidObject."""
        owner = controller_of(manifest)
        if manifest.kind not in {"Pod", *_FOLDED} or owner is None or owner.kind == "Node":
            return _identity(manifest)
        owner = self._owner.get(owner, owner)
        template_hash = pod_labels.get(_HASH_LABEL, "")
        if owner.kind == "ReplicaSet" and template_hash and owner.name.endswith(f"-{template_hash}"):
            return Identity(owner.namespace, owner.name.removesuffix(f"-{template_hash}"), "Deployment")
        return owner


def _identity(manifest: Manifest) -> Identity:
    return Identity(manifest.namespace, manifest.name, manifest.kind)

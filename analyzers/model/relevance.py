"""The fields of an object that the analysis reads: what is compared when an object is said to have changed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from analyzers.model.manifest import YamlList, YamlMap, YamlValue

_TOWARDS_PODS = ("template", "jobTemplate", "spec", "metadata", "containers", "initContainers", "domain", "devices", "interfaces")
_POD_FIELDS = ("labels", "hostNetwork", "ports", "name", "restartPolicy")

_WITH_TEMPLATES = frozenset({"", "apps", "extensions", "batch", "apps.openshift.io", "argoproj.io", "serving.knative.dev", "kubevirt.io"})
"""API groups in which a `template` is a pod template, and nothing around it matters but the fields on the way to it."""

_to_text = json.JSONEncoder(check_circular=False, sort_keys=True, separators=(",", ":")).encode  # no reading is circular

_NOT_OF_THE_OBJECT = ("apiVersion", "kind", "metadata", "status")


_METADATA = {
    "Namespace": ("labels", "ownerReferences"),
    "Pod": ("labels", "ownerReferences"),
    "Ingress": ("annotations",),
    "IngressClass": ("annotations",),
}
"""The fields of metadata that are read, by kind; of other kinds the owners."""


def relevant(body: YamlMap) -> dict[str, Any]:
    """The parts of an object that the analysis reads: labels, owners, and the specification less what does not concern the network."""
    metadata = body.get("metadata")
    kept: dict[str, Any] = {}
    if isinstance(metadata, YamlMap):
        names = _METADATA.get(str(body.get("kind")), ("ownerReferences",))
        kept["metadata"] = {name: metadata[name] for name in names if name in metadata}
    group = str(body.get("apiVersion")).rpartition("/")[0]
    spec = body.get("spec")
    if group not in _WITH_TEMPLATES:
        return kept | {name: value for name, value in body.items() if name not in _NOT_OF_THE_OBJECT}
    if isinstance(spec, YamlMap):
        kept["spec"] = _pod_view(spec) if "template" in spec or "jobTemplate" in spec or "containers" in spec else spec
    return kept


def content_digest(body: YamlMap) -> str:
    """A digest of the relevant fields: equal only when they are."""
    return hashlib.blake2b(_to_text(relevant(body)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _pod_view(value: YamlValue) -> Any:
    """A workload's specification less everything but pod labels, host network and container ports, lists kept at their positions."""
    if isinstance(value, YamlList):
        return [_pod_view(item) for item in value]
    if not isinstance(value, YamlMap):
        return value
    view: dict[str, Any] = {}
    for key, inner in value.items():
        if key in _TOWARDS_PODS:
            view[key] = _pod_view(inner)
        elif key in _POD_FIELDS:
            view[key] = inner
    return view

"""From documents to objects: the default namespace, one document an object, and validity object by object. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import InvalidObject, Manifest, root
from analyzers.model.metadata import GENERATED, check_dns_label, check_subdomain

CLUSTER_SCOPED = frozenset({("", "Namespace")})
DEFAULT_NAMESPACE = "default"

_PLACEHOLDER = re.compile(r"\{\{|\{%|\$\{|\$\(")

Meaning = TypeVar("Meaning")
ObjectKey = tuple[str, str, str, str]


def object_key(manifest: Manifest) -> ObjectKey:
    """What makes two documents the same object: group, kind, namespace and name."""
    return (manifest.group, manifest.kind, manifest.namespace, manifest.name)


def settle(manifests: Iterable[Manifest]) -> tuple[tuple[Manifest, ...], tuple[Diagnostic, ...]]:
    """The objects that the documents describe, in path order: with their namespace, valid names, and the last of several documents of one
    object."""
    objects: dict[ObjectKey, Manifest] = {}
    generated: list[Manifest] = []
    diagnostics: list[Diagnostic] = []
    for manifest in map(_with_namespace, manifests):
        if understand(manifest, _check_names, diagnostics) is None:
            continue
        if manifest.name.endswith(GENERATED):
            generated.append(manifest)
            continue
        earlier = objects.pop(object_key(manifest), None)
        if earlier is not None:
            problem = f"{manifest.title} is described at {earlier.location} too; this later one counts"
            diagnostics.append(Diagnostic.at("duplicate-object", problem, manifest.location))
        objects[object_key(manifest)] = manifest
    kept = sorted((*objects.values(), *generated), key=lambda each: (each.location.path, each.location.line))
    return tuple(kept), tuple(diagnostics)


def understand(manifest: Manifest, read: Callable[[Manifest], Meaning], diagnostics: list[Diagnostic]) -> Meaning | None:
    """What `read` makes of an object; None, and a diagnostic, when the API server would reject it."""
    try:
        return read(manifest)
    except InvalidObject as problem:
        code = "needs-rendering" if _PLACEHOLDER.search(problem.message) else "invalid-object"
        where = SourceLocation(manifest.location.path, problem.line)
        diagnostics.append(Diagnostic.at(code, f"{manifest.title}: {problem.message}", where))
        return None


def _with_namespace(manifest: Manifest) -> Manifest:
    if (manifest.group, manifest.kind) in CLUSTER_SCOPED:
        return replace(manifest, namespace="")
    return manifest if manifest.namespace else replace(manifest, namespace=DEFAULT_NAMESPACE)


def _check_names(manifest: Manifest) -> bool:
    metadata = root(manifest)["metadata"]
    if manifest.namespace:
        check_dns_label(metadata["namespace"], manifest.namespace)
        check_subdomain(metadata["name"], manifest.name)
    else:
        check_dns_label(metadata["name"], manifest.name)
    return True

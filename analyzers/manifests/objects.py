"""From documents to objects: the default namespace, valid names, and one record an object. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from analyzers.manifests.ways_in import CLUSTER_SCOPED as WAYS_OF_THE_CLUSTER
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import InvalidObject, Manifest, root
from analyzers.model.metadata import GENERATED, check_dns_label, check_subdomain
from analyzers.model.records import Meaning, ObjectKey, ObjectRecord
from analyzers.model.relevance import content_digest

_ADMIN_KINDS = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
CLUSTER_SCOPED = frozenset({("", "Namespace"), *(("policy.networking.k8s.io", kind) for kind in _ADMIN_KINDS), *WAYS_OF_THE_CLUSTER})
DEFAULT_NAMESPACE = "default"

_PLACEHOLDER = re.compile(r"\{\{|\{%|\$\{|\$\(")

Read = Callable[[Manifest], tuple[Meaning | None, tuple[Diagnostic, ...]]]
"""What an object of a wanted kind means, with what was noticed on the way. Raises InvalidObject."""


def record(manifest: Manifest, read: Read) -> ObjectRecord:
    """The record of one document; what the API server would reject has a diagnostic instead of a meaning."""
    manifest = with_namespace(manifest)
    key = ObjectKey(manifest.group, manifest.kind, manifest.namespace, manifest.name)
    meaning: Meaning | None = None
    try:
        _check_names(manifest)
        meaning, diagnostics = read(manifest)
    except InvalidObject as problem:
        code = "needs-rendering" if _PLACEHOLDER.search(problem.message) else "invalid-object"
        where = SourceLocation(manifest.location.path, problem.line)
        diagnostics = (Diagnostic.at(code, f"{manifest.title}: {problem.message}", where),)
    return ObjectRecord(key, manifest.location, content_digest(manifest.body), meaning, diagnostics)


def settle(records: Iterable[ObjectRecord]) -> tuple[tuple[ObjectRecord, ...], tuple[Diagnostic, ...]]:
    """The objects that documents in path order describe: of several documents of one object the last. Objects without a meaning are left
    out."""
    objects: dict[ObjectKey, ObjectRecord] = {}
    generated: list[ObjectRecord] = []
    diagnostics: list[Diagnostic] = []
    for each in records:
        diagnostics += each.diagnostics
        if each.meaning is None:
            continue
        if each.key.name.endswith(GENERATED):
            generated.append(each)
            continue
        earlier = objects.pop(each.key, None)
        if earlier is not None:
            problem = f"{each.key.title} is described at {earlier.location} too; this later one counts"
            diagnostics.append(Diagnostic.at("duplicate-object", problem, each.location))
        objects[each.key] = each
    return (*objects.values(), *generated), tuple(diagnostics)


def with_namespace(manifest: Manifest) -> Manifest:
    """The document with the namespace that its object has: none for a kind of the whole cluster, else `default` where none is written."""
    namespace = "" if (manifest.group, manifest.kind) in CLUSTER_SCOPED else manifest.namespace or DEFAULT_NAMESPACE
    return manifest if manifest.namespace == namespace else replace(manifest, namespace=namespace)


def _check_names(manifest: Manifest) -> None:
    metadata = root(manifest)["metadata"]
    if manifest.namespace:
        check_dns_label(metadata["namespace"], manifest.namespace)
        check_subdomain(metadata["name"], manifest.name)
    elif manifest.kind == "Namespace":
        check_dns_label(metadata["name"], manifest.name)
    else:
        check_subdomain(metadata["name"], manifest.name)

"""Kustomizations: what `kustomize build` would change about the files that are read here as written.

A kustomization that only gathers files of the tree changes nothing, since every file of the tree is read anyway; so do fields that touch
neither labels, names, namespaces, ports nor policies. Any other field (namespace, labels, patches, replacements, helmCharts, …) and any
resource that is not in the tree is a gap, told once for each kustomization. The files it names as patches are no objects of their own, and
are left out unless some kustomization also names them as resources.

Only files of these names count: an object of kind Kustomization in another group (Flux) is an object like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import dirname
from typing import Final

from msgspec import Struct

from analyzers.manifests.defects import Unparsable
from analyzers.manifests.limits import Limits, NodeBudget
from analyzers.manifests.listing import Listing
from analyzers.manifests.source import chunks, decode
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import YamlList, YamlMap, YamlValue

NAMES: Final = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})

_MOST_TOLD: Final = 8
_GATHERS: Final = ("resources", "bases", "components")
_CHANGES_NO_FLOW: Final = frozenset(
    {
        *("apiVersion", "kind", "metadata", "resources", "bases", "components"),
        *("images", "replicas", "configMapGenerator", "secretGenerator", "generatorOptions", "sortOptions", "crds"),
    }
)


def is_kustomization_name(path: str) -> bool:
    """Whether kustomize takes a file of this name for a kustomization."""
    return path.rpartition("/")[2] in NAMES


class Kustomization(Struct, frozen=True):
    """What one kustomization means for the files around it: `resources` and `patches` are paths of the tree."""

    resources: frozenset[str]
    patches: frozenset[str]
    diagnostic: Diagnostic | None


def read_kustomization(path: str, data: bytes, listing: Listing, limits: Limits, budget: NodeBudget) -> Kustomization | None:
    """Read a kustomization; None where the file holds no mapping. `Unparsable` where it cannot be read."""
    from analyzers.manifests.documents import read_documents  # imported here: most repositories have none

    for chunk in chunks(decode(data)):
        for document in read_documents(chunk, limits, budget):
            if document.defect is not None:
                raise Unparsable(document.defect)
            if isinstance(document.value, YamlMap):
                return _understand(path, document.value, listing)
    return None


def _understand(path: str, body: YamlMap, listing: Listing) -> Kustomization:
    folder = dirname(path)
    resources = {target: listing.resolve(folder, target) for target, _ in _gathered(body)}
    patches = {resolved for target in _patches(body) if (resolved := listing.resolve(folder, target)) is not None}
    changes, missing = sorted(changing_fields(body)), sorted(_missing(body, resources, listing))
    told = [_told(verb, found) for verb, found in (("apply", changes), ("add what is not in the tree:", missing)) if found]
    diagnostic = None
    if told:
        message = f"kustomize would {' and '.join(told)}; the files are read as written"
        diagnostic = Diagnostic("needs-rendering", message, path, min(line for line, _ in (*changes, *missing)))
    return Kustomization(frozenset(filter(None, resources.values())), frozenset(patches), diagnostic)


def _told(verb: str, found: list[tuple[int, str]]) -> str:
    more = len(found) - _MOST_TOLD
    return f"{verb} {', '.join(what for _, what in found[:_MOST_TOLD])}" + (f" and {more} more" if more > 0 else "")


def changing_fields(body: YamlMap) -> Iterator[tuple[int, str]]:
    """The fields that change objects, with their lines; an empty field changes nothing."""
    return ((body.lines[name], name) for name, value in body.items() if value not in (None, "", [], {}) and name not in _CHANGES_NO_FLOW)


def _missing(body: YamlMap, resources: dict[str, str | None], listing: Listing) -> Iterator[tuple[int, str]]:
    """The resources that are not read with the tree."""
    for target, line in _gathered(body):
        resolved = resources[target]
        if resolved is None or not (listing.is_read(resolved) or listing.is_folder(resolved)):
            yield line, target


def _gathered(body: YamlMap) -> Iterator[tuple[str, int]]:
    """What the kustomization gathers, with lines: paths and addresses, as written."""
    for name in _GATHERS:
        values = body.get(name)
        if isinstance(values, YamlList):
            yield from ((target, line) for target, line in zip(values, values.lines, strict=True) if isinstance(target, str))


def _patches(body: YamlMap) -> Iterator[str]:
    """The patch files, as written; a patch written out in place has more than one line."""
    for name in ("patches", "patchesJson6902", "patchesStrategicMerge"):
        values = body.get(name)
        for value in values if isinstance(values, YamlList) else ():
            target: YamlValue = value.get("path") if isinstance(value, YamlMap) else value
            if isinstance(target, str) and target and "\n" not in target:
                yield target

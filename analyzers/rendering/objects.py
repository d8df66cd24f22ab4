"""From the output of a renderer to objects at their places in the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from analyzers.dialects import DIALECTS
from analyzers.manifests.defects import Unparsable
from analyzers.manifests.documents import read_documents
from analyzers.manifests.limits import Limits, NodeBudget
from analyzers.manifests.objects import CLUSTER_SCOPED
from analyzers.manifests.prescan import Wanted, is_irrelevant
from analyzers.manifests.reading import read_file
from analyzers.manifests.source import chunks, decode
from analyzers.manifests.unpacking import unpack
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Manifest, YamlMap
from analyzers.rendering.lines import line_in_template, matching, traced
from analyzers.rendering.renderers import ORIGIN, Renderer
from analyzers.units.deployment import DEPLOYING
from analyzers.units.unit import RendererName, Unit

_POLICY_KINDS = frozenset(kind for dialect in DIALECTS for kind in dialect.kinds)
_MOST_NAMED = 6

Written = Callable[[str], Sequence[Manifest]]
"""The objects that a file of the tree holds as it is written."""


class Objects(Struct, frozen=True, eq=False):
    """What a unit makes: its wanted objects at their places in the source, and what is to be said of them; and those objects of Flux and
    Argo CD that say what else is deployed where."""

    manifests: tuple[Manifest, ...]
    diagnostics: tuple[Diagnostic, ...]
    deploying: tuple[Manifest, ...] = ()


def as_written(contents: Mapping[str, bytes], wanted: Wanted, limits: Limits) -> Written:
    """The objects of files, each file read when it is first asked for."""

    @cache
    def read(path: str) -> Sequence[Manifest]:
        return read_file(path, contents.get(path, b""), wanted, limits, NodeBudget(limits.nodes)).found

    return read


def rendered_objects(
    unit: Unit, renderer: Renderer, output: bytes, contents: Mapping[str, bytes], written: Written, wanted: Wanted, limits: Limits
) -> Objects:
    """The objects of an output. Raises `Unparsable` where it cannot be read."""
    manifests: list[Manifest] = []
    diagnostics: list[Diagnostic] = []
    moved: dict[str, list[tuple[Manifest, Manifest]]] = {}
    for manifest, origin in _found(unit, renderer, output, wanted, limits):
        if isinstance(manifest, Diagnostic):
            diagnostics.append(replace(manifest, message=f"{unit.title}: {manifest.message}", path=unit.place.path, line=None))
            continue
        path = origin if origin in contents else None
        source = matching(manifest, written(path)) if path is not None and unit.renderer is RendererName.KUSTOMIZE else None
        line = line_in_template(manifest, _text(contents[path])) if path is not None and unit.renderer is RendererName.HELM else 0
        manifests.append(traced(manifest, path or unit.place.path, source, line))
        if source is not None and source.namespace and source.namespace != manifest.namespace and _is_policy(manifest):
            moved.setdefault(manifest.namespace, []).append((source, manifest))
    diagnostics += (_moved(unit, namespace, pairs) for namespace, pairs in sorted(moved.items()))
    return _with_namespaces(unit, manifests, diagnostics)


def plain_objects(unit: Unit, contents: Mapping[str, bytes], wanted: Wanted, limits: Limits) -> Objects:
    """The objects of files that are read as they are, with the namespace that the unit gives."""
    manifests: list[Manifest] = []
    diagnostics: list[Diagnostic] = []
    for path in unit.reads:
        reading = read_file(path, contents.get(path, b""), wanted, limits, NodeBudget(limits.nodes))
        manifests += reading.found
        diagnostics += reading.diagnostics
        if reading.template_line is not None:
            diagnostics.append(Diagnostic("needs-rendering", "a templated file, read by no renderer", path, reading.template_line))
    return _with_namespaces(unit, manifests, diagnostics)


def _found(
    unit: Unit, renderer: Renderer, output: bytes, wanted: Wanted, limits: Limits
) -> Iterator[tuple[Manifest | Diagnostic, str | None]]:
    """The wanted objects of an output, with the paths that they came from."""
    budget = NodeBudget(limits.nodes)
    for number, chunk in enumerate(chunks(decode(output))):
        if number == limits.documents:
            yield Diagnostic("limit-exceeded", f"more than {limits.documents} documents; the rest is left out"), None
            return
        if is_irrelevant(chunk.text, wanted):
            continue
        for document in read_documents(chunk, limits, budget):
            body = document.value if isinstance(document.value, YamlMap) else YamlMap()
            origin = renderer.origin(unit, chunk.text, body)
            _forget_origin(body)
            for finding in unpack(document, unit.path, wanted):
                if not (isinstance(finding, Diagnostic) and finding.code == "not-an-object"):
                    yield finding, origin


def _forget_origin(body: YamlMap) -> None:
    """Take out the annotation that only we asked for."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, YamlMap) else None
    if isinstance(metadata, YamlMap) and isinstance(annotations, YamlMap) and annotations.pop(ORIGIN, None) is not None:
        annotations.lines.pop(ORIGIN)
        if not annotations:
            metadata.pop("annotations")
            metadata.lines.pop("annotations")


def _with_namespaces(unit: Unit, manifests: list[Manifest], diagnostics: list[Diagnostic]) -> Objects:
    """The objects with the namespace that the unit gives to those without; where it gives none, that is said. What deploys others stands
    apart, as it is written."""
    deploying = tuple(each for each in manifests if (each.group, each.kind) in DEPLOYING)
    manifests = [each for each in manifests if (each.group, each.kind) not in DEPLOYING]
    lacking = [each for each in manifests if not each.namespace and (each.group, each.kind) not in CLUSTER_SCOPED]
    if unit.namespace:
        without = {id(each) for each in lacking}
        manifests = [replace(each, namespace=unit.namespace) if id(each) in without else each for each in manifests]
    else:
        default = [each for each in manifests if each.namespace == "default"] if unit.renderer is RendererName.HELM else []
        if found := [*lacking, *default]:
            names = ", ".join(each.title for each in found[:_MOST_NAMED])
            more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
            problem = f"{unit.title}: nothing says which namespace it goes to; read as in default: {names}{more}"
            diagnostics.append(Diagnostic("missing-namespace", problem, unit.place.path, unit.place.line or None))
    return Objects(tuple(manifests), tuple(diagnostics), deploying)


def _moved(unit: Unit, namespace: str, pairs: list[tuple[Manifest, Manifest]]) -> Diagnostic:
    """Where policies landed that were written for other namespaces."""
    told = ", ".join(f"{source.title} ({source.location})" for source, _ in pairs[:_MOST_NAMED])
    more = f" and {len(pairs) - _MOST_NAMED} more" if len(pairs) > _MOST_NAMED else ""
    problem = f"{unit.title} puts policies that were written for other namespaces into {namespace}: {told}{more}"
    return Diagnostic("namespace-moved", problem, unit.place.path, unit.place.line or None)


def _is_policy(manifest: Manifest) -> bool:
    return (manifest.group, manifest.kind) in _POLICY_KINDS


def _text(data: bytes) -> str:
    try:
        return decode(data)
    except Unparsable:
        return ""

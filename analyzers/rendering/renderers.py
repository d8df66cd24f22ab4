"""The renderers. A new one is one row of `RENDERERS`: how its work is laid out, and how its output leads back to files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from posixpath import join, normpath
from typing import Any, Final

from msgspec import Struct

from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import YamlMap
from analyzers.units.parsing import mappings
from analyzers.units.references import problem_of_plugins
from analyzers.units.unit import RendererName, Unit

Contents = Mapping[str, bytes]
"""What the files of a unit hold, by path."""

_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SOURCE = re.compile(r"^# Source: (.+)$", re.MULTILINE)
ORIGIN: Final = "config.kubernetes.io/origin"


class Job(Struct, frozen=True):
    """What a renderer is given: files by their path in its folder, and its arguments."""

    files: Mapping[str, bytes]
    arguments: tuple[str, ...]


class Renderer(Struct, frozen=True):
    """A way from a unit to objects. `job` lays out the work, or says why it is refused; None is for objects that are in the files as they
    are. `origin` tells, from the text of a document and its value, the path of the file that it was made from, where that can be told."""

    name: RendererName
    job: Callable[[Unit, Contents], Job | Diagnostic] | None
    origin: Callable[[Unit, str, YamlMap], str | None]


def _kustomize_job(unit: Unit, contents: Contents) -> Job | Diagnostic:
    """A further kustomization around the unit: it asks for origins, and holds what the deployment adds."""
    for path in unit.plugins:
        if problem := problem_of_plugins(contents.get(path, b"")):
            return Diagnostic("render-refused", f"{unit.title}: {problem}", path)
    fields: dict[str, Any] = json.loads(unit.inline) if unit.inline else {}
    components = [join("../r", each) for each in fields.pop("components", [])]
    around = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        **fields,
        "resources": [join("../r", unit.path).rstrip("/")],
        "buildMetadata": ["originAnnotations"],
        **({"components": components} if components else {}),
        **({"namespace": unit.moved_to} if unit.moved_to else {}),
    }
    files = {f"r/{path}": data for path, data in contents.items()}
    files |= {f"r/{path}": text.encode() for path, text in unit.generated}
    return Job({**files, "w/kustomization.yaml": json.dumps(around).encode()}, ("w",))


def _kustomize_origin(unit: Unit, text: str, body: YamlMap) -> str | None:
    """The path in the annotation that kustomize was asked for, relative to the further kustomization."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, YamlMap) else None
    origin = annotations.get(ORIGIN) if isinstance(annotations, YamlMap) else None
    if not isinstance(origin, str):
        return None
    for fields in mappings(origin.encode("utf-8", "replace")):
        for name in ("path", "configuredIn"):
            path = fields.get(name)
            if isinstance(path, str) and (place := normpath(join("w", path))).startswith("r/"):
                return place.removeprefix("r/")
    return None


def _helm_job(unit: Unit, contents: Contents) -> Job | Diagnostic:
    namespace = unit.namespace or "default"
    for text, pattern, what in ((unit.release, _RELEASE, "release"), (namespace, _NAMESPACE, "namespace")):
        if not pattern.fullmatch(text):
            return Diagnostic(
                "render-refused", f"{unit.title}: {text[:100]!r} is no name of a {what}", unit.place.path, unit.place.line or None
            )
    files = {f"r/{path}": data for path, data in contents.items()}
    for place, target in unit.copies:
        files |= {f"r/{place}/{path.removeprefix(f'{target}/')}": data for path, data in contents.items() if path.startswith(f"{target}/")}
    arguments = [unit.release, join("r", unit.path).rstrip("/"), f"--namespace={namespace}", "--skip-tests"]
    arguments += [f"--values=r/{path}" for path in unit.values]
    inline: dict[str, Any] = json.loads(unit.inline) if unit.inline else {}
    if values := inline.get("values"):
        files["v/values.yaml"] = (values if isinstance(values, str) else json.dumps(values)).encode("utf-8", "replace")
        arguments.append("--values=v/values.yaml")
    arguments += [f"--set={name}={_escaped(value)}" for name, value in inline.get("parameters", ())]
    return Job(files, tuple(arguments))


def _escaped(value: str) -> str:
    """A value as helm reads it after `--set`, where commas and braces begin something new."""
    return re.sub(r"([\\,{}])", r"\\\1", value)


def _helm_origin(unit: Unit, text: str, body: YamlMap) -> str | None:
    """The path after `# Source:`: the chart's name, then the path in the chart."""
    match = _SOURCE.search(text)
    if match is None:
        return None
    inside = match[1].strip().partition("/")[2]
    place = join(unit.path, inside)
    for copied, target in unit.copies:
        if place.startswith(f"{copied}/"):
            return target + place.removeprefix(copied)
    return place


def _own_file(unit: Unit, text: str, body: YamlMap) -> str | None:
    return None


RENDERERS: Final = (
    Renderer(RendererName.PLAIN, None, _own_file),
    Renderer(RendererName.KUSTOMIZE, _kustomize_job, _kustomize_origin),
    Renderer(RendererName.HELM, _helm_job, _helm_origin),
)


def renderer_of(unit: Unit) -> Renderer:
    """The renderer of a unit."""
    return next(each for each in RENDERERS if each.name is unit.renderer)

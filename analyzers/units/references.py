"""What a kustomization names: files, folders, and what must not be fetched or run.

Everything in a kustomization comes from a pull request. Whatever names a place outside the repository, or would run code, is refused
before anything is started: kustomize itself fetches what looks like an address, and inflates charts, when it is allowed to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from posixpath import dirname, join, normpath
from typing import Final

from msgspec import Struct

from analyzers.manifests.defects import Unparsable
from analyzers.manifests.listing import Listing, is_manifest_name
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import YamlList, YamlMap, YamlValue
from analyzers.units.parsing import mappings
from analyzers.units.unit import Document

COMPONENT: Final = "Component"
_PLUGIN_FIELDS: Final = ("generators", "transformers", "validators")
_CHART_FIELDS: Final = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
_BUILTIN: Final = "builtin"
_RUNS: Final = ("config.kubernetes.io/function", "config.k8s.io/function")
_REMOTE: Final = re.compile(
    r"^(git::|gh:|file:|github\.com[/:]|[\w.-]+@[\w.-]+[:/])|://|\?(ref|version|timeout|submodules)=|_git/", re.IGNORECASE
)
"""What kustomize would take for an address, whether or not a file of that name exists."""


class Role(StrEnum):
    """What a kustomization does with what it names."""

    GATHERED = "gathered"  # a file of objects, or a folder with a kustomization
    READ = "read"  # a patch, a configuration
    DATA = "data"  # the content of a ConfigMap or Secret: no flow depends on it


class Reference(Struct, frozen=True):
    """One place that a kustomization names, as written."""

    target: str
    line: int
    role: Role


class Named(Struct, frozen=True):
    """Where the references of one kustomization lead: files and folders of the tree, data files that the tree lacks, files of objects among
    the files, files of objects that the tree lacks with a word on each, and what is refused."""

    files: frozenset[str]
    objects: frozenset[str]
    folders: frozenset[str]
    absent: frozenset[str]
    lost: tuple[tuple[str, Diagnostic], ...]
    refusals: tuple[Diagnostic, ...]


def named_by(document: Document, listing: Listing) -> Named:
    """What a kustomization names."""
    folder = dirname(document.path)
    files, objects, folders, absent, refusals = set[str](), set[str](), set[str](), set[str](), list(_refused_fields(document))
    lost: list[tuple[str, Diagnostic]] = []
    for reference in references(document.body):
        path, problem = _place(folder, reference, listing)
        if problem:
            refusals.append(Diagnostic("render-refused", problem, document.path, reference.line))
        elif listing.is_file(path):
            files.add(path)
            objects |= {path} if reference.role is Role.GATHERED else set()
        elif reference.role is Role.DATA:
            absent.add(path)
        elif not listing.is_folder(path):
            problem = f"names {_shown(reference.target)}, which is not in the repository; the rest is rendered without it"
            lost.append((path, Diagnostic("needs-rendering", problem, document.path, reference.line)))
        else:
            folders.add(path)
    return Named(frozenset(files), frozenset(objects), frozenset(folders), frozenset(absent), tuple(lost), tuple(refusals))


def references(body: YamlMap) -> Iterator[Reference]:
    """Every place that a kustomization names, as written."""
    for name in ("resources", "bases", "components"):
        yield from _texts(body.get(name), Role.GATHERED)
    for name in ("crds", "configurations", *_PLUGIN_FIELDS):
        yield from _texts(body.get(name), Role.READ)
    for name in ("patches", "patchesJson6902", "patchesStrategicMerge", "replacements"):
        yield from _texts(body.get(name), Role.READ)
        yield from (each for item in _maps(body.get(name)) for each in _text_at(item, "path", Role.READ))
    for name in ("configMapGenerator", "secretGenerator"):
        yield from (each for item in _maps(body.get(name)) for each in _data(item))
    openapi = body.get("openapi")
    if isinstance(openapi, YamlMap):
        yield from _text_at(openapi, "path", Role.READ)


def is_component(document: Document) -> bool:
    """Whether a kustomization is only ever a part of others."""
    return document.body.get("kind") == COMPONENT


def problem_of_plugins(data: bytes) -> str:
    """Why a file of generators, transformers or validators is refused; empty where all of it is kustomize's own."""
    try:
        found = [ran for body in mappings(data) if (ran := _runs(body))]
    except Unparsable as error:
        return f"cannot be read: {error.defect.message}"
    return f"would run {found[0][:200]}, and nothing is run" if found else ""


def _runs(body: YamlMap) -> str:
    """What an object of a generator, transformer or validator would run."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, YamlMap) else None
    if isinstance(annotations, YamlMap) and any(name in annotations for name in _RUNS):
        return "a function"
    if body.get("apiVersion") != _BUILTIN:
        return f"the plugin {body.get('kind')} of {body.get('apiVersion')}"
    return "a chart" if "Helm" in str(body.get("kind")) else ""


def plugin_files(document: Document) -> Iterator[Reference]:
    """The files and folders of generators, transformers and validators, which must be looked into."""
    return (each for name in _PLUGIN_FIELDS for each in _texts(document.body.get(name), Role.READ))


def _refused_fields(document: Document) -> Iterator[Diagnostic]:
    body = document.body
    for name in _CHART_FIELDS:
        if body.get(name):
            problem = f"{name}: kustomize would run helm, which may fetch charts; render the chart as a unit of its own"
            yield Diagnostic("render-refused", problem, document.path, body.lines[name])
    for name in _PLUGIN_FIELDS:
        for line, item in _items(body.get(name)):
            if isinstance(item, str) and "\n" in item and (problem := problem_of_plugins(item.encode("utf-8", "replace"))):
                yield Diagnostic("render-refused", f"{name}: {problem}", document.path, line)


def _place(folder: str, reference: Reference, listing: Listing) -> tuple[str, str]:
    """The path of the tree that a reference means, or why it is refused."""
    target, shown = reference.target, _shown(reference.target)
    if _REMOTE.search(target):
        return "", f"names {shown}: nothing is fetched from other places; keep a copy in the repository"
    path = normpath(join(folder, target))
    if target.startswith("/") or path == ".." or path.startswith("../"):
        return "", f"names {shown}, which leaves the repository"
    path = "" if path == "." else path
    if listing.is_file(path) or (reference.role is Role.GATHERED and listing.is_folder(path)):
        return path, ""
    if reference.role is Role.READ and listing.is_folder(path):
        return "", f"names the folder {shown} where a file is looked into"
    resolved = listing.resolve(folder, target)
    if resolved is None or resolved != path:
        return "", f"names {shown} through a link, which is not followed"
    if reference.role is Role.DATA or (reference.role is Role.GATHERED and is_manifest_name(path)):
        return path, ""
    return "", f"names {shown}, which is not in the repository"


def _shown(target: str) -> str:
    return f"{target[:200]!r}"


def _data(generator: YamlMap) -> Iterator[Reference]:
    for each in (*_texts(generator.get("files"), Role.DATA), *_texts(generator.get("envs"), Role.DATA)):
        key, equals, path = each.target.partition("=")
        yield Reference(path if equals and "/" not in key else each.target, each.line, Role.DATA)
    yield from _text_at(generator, "env", Role.DATA)


def _texts(value: YamlValue, role: Role) -> Iterator[Reference]:
    """The one-line texts of a list; longer ones are written out in place."""
    return (Reference(item, line, role) for line, item in _items(value) if isinstance(item, str) and item and "\n" not in item)


def _maps(value: YamlValue) -> Iterator[YamlMap]:
    return (item for _, item in _items(value) if isinstance(item, YamlMap))


def _items(value: YamlValue) -> Iterator[tuple[int, YamlValue]]:
    return zip(value.lines, value, strict=True) if isinstance(value, YamlList) else iter(())


def _text_at(body: YamlMap, name: str, role: Role) -> Iterator[Reference]:
    value = body.get(name)
    if isinstance(value, str) and value:
        yield Reference(value, body.lines[name], role)

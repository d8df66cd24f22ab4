"""Argo CD: its Application and ApplicationSet objects say which folder is deployed, to which cluster and into which namespace.

Of the generators of an ApplicationSet the list and the directories of a git repository can be told from the repository alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from posixpath import dirname, join
from typing import Final

from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import YamlList, YamlMap, YamlValue
from analyzers.units.clusters import Convention
from analyzers.units.deployment import (
    Deployed,
    Deployment,
    as_json,
    at,
    maps_at,
    path_in_repository,
    place_of,
    same_repository,
    text_at,
    texts_at,
    title_of,
)
from analyzers.units.unit import Cluster, Document, Elsewhere

GROUP: Final = "argoproj.io"
_IN_CLUSTER: Final = ("https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local", "in-cluster")
_MOST: Final = 1_000
"""Applications of one ApplicationSet."""
_PARAMETER = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_OVERLAY: Final = ("namePrefix", "nameSuffix", "patches", "commonLabels")

Parameters = Mapping[str, str]


def read_argo(documents: Iterable[Document], remote: str, folders: frozenset[str], convention: Convention) -> Deployed:
    """What the Argo CD objects of a repository deploy. `remote` is the address of the repository, empty where it is not known; `folders`
    are those of the tree."""
    reader = _Reader(remote, folders, convention)
    parts = [reader.read(each) for each in documents if text_at(each.body, "apiVersion").partition("/")[0] == GROUP]
    return Deployed(*(tuple(each for part in parts for each in getattr(part, name)) for name in ("here", "elsewhere", "diagnostics")))


class _Reader:
    """Reads applications."""

    def __init__(self, remote: str, folders: frozenset[str], convention: Convention) -> None:
        self._remote, self._folders, self._cluster_of = remote, folders, convention

    def read(self, document: Document) -> Deployed:
        """What one object deploys."""
        kind = text_at(document.body, "kind")
        if kind == "Application":
            return self._application(document, title_of(document), at(document.body, "spec"))
        return self._set(document) if kind == "ApplicationSet" else Deployed()

    def _set(self, document: Document) -> Deployed:
        here: list[Deployment] = []
        elsewhere: list[Elsewhere] = []
        notes: list[Diagnostic] = []
        spec = at(document.body, "spec")
        for generator in maps_at(spec, "generators"):
            found = self._generated(generator)
            if found is None:
                problem = f"{title_of(document)}: the generator {', '.join(generator)} depends on more than this repository"
                notes.append(Diagnostic("needs-rendering", problem, document.path, generator.line or place_of(document).line or None))
                continue
            if len(found) > _MOST:
                problem = f"{title_of(document)}: makes {len(found)} applications; only {_MOST} are read"
                notes.append(Diagnostic.at("limit-exceeded", problem, place_of(document)))
            for parameters in found[:_MOST]:
                filled = _filled(at(spec, "template"), parameters)
                if (left := _left(at(filled, "spec"))) is not None:
                    problem = f"{title_of(document)}: its template holds {left!r}, which cannot be filled in here"
                    notes.append(Diagnostic.at("needs-rendering", problem, place_of(document)))
                    break
                part = self._application(document, f"Application {text_at(filled, 'metadata', 'name')}", at(filled, "spec"))
                here += part.here
                elsewhere += part.elsewhere
                notes += part.diagnostics
        return Deployed(tuple(here), tuple(elsewhere), tuple(dict.fromkeys(notes)))

    def _generated(self, generator: YamlMap) -> list[Parameters] | None:
        """The parameters that a generator makes; None where the repository does not tell."""
        if set(generator) == {"list"} and isinstance(at(generator, "list").get("elements"), YamlList):
            return [_flat(element) for element in maps_at(generator, "list", "elements")]
        git = at(generator, "git")
        if set(generator) == {"git"} and git.get("directories") and self._is_here(text_at(git, "repoURL")) is not None:
            chosen = [(text_at(each, "path"), each.get("exclude") is True) for each in maps_at(git, "directories")]
            return [_of_folder(folder) for folder in sorted(self._folders) if folder and _chosen(folder, chosen)]
        return None

    def _is_here(self, url: str) -> str | None:
        """Why an address is that of this repository; None where it is another."""
        if self._remote and url and not _PARAMETER.search(url):
            return "" if same_repository(url, self._remote) else None
        return f"{url} is taken for this repository, because the folder is here"

    def _application(self, document: Document, title: str, spec: YamlMap) -> Deployed:
        parts = [
            self._source(document, title, spec, source)
            for source in (maps_at(spec, "sources") or [at(spec, "source")])
            if "ref" not in source
        ]
        return Deployed(*(tuple(each for part in parts for each in getattr(part, name)) for name in ("here", "elsewhere", "diagnostics")))

    def _source(self, document: Document, title: str, spec: YamlMap, source: YamlMap) -> Deployed:
        url, place = text_at(source, "repoURL"), place_of(document)
        path = path_in_repository(text_at(source, "path") or ".")
        where = self._is_here(url)
        if text_at(source, "chart") or path is None or where is None or path not in self._folders:
            what = f"the chart {text_at(source, 'chart')} of " if text_at(source, "chart") else f"{text_at(source, 'path')} of "
            return Deployed((), (Elsewhere(title, what + url, place, as_json(spec)),), ())
        cluster = _destination(spec) or document.cluster or self._cluster_of(dirname(document.path)) or self._cluster_of(path)
        deployment = _deployment(document, title, spec, source, path, cluster)
        notes = [Diagnostic.at("source-assumed", f"{title}: {where}", place)] if where else []
        if at(source, "plugin"):
            notes.append(Diagnostic.at("needs-rendering", f"{title}: a plugin makes its objects, and nothing is run", place))
        return Deployed((deployment,), (), tuple(notes))


def _deployment(document: Document, title: str, spec: YamlMap, source: YamlMap, path: str, cluster: Cluster) -> Deployment:
    helm, kustomize = at(source, "helm"), at(source, "kustomize")
    name = title.partition(" ")[2]
    files = [path_in_repository(each if each.startswith("/") else join("/", path, each)) for each in texts_at(helm, "valueFiles")]
    overlay = {key: kustomize[key] for key in _OVERLAY if kustomize.get(key)}
    return Deployment(
        title,
        path,
        cluster,
        place_of(document),
        namespace=text_at(spec, "destination", "namespace"),
        moved_to=text_at(kustomize, "namespace"),
        release=text_at(helm, "releaseName") or name,
        values=tuple(each for each in files if each is not None),
        inline=_inline(helm),
        overlay=as_json(overlay) if overlay else "",
        recurse=at(source, "directory").get("recurse") is True,
    )


def _inline(helm: YamlMap) -> str:
    """Values written out: an object, or else text; parameters come last."""
    values: object = at(helm, "valuesObject") or text_at(helm, "values")
    parameters = [(text_at(each, "name"), each.get("value")) for each in maps_at(helm, "parameters") if text_at(each, "name")]
    if not values and not parameters:
        return ""
    return as_json({"values": values, "parameters": [[name, str(value)] for name, value in parameters]})


def _destination(spec: YamlMap) -> str:
    """The cluster that an application names as its destination; empty for the one that it is in itself."""
    name, server = text_at(spec, "destination", "name"), text_at(spec, "destination", "server")
    if name and name not in _IN_CLUSTER:
        return name
    if server and server not in _IN_CLUSTER:
        return server.partition("://")[2] or server
    return ""


def _chosen(folder: str, chosen: Iterable[tuple[str, bool]]) -> bool:
    """Whether a folder is named by a pattern and excluded by none; `*` stands for anything within one folder name."""
    matches = [(_matches(folder, pattern), exclude) for pattern, exclude in chosen]
    return any(match and not exclude for match, exclude in matches) and not any(match and exclude for match, exclude in matches)


def _matches(folder: str, pattern: str) -> bool:
    steps, wanted = folder.split("/"), pattern.strip("/").split("/")
    return len(steps) == len(wanted) and all(fnmatchcase(step, each) for step, each in zip(steps, wanted, strict=True))


def _of_folder(folder: str) -> Parameters:
    base = folder.rpartition("/")[2]
    segments = {f"path[{number}]": step for number, step in enumerate(folder.split("/"))}
    normalized = re.sub(r"[^a-z0-9-]+", "-", base.lower()).strip("-")
    return {
        **segments,
        "path": folder,
        "path.path": folder,
        "path.basename": base,
        "path.basenameNormalized": normalized,
        **{f"index .path.segments {number}": step for number, step in enumerate(folder.split("/"))},
    }


def _flat(element: YamlMap, prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in element.items():
        if isinstance(value, YamlMap):
            found |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, (str, int, float, bool)):
            found[prefix + key] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def _filled(value: YamlValue, parameters: Parameters) -> YamlValue:
    """A template with its parameters in their places; what is not known stays as it is."""
    if isinstance(value, str):
        return _PARAMETER.sub(lambda match: parameters.get(match[1].lstrip("."), match[0]), value)
    if isinstance(value, YamlMap):
        filled = YamlMap(value.line)
        filled.update({key: _filled(each, parameters) for key, each in value.items()})
        filled.lines = value.lines
        return filled
    if isinstance(value, YamlList):
        items = YamlList(value.line)
        items.extend(_filled(each, parameters) for each in value)
        items.lines = value.lines
        return items
    return value


def _left(value: YamlValue) -> str | None:
    """A template expression that is still there, if any."""
    match = _PARAMETER.search(as_json(value))
    return match[0] if match else None

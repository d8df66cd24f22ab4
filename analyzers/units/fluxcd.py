"""Flux: its Kustomization and HelmRelease objects say which folder and which chart are deployed, and into which namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from posixpath import dirname, join
from typing import Final

from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import YamlMap
from analyzers.units.clusters import Convention
from analyzers.units.deployment import (
    Deployed,
    Deployment,
    as_json,
    at,
    path_in_repository,
    place_of,
    same_repository,
    text_at,
    texts_at,
    title_of,
)
from analyzers.units.unit import Document, Elsewhere

KUSTOMIZE_GROUP: Final = "kustomize.toolkit.fluxcd.io"
HELM_GROUP: Final = "helm.toolkit.fluxcd.io"
SOURCE_GROUP: Final = "source.toolkit.fluxcd.io"
_OVERLAY: Final = ("patches", "namePrefix", "nameSuffix", "images")

Around = Callable[[str], str]
"""The namespace that the kustomization around a file gives to what has none; empty where it gives none."""


def read_flux(
    documents: Iterable[Document], remote: str, has_folder: Callable[[str], bool], around: Around, convention: Convention
) -> Deployed:
    """What the Flux objects of a repository deploy. `remote` is the address of the repository, empty where it is not known."""
    documents = list(documents)
    sources = {_key(each): each for each in documents if _group(each) == SOURCE_GROUP}
    reader = _Reader(sources, remote, has_folder, around, convention)
    parts = [reader.read(each) for each in documents]
    return Deployed(*(tuple(each for part in parts for each in getattr(part, name)) for name in ("here", "elsewhere", "diagnostics")))


class _Reader:
    """Reads deployments, with the sources that they name."""

    def __init__(
        self,
        sources: Mapping[tuple[str, str], Document],
        remote: str,
        has_folder: Callable[[str], bool],
        around: Around,
        convention: Convention,
    ) -> None:
        self._sources, self._remote, self._has_folder, self._around = sources, remote, has_folder, around
        self._cluster_of = convention

    def read(self, document: Document) -> Deployed:
        """What one object deploys."""
        group, kind = _group(document), text_at(document.body, "kind")
        if group == KUSTOMIZE_GROUP and kind == "Kustomization":
            return self._kustomization(document)
        return self._release(document) if group == HELM_GROUP and kind == "HelmRelease" else Deployed()

    def _kustomization(self, document: Document) -> Deployed:
        spec = at(document.body, "spec")
        path = path_in_repository(text_at(spec, "path") or ".")
        where = self._source(at(spec, "sourceRef"), path)
        if path is None or where is None or not self._has_folder(path):
            source = where if where else f"the folder {text_at(spec, 'path')!r}, which is not in the repository"
            return self._from_elsewhere(document, source)
        deployment = Deployment(
            title_of(document),
            path,
            document.cluster or self._cluster_of(dirname(document.path)) or self._cluster_of(path),
            place_of(document),
            moved_to=text_at(spec, "targetNamespace"),
            overlay=_overlay(spec, path),
        )
        notes = [*self._assumed(document, where)]
        if spec.get("postBuild"):
            problem = f"{title_of(document)}: variables are substituted after the build (postBuild), which is not done here"
            notes.append(Diagnostic("needs-rendering", problem, document.path, spec.lines["postBuild"] or None))
        return Deployed((deployment,), (), tuple(notes))

    def _release(self, document: Document) -> Deployed:
        spec, metadata = at(document.body, "spec"), at(document.body, "metadata")
        chart = at(spec, "chart", "spec")
        path = path_in_repository(text_at(chart, "chart") or ".")
        reference = at(chart, "sourceRef")
        where = self._source(reference, path) if text_at(reference, "kind") in ("GitRepository", "") else None
        if path is None or where is None or not text_at(chart, "chart") or not self._has_folder(path):
            source = f"the chart {text_at(chart, 'chart') or 'that it refers to'} of {self._named(reference)}"
            return self._from_elsewhere(document, source)
        own = text_at(metadata, "namespace") or self._around(document.path)
        target = text_at(spec, "targetNamespace")
        files = texts_at(chart, "valuesFiles")
        values = tuple(filter(None, map(path_in_repository, files)))
        name = text_at(metadata, "name")
        deployment = Deployment(
            title_of(document),
            path,
            document.cluster or self._cluster_of(dirname(document.path)),
            place_of(document),
            namespace=target or own,
            release=text_at(spec, "releaseName") or (f"{target}-{name}" if target else name),
            values=values,
            inline=as_json({"values": at(spec, "values"), "parameters": []}) if at(spec, "values") else "",
        )
        notes = [*self._assumed(document, where)]
        if spec.get("valuesFrom"):
            problem = f"{title_of(document)}: takes values from objects of the cluster (valuesFrom), which are not known here"
            notes.append(Diagnostic("needs-rendering", problem, document.path, spec.lines["valuesFrom"] or None))
        return Deployed((deployment,), (), tuple(notes))

    def _source(self, reference: YamlMap, path: str | None) -> str | None:
        """Why a source is this repository; None where it is another."""
        kind, name = text_at(reference, "kind") or "GitRepository", text_at(reference, "name")
        document = self._sources.get((kind, name))
        url = text_at(document.body, "spec", "url") if document is not None else ""
        if kind != "GitRepository":
            return None
        if url and self._remote:
            return "" if same_repository(url, self._remote) else None
        return (
            f"its source {name or 'without a name'} is taken for this repository, because the folder is here" if path is not None else None
        )

    def _named(self, reference: YamlMap) -> str:
        kind, name = text_at(reference, "kind"), text_at(reference, "name")
        document = self._sources.get((kind, name))
        url = text_at(document.body, "spec", "url") if document is not None else ""
        return f"{kind or 'a source'} {name}" + (f" ({url})" if url else "")

    def _assumed(self, document: Document, where: str) -> Iterable[Diagnostic]:
        if where:
            yield Diagnostic.at("source-assumed", f"{title_of(document)}: {where}", place_of(document))

    def _from_elsewhere(self, document: Document, source: str) -> Deployed:
        content = as_json(at(document.body, "spec"))
        return Deployed((), (Elsewhere(title_of(document), source, place_of(document), content),), ())


def _overlay(spec: YamlMap, path: str) -> str:
    """The fields of a Flux Kustomization that kustomize has too, as JSON."""
    fields: dict[str, object] = {name: spec[name] for name in _OVERLAY if spec.get(name)}
    components = [join(path, each) for each in texts_at(spec, "components")]
    if components:
        fields["components"] = components
    return as_json(fields) if fields else ""


def _group(document: Document) -> str:
    return text_at(document.body, "apiVersion").partition("/")[0]


def _key(document: Document) -> tuple[str, str]:
    return text_at(document.body, "kind"), text_at(document.body, "metadata", "name")

"""The values of discovery: units, the plan that holds them, and the documents that a plan is made from."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from analyzers.manifests.listing import Listing
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import YamlMap
from analyzers.units.renderer_name import RendererName as RendererName

Cluster = str | None
"""The name of a cluster; None where nothing in the repository names one."""


class Document(Struct, frozen=True):
    """The first mapping of a file, or one of its objects: what it says and where. `cluster` is the one that it is in, where a unit
    that makes it tells."""

    path: str
    line: int
    body: YamlMap
    cluster: Cluster = None


class Unit(Struct, frozen=True):
    """What is rendered as one.

    `path` is the folder of a kustomization, of a chart or of plain files; `place` is what put it there: the file and line to name in
    diagnostics, with `why` in words. `reads` is every file that rendering may read. Objects without a namespace get `namespace` ("" where
    none is known); `moved_to` is the namespace that every object is put into. `values` are values files of the tree, in the order in which
    they apply, and `inline` JSON that comes after them: values for helm, fields of a further kustomization for kustomize. `generated` are
    files that are written before rendering, by path; `copies` are folders that stand at another place too, by that place. `plugins` are
    files of those read that must be looked into first, because they could name code to run. `notes` are told with its objects.
    """

    renderer: RendererName
    path: str
    clusters: tuple[Cluster, ...]
    place: SourceLocation
    why: str
    reads: tuple[str, ...]
    namespace: str = ""
    moved_to: str = ""
    release: str = ""
    values: tuple[str, ...] = ()
    inline: str = ""
    generated: tuple[tuple[str, str], ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
    plugins: tuple[str, ...] = ()
    notes: tuple[Diagnostic, ...] = ()

    @property
    def title(self) -> str:
        """How messages name the unit."""
        what = {RendererName.PLAIN: "folder", RendererName.KUSTOMIZE: "kustomization", RendererName.HELM: "chart"}[self.renderer]
        told = [self.release if self.release != self.path.rpartition("/")[2] else "", *(each.rpartition("/")[2] for each in self.values)]
        return f"{what} {self.path or '.'}" + (f" ({', '.join(filter(None, told))})" if any(told) else "")


class Elsewhere(Struct, frozen=True):
    """Something that the repository deploys and does not hold: a chart or a repository of others, named by what deploys it. `content` is
    what decides what arrives: where it changes, so may reachability."""

    title: str
    source: str
    place: SourceLocation
    content: str


class Plan(Struct, frozen=True):
    """What is analysed of a tree: units to render, and by cluster the files that are read as they are. `refused` are units that will not be
    rendered, with the diagnostic that says why; no file of theirs is read."""

    units: tuple[Unit, ...]
    files: Mapping[Cluster, frozenset[str]]
    refused: tuple[tuple[Unit, Diagnostic], ...]
    diagnostics: tuple[Diagnostic, ...]
    elsewhere: tuple[Elsewhere, ...]

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """Every cluster, those without a name first."""
        named = {cluster for unit in self.units for cluster in unit.clusters} | set(self.files)
        return tuple(sorted(named, key=lambda cluster: (cluster is not None, cluster or "")))


class Inputs(Struct, frozen=True):
    """What discovery reads: the listing, the kustomization and the chart of each folder that has one, and every object of Flux and Argo CD.
    `requirements` are the dependencies that charts of the first API version keep in a file of their own."""

    listing: Listing
    kustomizations: Mapping[str, Document]
    charts: Mapping[str, Document]
    requirements: Mapping[str, Document]
    deployments: tuple[Document, ...] = ()
    problems: tuple[Diagnostic, ...] = ()

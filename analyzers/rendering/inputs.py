"""Reads what discovery needs: kustomizations, charts, and the objects by which Flux and Argo CD deploy."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import dirname
from typing import Final

from analyzers.manifests.defects import Unparsable
from analyzers.manifests.kustomizations import is_kustomization_name
from analyzers.manifests.limits import Limits
from analyzers.manifests.listing import Listing, is_manifest_name
from analyzers.manifests.prescan import group_of
from analyzers.manifests.templates import CHART, has_template_mark
from analyzers.manifests.tree import Entry, Tree, Unreadable
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import YamlMap
from analyzers.units import fluxcd
from analyzers.units.deployment import DEPLOYING, text_at
from analyzers.units.parsing import first_line, mappings
from analyzers.units.unit import Document, Inputs

_REQUIREMENTS: Final = "requirements.yaml"
_MARKS: Final = (b"toolkit.fluxcd.io", b"argoproj.io")
_KUSTOMIZE_GROUP: Final = "kustomize.config.k8s.io"


def read_inputs(tree: Tree, listing: Listing, limits: Limits) -> Inputs:
    """What discovery needs of a tree. A file that cannot be read is a problem of its own, and no unit."""
    reader = _Reader()
    wanted = [entry for entry in listing.files if _may_matter(entry) and entry.size <= limits.file_bytes]
    for entry, data in tree.read(wanted):
        if not isinstance(data, Unreadable):
            reader.take(entry.path, data)
    documents = tuple(reader.deployments)
    return Inputs(listing, reader.kustomizations, reader.charts, reader.requirements, documents, tuple(reader.problems))


def _may_matter(entry: Entry) -> bool:
    return is_manifest_name(entry.path) or is_kustomization_name(entry.path)


class _Reader:
    """Collects documents file by file."""

    def __init__(self) -> None:
        self.kustomizations: dict[str, Document] = {}
        self.charts: dict[str, Document] = {}
        self.requirements: dict[str, Document] = {}
        self.deployments: list[Document] = []
        self.problems: list[Diagnostic] = []

    def take(self, path: str, data: bytes) -> None:
        """Read one file for what it can be."""
        name, folder = path.rpartition("/")[2], dirname(path)
        if is_kustomization_name(path):
            self._first(self.kustomizations, folder, path, data)
        elif name == CHART:
            self._first(self.charts, folder, path, data)
        elif name == _REQUIREMENTS:
            self._first(self.requirements, folder, path, data, required=False)
        if any(mark in data for mark in _MARKS):
            self.deployments += _deployments(path, data)

    def _first(self, found: dict[str, Document], folder: str, path: str, data: bytes, *, required: bool = True) -> None:
        """Keep the first mapping of a file that stands for its folder."""
        try:
            bodies = mappings(data)
        except Unparsable as error:
            code = "needs-rendering" if has_template_mark(data.decode("utf-8", "replace")) else error.defect.code
            if required:
                self.problems.append(Diagnostic(code, error.defect.message, path, error.defect.line))
            return
        if bodies and not _is_of_another_group(path, bodies[0]):
            found[folder] = Document(path, first_line(bodies[0]), bodies[0])


def _is_of_another_group(path: str, body: YamlMap) -> bool:
    """Whether a file only has the name of a kustomization, and holds an object of another API group."""
    group = group_of(text_at(body, "apiVersion"))
    return is_kustomization_name(path) and group not in ("", _KUSTOMIZE_GROUP)


def _deployments(path: str, data: bytes) -> Iterator[Document]:
    """The objects of Flux and Argo CD in a file. One that cannot be read says so when it is loaded, and a template deploys nothing."""
    try:
        bodies = mappings(data)
    except Unparsable:
        return
    for body in bodies:
        group, kind = group_of(text_at(body, "apiVersion")), text_at(body, "kind")
        if (group, kind) in DEPLOYING or group == fluxcd.SOURCE_GROUP:
            yield Document(path, first_line(body), body)

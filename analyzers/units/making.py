"""From what is to be deployed to the units that render it: which renderer, which files, and what stands in the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from posixpath import dirname, join, relpath

from msgspec import Struct
from msgspec.structs import replace

from analyzers.manifests.kustomizations import is_kustomization_name
from analyzers.manifests.listing import is_manifest_name
from analyzers.manifests.templates import above
from analyzers.model.diagnostics import Diagnostic
from analyzers.units.charts import HelmCharts
from analyzers.units.deployment import Deployment
from analyzers.units.kustomized import Closure, Kustomized
from analyzers.units.unit import Cluster, Inputs, RendererName, Unit


class Draft(Struct, frozen=True):
    """A folder that is deployed, before it is known how: `renderer` is empty where the folder decides."""

    renderer: str
    path: str
    clusters: tuple[Cluster, ...]
    why: str
    deployment: Deployment


Made = tuple[Unit, tuple[Diagnostic, ...]]
"""A unit, and why it must not be rendered, if anything."""


class UnitMaker:
    """Makes units of one tree."""

    def __init__(self, inputs: Inputs, kustomized: Kustomized, charts: HelmCharts) -> None:
        self._inputs, self._kustomized, self._charts = inputs, kustomized, charts

    def units(self, draft: Draft) -> Iterator[Made]:
        """The units of one draft."""
        renderer = draft.renderer or self._renderer_of(draft.path)
        if renderer == RendererName.HELM:
            yield self._helm(draft)
        elif renderer == RendererName.KUSTOMIZE:
            yield self._kustomize(draft)
        else:
            yield from self._plain(draft)

    def _renderer_of(self, path: str) -> RendererName:
        if path in self._inputs.kustomizations:
            return RendererName.KUSTOMIZE
        return RendererName.HELM if path in self._inputs.charts else RendererName.PLAIN

    def _unit(self, draft: Draft, renderer: RendererName, reads: frozenset[str] | set[str]) -> Unit:
        deployment = draft.deployment
        return Unit(renderer, draft.path, draft.clusters, deployment.place, draft.why, tuple(sorted(reads)), deployment.namespace)

    def _helm(self, draft: Draft) -> Made:
        deployment = draft.deployment
        if draft.path not in self._inputs.charts:
            return self._lacking(draft, RendererName.HELM, "has no Chart.yaml")
        closure = self._charts.closure(draft.path)
        problems = list(closure.refusals)
        for path in deployment.values:
            if not self._inputs.listing.is_file(path):
                problem = f"the values file {path} is not in the repository"
                problems.append(Diagnostic.at("render-refused", problem, deployment.place))
        reads = closure.reads | {path for path in deployment.values if self._inputs.listing.is_file(path)}
        unit = replace(
            self._unit(draft, RendererName.HELM, reads),
            release=deployment.release or self._charts.name(draft.path),
            values=deployment.values,
            inline=deployment.inline,
            copies=closure.copies,
        )
        return unit, tuple(problems)

    def _kustomize(self, draft: Draft) -> Made:
        """A kustomization; one that only gathers objects is read as it is, file by file."""
        deployment = draft.deployment
        if draft.path not in self._inputs.kustomizations:
            return self._lacking(draft, RendererName.KUSTOMIZE, "has no kustomization")
        closure = self._kustomized.closure(draft.path)
        if not (closure.changes or closure.refusals or closure.lost or deployment.moved_to or deployment.overlay):
            return self._unit(draft, RendererName.PLAIN, closure.objects), ()
        return self._overlay(draft, set(closure.reads), [closure])

    def _overlay(self, draft: Draft, reads: set[str], closures: Sequence[Closure], generated: tuple[tuple[str, str], ...] = ()) -> Made:
        """The unit that kustomize renders of these closures, with what the deployment lays over them."""
        reads, problems, inline = self._overlaid(draft, reads)
        unit = replace(
            self._unit(draft, RendererName.KUSTOMIZE, reads),
            moved_to=draft.deployment.moved_to,
            inline=inline,
            generated=(*generated, *_stand_ins(closures)),
            plugins=tuple(sorted({path for closure in closures for path in closure.plugins})),
            notes=tuple(dict.fromkeys(note for closure in closures for _, note in closure.lost)),
        )
        return unit, (*(refusal for closure in closures for refusal in closure.refusals), *problems)

    def _overlaid(self, draft: Draft, reads: set[str]) -> tuple[set[str], list[Diagnostic], str]:
        """The files to read with those of components that the deployment adds, what is refused of them, and its fields."""
        deployment, problems = draft.deployment, list[Diagnostic]()
        fields = json.loads(deployment.overlay) if deployment.overlay else {}
        for folder in fields.get("components", ()):
            if folder in self._inputs.kustomizations:
                inner = self._kustomized.closure(folder)
                reads |= inner.reads
                problems += inner.refusals
            else:
                problem = f"{deployment.title}: the component {folder} is not in the repository"
                problems.append(Diagnostic.at("render-refused", problem, deployment.place))
        for patch in fields.get("patches", ()):
            if not isinstance(patch, dict) or "path" in patch:
                problem = f"{deployment.title}: a patch names a file instead of holding it"
                problems.append(Diagnostic.at("render-refused", problem, deployment.place))
        return reads, problems, deployment.overlay

    def _plain(self, draft: Draft) -> Iterator[Made]:
        """The plain files of a folder, and what stands in inner folders as units; with a namespace to move to or fields to put over them,
        all as one kustomization, which Flux makes in such a folder too."""
        deployment = draft.deployment
        files, inner = self._below(draft)
        if deployment.moved_to or deployment.overlay:
            yield self._generated(draft, files, inner)
            return
        if files:
            yield self._unit(draft, RendererName.PLAIN, frozenset(files)), ()
        for folder in inner:
            yield from self.units(Draft("", folder, draft.clusters, draft.why, deployment))

    def _below(self, draft: Draft) -> tuple[list[str], list[str]]:
        """The plain manifest files below a folder, and the outermost kustomizations in it."""
        files: list[str] = []
        inner: set[str] = set()
        prefix = f"{draft.path}/" if draft.path else ""
        for entry in self._inputs.listing.files:
            path, folder = entry.path, dirname(entry.path)
            if not path.startswith(prefix) or (not draft.deployment.recurse and folder != draft.path):
                continue
            between = [each for each in (folder, *above(folder)) if each == draft.path or each.startswith(prefix)]
            if found := [each for each in between if each in self._inputs.kustomizations and each != draft.path]:
                inner.add(found[-1])
            elif is_manifest_name(path) and not is_kustomization_name(path) and not any(each in self._inputs.charts for each in between):
                files.append(path)
        return files, sorted(inner)

    def _generated(self, draft: Draft, files: list[str], inner: list[str]) -> Made:
        closures = [self._kustomized.closure(folder) for folder in inner]
        resources = [relpath(each, draft.path or ".") for each in (*files, *inner)]
        made = json.dumps({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources})
        reads = {*files, *(path for closure in closures for path in closure.reads)}
        return self._overlay(draft, reads, closures, ((join(draft.path, "kustomization.yaml"), made),))

    def _lacking(self, draft: Draft, renderer: RendererName, what: str) -> Made:
        place = draft.deployment.place
        problem = Diagnostic.at("render-refused", f"{draft.path or '.'} {what}", place)
        return self._unit(draft, renderer, frozenset()), (problem,)


def _stand_ins(closures: Iterable[Closure]) -> tuple[tuple[str, str], ...]:
    """Files in place of those that the tree lacks: empty ones for data, and objects that say nothing about flows."""
    made: dict[str, str] = {}
    for closure in closures:
        made |= dict.fromkeys(closure.absent, "")
        for path, _ in closure.lost:
            name = f"flowdelta-absent-{hashlib.sha256(path.encode('utf-8', 'replace')).hexdigest()[:12]}"
            made[path] = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    return tuple(sorted(made.items()))

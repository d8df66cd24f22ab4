"""Discovery: from what a tree holds and what its configuration says to a plan of what is read and rendered, for which cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from posixpath import dirname

from msgspec.structs import replace

from analyzers.configuration import AnalysisSettings, UnitSettings, below
from analyzers.manifests.kustomizations import is_kustomization_name
from analyzers.manifests.listing import is_manifest_name
from analyzers.manifests.templates import Charts
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.units.argocd import read_argo
from analyzers.units.charts import HelmCharts
from analyzers.units.clusters import Convention, cluster_of, joined
from analyzers.units.deployment import Deployed, Deployment, text_at
from analyzers.units.fluxcd import read_flux
from analyzers.units.kustomized import Kustomized
from analyzers.units.making import Draft, UnitMaker
from analyzers.units.parsing import first_line
from analyzers.units.unit import Cluster, Inputs, Plan, RendererName, Unit

_MOST_NAMED = 8
"""Files that one diagnostic names."""


def discover(
    inputs: Inputs,
    settings: AnalysisSettings,
    remote: str,
    available: frozenset[RendererName],
    apart: frozenset[str] = frozenset(),
    convention: Convention = cluster_of,
) -> Plan:
    """What is read and rendered of a tree. `remote` is the address of the repository, empty where it is not known; `available` are the
    renderers at hand: what needs another one is read as written, as far as it can be. `apart` are clusters that are told apart from those
    that are found, whether they are or not; `convention` tells what names of folders say of clusters."""
    return _Discovery(inputs, settings, remote, available, apart, convention).plan()


class _Discovery:
    """One run of `discover`."""

    def __init__(
        self,
        inputs: Inputs,
        settings: AnalysisSettings,
        remote: str,
        available: frozenset[RendererName],
        apart: frozenset[str],
        convention: Convention,
    ) -> None:
        self._inputs, self._settings, self._remote, self._available, self._apart = inputs, settings, remote, available, apart
        self._kustomized, self._charts = Kustomized(inputs), HelmCharts(inputs)
        self._chart_roots = Charts(entry.path for entry in inputs.listing.files)
        self._maker = UnitMaker(inputs, self._kustomized, self._charts)
        self._convention = convention
        self._by_name: set[str] = set()

    def plan(self) -> Plan:
        """The plan."""
        deployed = self._deployed()
        drafts = list(self._drafts(deployed.here))
        made = _merged([unit for draft in drafts for unit in self._maker.units(draft)])
        refused = [(unit, problems[0]) for unit, problems in made if problems]
        whole = [self._with_namespace(unit) for unit, problems in made if not problems]
        units, as_written, missing = self._settled(whole)
        claimed = self._claimed(made)
        plain, notes = self._plain(claimed, deployed)
        written = [*as_written, *plain]
        settled = _told_apart([*(unit.clusters for unit, _ in made), *(clusters for _, clusters in written), tuple(self._apart)])
        units = [replace(unit, clusters=settled(unit.clusters)) for unit in units]
        refused = [(replace(unit, clusters=settled(unit.clusters)), why) for unit, why in refused]
        units, files = self._given_namespaces(units, _by_cluster((path, settled(clusters)) for path, clusters in written))
        diagnostics = (*self._inputs.problems, *deployed.diagnostics, *missing, *notes, *self._told_by_names())
        extra = [(unit, problem) for unit, problems in made for problem in problems[1:]]
        return Plan(tuple(units), files, tuple(refused), (*diagnostics, *(each for _, each in extra)), deployed.elsewhere)

    def _deployed(self) -> Deployed:
        documents = [each for each in self._inputs.deployments if not self._is_ignored(each.path)]
        listing = self._inputs.listing
        flux = read_flux(documents, self._remote, listing.is_folder, self._namespace_around, self._named)
        argo = read_argo(documents, self._remote, listing.folders, self._named)
        return Deployed((*flux.here, *argo.here), (*flux.elsewhere, *argo.elsewhere), (*flux.diagnostics, *argo.diagnostics))

    def _namespace_around(self, path: str) -> str:
        """The namespace that the nearest kustomization around a file sets."""
        folder = dirname(path)
        document = self._inputs.kustomizations.get(folder)
        return text_at(document.body, "namespace") if document is not None else ""

    def _is_ignored(self, path: str) -> bool:
        return any(below(path, pattern) for pattern in self._settings.ignore)

    def _drafts(self, deployments: Iterable[Deployment]) -> Iterator[Draft]:
        """What configuration names, then what Flux and Argo CD deploy, then what stands by itself; a path that is claimed is not found
        again."""
        claimed: set[str] = set()
        for settings in self._settings.units:
            claimed.add(settings.path)
            yield self._configured(settings)
        configured = frozenset(claimed)
        for each in deployments:
            if each.path in configured or self._is_ignored(each.path):
                continue
            claimed.add(each.path)
            clusters = self._clusters_of(each.path, each.cluster)
            yield Draft("", each.path, clusters, f"{each.title} deploys it", each)
        for folder in self._kustomized.roots():
            if folder not in claimed and not self._is_ignored(folder):
                document = self._inputs.kustomizations[folder]
                place = SourceLocation(document.path, first_line(document.body))
                yield self._found(RendererName.KUSTOMIZE, folder, "no other kustomization includes it", place)
        for folder in self._charts.roots():
            if folder not in claimed and not self._is_ignored(folder):
                yield from self._chart(folder)

    def _configured(self, settings: UnitSettings) -> Draft:
        place = SourceLocation(".flowdelta.yaml", settings.line)
        clusters: tuple[Cluster, ...] = settings.clusters or self._clusters_of(settings.path, None)
        release, values = settings.release, settings.values
        deployment = Deployment("unit", settings.path, None, place, settings.namespace, release=release, values=values)
        return Draft(settings.renderer, settings.path, clusters, f".flowdelta.yaml names it (line {settings.line})", deployment)

    def _found(self, renderer: RendererName, folder: str, why: str, place: SourceLocation) -> Draft:
        return Draft(renderer, folder, self._clusters_of(folder, None), why, Deployment("unit", folder, None, place))

    def _chart(self, folder: str) -> Iterator[Draft]:
        """A chart with its own values, or once for each environment that it has values for."""
        document = self._inputs.charts[folder]
        place = SourceLocation(document.path, first_line(document.body))
        variants = sorted(self._charts.variants(folder))
        if not variants:
            yield self._found(RendererName.HELM, folder, "a chart with its own values", place)
        for word, path in variants:
            deployment = Deployment("unit", folder, word, place, values=(path,))
            clusters = self._clusters_of(path, word)
            self._by_name.add(word)
            yield Draft(RendererName.HELM, folder, clusters, f"a chart with values called like the environment {word}", deployment)

    def _clusters_of(self, path: str, told: Cluster) -> tuple[Cluster, ...]:
        """The clusters that configuration gives a path, else the one that is told, else the one that conventions give."""
        if self._settings.clusters:
            named = tuple(each.name for each in self._settings.clusters if any(below(path, pattern) for pattern in each.paths))
            return named or (told,)
        return (told if told is not None else self._named(path),)

    def _named(self, path: str) -> Cluster:
        """The cluster that conventions give a path."""
        cluster = self._convention(path)
        if cluster is not None:
            self._by_name.add(cluster)
        return cluster

    def _told_by_names(self) -> Iterator[Diagnostic]:
        """How clusters were told apart, where nothing but the names of folders and of values files does it."""
        if len(self._by_name) > 1 and not self._settings.clusters:
            names = sorted(self._by_name)
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            problem = f"the names of folders and values files tell clusters apart: {', '.join(names[:_MOST_NAMED])}{more}"
            yield Diagnostic("clusters-by-convention", problem)

    def _with_namespace(self, unit: Unit) -> Unit:
        return unit if unit.namespace else replace(unit, namespace=self._namespace_of(unit.path))

    def _namespace_of(self, path: str) -> str:
        """The namespace that configuration gives what has none at a path; of several the one given for the innermost."""
        given = [(pattern.count("/"), len(pattern), namespace) for pattern, namespace in self._settings.namespaces if below(path, pattern)]
        return max(given)[2] if given else ""

    def _settled(self, units: Iterable[Unit]) -> tuple[list[Unit], list[tuple[str, tuple[Cluster, ...]]], list[Diagnostic]]:
        """The units that are rendered, the files with their clusters that are read as written instead, and who is missing."""
        rendered: list[Unit] = []
        written: list[tuple[str, tuple[Cluster, ...]]] = []
        lacking: dict[RendererName, list[Unit]] = {}
        for unit in units:
            if unit.renderer is RendererName.PLAIN and not unit.namespace:
                written += [(path, unit.clusters) for path in unit.reads]
            elif unit.renderer in self._available:
                rendered.append(unit)
            else:
                lacking.setdefault(unit.renderer, []).append(unit)
                written += [(path, unit.clusters) for path in unit.reads]
        return rendered, written, [_lacking(renderer, found) for renderer, found in lacking.items()]

    def _claimed(self, made: Iterable[tuple[Unit, tuple[Diagnostic, ...]]]) -> frozenset[str]:
        """Files that belong to a unit, or to a kustomization that is part of one: none of them is read by itself."""
        claimed = {path for unit, _ in made for path in (*unit.reads, *unit.values)}
        for folder in self._inputs.kustomizations:
            claimed |= self._kustomized.files_beside(folder)
        return frozenset(claimed)

    def _plain(self, claimed: frozenset[str], deployed: Deployed) -> tuple[list[tuple[str, tuple[Cluster, ...]]], list[Diagnostic]]:
        """The files that nothing claims, with their clusters; those that stand beside a kustomization, which does not name them, are left
        out with a word."""
        plain: list[tuple[str, tuple[Cluster, ...]]] = []
        beside: dict[str, list[str]] = {}
        spoken = {each.path for each in self._inputs.deployments}
        for entry in self._inputs.listing.files:
            path, folder = entry.path, dirname(entry.path)
            if path in claimed or self._is_ignored(path) or not (is_manifest_name(path) or is_kustomization_name(path)):
                continue
            if folder in self._inputs.kustomizations:
                if is_manifest_name(path) and not is_kustomization_name(path) and path not in spoken:
                    beside.setdefault(folder, []).append(path.rpartition("/")[2])
                continue
            if (
                (chart := self._chart_roots.chart_of(path)) is not None
                and RendererName.HELM in self._available
                and chart in self._inputs.charts
            ):
                continue
            plain.append((path, self._clusters_of(folder, None)))
        return plain, [self._not_included(folder, names) for folder, names in sorted(beside.items())]

    def _not_included(self, folder: str, names: list[str]) -> Diagnostic:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        told = f"{', '.join(names[:_MOST_NAMED])}{more}"
        return Diagnostic(
            "not-included", f"{told}: the kustomization beside does not name it; left out", self._inputs.kustomizations[folder].path
        )

    def _given_namespaces(
        self, units: list[Unit], files: Mapping[Cluster, frozenset[str]]
    ) -> tuple[list[Unit], Mapping[Cluster, frozenset[str]]]:
        """Plain files that configuration gives a namespace, as units of their own."""
        if not self._settings.namespaces:
            return units, files
        groups: dict[tuple[str, Cluster], list[str]] = {}
        for cluster, paths in files.items():
            for path in sorted(paths):
                if namespace := self._namespace_of(path):
                    groups.setdefault((namespace, cluster), []).append(path)
        taken = {(cluster, path) for (_, cluster), paths in groups.items() for path in paths}
        left = {cluster: frozenset(path for path in paths if (cluster, path) not in taken) for cluster, paths in files.items()}
        why, place = ".flowdelta.yaml gives their namespace", SourceLocation(".flowdelta.yaml", 1)
        more = [
            Unit(RendererName.PLAIN, "", (cluster,), place, why, tuple(paths), namespace)
            for (namespace, cluster), paths in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        ]
        return [*units, *more], left


def _lacking(renderer: RendererName, units: list[Unit]) -> Diagnostic:
    titles = [unit.title for unit in units]
    more = f" and {len(titles) - _MOST_NAMED} more" if len(titles) > _MOST_NAMED else ""
    needed = f"{', '.join(titles[:_MOST_NAMED])}{more}"
    return Diagnostic(
        "renderer-missing", f"{renderer} was not found, which is needed for: {needed}; files are read as written", units[0].place.path
    )


def _merged(made: Iterable[tuple[Unit, tuple[Diagnostic, ...]]]) -> list[tuple[Unit, tuple[Diagnostic, ...]]]:
    """Units that would be rendered alike, once, for all their clusters."""
    found: dict[Unit, tuple[Unit, tuple[Diagnostic, ...]]] = {}
    nowhere = SourceLocation("", 0)
    for unit, problems in made:
        key = replace(unit, clusters=(), place=nowhere, why="")
        first = found.get(key, (unit, problems))[0]
        clusters = tuple(dict.fromkeys((*first.clusters, *unit.clusters)))
        found[key] = (replace(first, clusters=clusters), problems)
    return list(found.values())


def _told_apart(clusters: Iterable[tuple[Cluster, ...]]) -> Callable[[tuple[Cluster, ...]], tuple[Cluster, ...]]:
    """From the clusters that were found to those that are told apart: what names none belongs to the only one there is."""
    known = joined(tuple({each for found in clusters for each in found}))
    only = known[0] if len(known) == 1 else None
    return lambda found: tuple(dict.fromkeys(only if each is None else each for each in found))


def _by_cluster(files: Iterable[tuple[str, tuple[Cluster, ...]]]) -> Mapping[Cluster, frozenset[str]]:
    found: dict[Cluster, set[str]] = {}
    for path, clusters in files:
        for cluster in clusters:
            found.setdefault(cluster, set()).add(path)
    return {cluster: frozenset(paths) for cluster, paths in found.items()}

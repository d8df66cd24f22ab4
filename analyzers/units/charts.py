"""Charts: which stand for themselves, what each reads, and why one must not be rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from posixpath import dirname, join, normpath
from typing import Final

from msgspec import Struct

from analyzers.manifests.templates import Charts, above
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import YamlList, YamlMap
from analyzers.units.clusters import ENVIRONMENTS
from analyzers.units.unit import Document, Inputs

_VALUES = re.compile(r"(?:values[-._](?P<after>[\w-]+)|(?P<before>[\w-]+)[-._]values|values/(?P<inside>[\w-]+))\.ya?ml")
_FILE: Final = "file://"


class ChartClosure(Struct, frozen=True):
    """A chart with all that it needs: every file that is read, charts of the repository that stand in its `charts/` too (by that place),
    and what is refused."""

    reads: frozenset[str]
    copies: tuple[tuple[str, str], ...]
    refusals: tuple[Diagnostic, ...]


class HelmCharts:
    """The charts of a tree."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._files = [entry.path for entry in inputs.listing.files]
        self._by_chart: dict[str, list[str]] = {}
        self._links: dict[str, str] = {}
        roots = frozenset(Charts(self._files).roots)
        for path in self._files:
            for folder in above(path):
                if folder in roots:
                    self._by_chart.setdefault(folder, []).append(path)
        for link in inputs.listing.links:
            for folder in above(link.path):
                if folder in roots:
                    self._links.setdefault(folder, link.path)

    def roots(self) -> tuple[str, ...]:
        """The folders of charts that are deployed by themselves: no library, and no part of another chart."""
        parts = {target for folder in self._inputs.charts for _, target in self._local(folder) if target}
        return tuple(
            folder
            for folder, chart in sorted(self._inputs.charts.items())
            if chart.body.get("type") != "library" and folder not in parts and not self._is_vendored(folder)
        )

    def name(self, folder: str) -> str:
        """The name of a chart."""
        name = self._inputs.charts[folder].body.get("name")
        return name if isinstance(name, str) and name else folder.rpartition("/")[2]

    def variants(self, folder: str) -> Iterator[tuple[str, str]]:
        """The values files beside a chart's own that are called like an environment: the environment and the path."""
        prefix = f"{folder}/" if folder else ""
        for path in self._by_chart.get(folder, ()):
            match = _VALUES.fullmatch(path.removeprefix(prefix))
            word = next(filter(None, match.groups()), "") if match else ""
            if word.lower() in ENVIRONMENTS:
                yield word, path

    def closure(self, folder: str) -> ChartClosure:
        """A chart with all that it needs."""
        chart = self._inputs.charts[folder]
        reads = set(self._by_chart[folder])
        copies: list[tuple[str, str]] = []
        refusals = list(self._links_in(folder, chart))
        for dependency, target in self._local(folder):
            if target:
                copies.append((join(folder, "charts", dependency), target))
                reads |= set(self._by_chart[target])
                refusals += self._links_in(target, self._inputs.charts[target])
        refusals += self._missing(folder, chart)
        return ChartClosure(frozenset(reads), tuple(copies), tuple(refusals))

    def _links_in(self, folder: str, chart: Document) -> Iterator[Diagnostic]:
        if folder in self._links:
            problem = f"holds the link {self._links[folder]}, which is not followed"
            yield Diagnostic("render-refused", problem, chart.path, 1)

    def _missing(self, folder: str, chart: Document) -> Iterator[Diagnostic]:
        """Dependencies that are not in the repository: helm would have to fetch them."""
        local = {name for name, target in self._local(folder) if target}
        for path, line, name, repository in self._dependencies(folder):
            if name in local or self._has(folder, name):
                continue
            origin = f" from {repository[:200]!r}" if repository else ""
            problem = f"depends on {name!r}{origin}, which is not in {join(folder, 'charts')}/; nothing is fetched"
            yield Diagnostic("render-refused", problem, path, line)

    def _has(self, folder: str, name: str) -> bool:
        beginning = join(folder, "charts", name)
        return any(path.startswith((f"{beginning}/", f"{beginning}-")) for path in self._by_chart[folder])

    def _local(self, folder: str) -> Iterator[tuple[str, str]]:
        """The dependencies that another folder of the repository holds: name and folder, empty where it is not there."""
        for _, _, name, repository in self._dependencies(folder):
            if repository.startswith(_FILE) and not self._has(folder, name):
                target = normpath(join(folder, repository.removeprefix(_FILE)))
                target = "" if target == "." else target
                yield name, target if target in self._inputs.charts and target != folder else ""

    def _dependencies(self, folder: str) -> Iterator[tuple[str, int, str, str]]:
        """Path, line, name and repository of each dependency."""
        for document in filter(None, (self._inputs.charts.get(folder), self._inputs.requirements.get(folder))):
            for item in _maps(document.body.get("dependencies")):
                name, repository = item.get("name"), item.get("repository")
                if isinstance(name, str) and re.fullmatch(r"[\w.-]+", name) and name.strip("."):
                    yield document.path, item.lines["name"], name, repository if isinstance(repository, str) else ""

    def _is_vendored(self, folder: str) -> bool:
        """Whether a chart stands in the `charts/` of another."""
        around = dirname(folder)
        return around.rpartition("/")[2] == "charts" and dirname(around) in self._inputs.charts


def _maps(value: object) -> Iterable[YamlMap]:
    return (item for item in value if isinstance(item, YamlMap)) if isinstance(value, YamlList) else ()

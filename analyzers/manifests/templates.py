"""Templates: files that are no manifests until something renders them, reported once for each chart or folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from posixpath import dirname, join
from typing import Final

from analyzers.model.diagnostics import Diagnostic

CHART: Final = "Chart.yaml"
_MARK = re.compile(r"\{\{|\{%")


def has_template_mark(text: str) -> bool:
    """Whether a text holds the start of a Go template or Jinja expression."""
    return "{{" in text or "{%" in text


def template_mark_line(text: str) -> int:
    """The line of the first template expression; 1 when there is none."""
    mark = _MARK.search(text)
    return text.count("\n", 0, mark.start()) + 1 if mark else 1


def above(path: str) -> Iterable[str]:
    """The folders above a path, the nearest first, the root ("") last."""
    while path:
        path = dirname(path)
        yield path


class Charts:
    """The Helm charts of a tree: its folders that hold a Chart.yaml, which are their `roots`."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.roots = frozenset(dirname(path) for path in paths if path.rpartition("/")[2] == CHART)

    def chart_of(self, path: str) -> str | None:
        """The innermost chart that a path belongs to."""
        return next((folder for folder in above(path) if folder in self.roots), None)

    def is_template(self, path: str) -> bool:
        """Whether a path lies under the templates/ of a chart. What stands there, and whether it does, is decided by values at render time,
        even where it parses as it is."""
        if not self.roots or "templates/" not in path:
            return False
        folders = list(above(path))
        return any(inner == join(outer, "templates") and outer in self.roots for inner, outer in pairwise(folders))

    def is_own_file(self, path: str) -> bool:
        """Whether a path lies right in a chart's folder: its metadata and values, which are no objects."""
        return bool(self.roots) and dirname(path) in self.roots


def rendering_diagnostics(marks: Mapping[str, int], charts: Charts) -> Iterable[Diagnostic]:
    """One diagnostic for each chart, or else folder, that has templated files. `marks`: path to line of the first template expression."""
    groups: dict[str, list[str]] = {}
    for path in sorted(marks):
        chart = charts.chart_of(path)
        groups.setdefault(dirname(path) if chart is None else chart, []).append(path)
    for folder, paths in groups.items():
        files = "1 templated file needs" if len(paths) == 1 else f"{len(paths)} templated files need"
        first = paths[0].removeprefix(f"{folder}/")
        yield Diagnostic("needs-rendering", f"{folder or '.'}: {files} rendering; first is {first}", paths[0], marks[paths[0]])

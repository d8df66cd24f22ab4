"""Report formats. `FORMATS` is the whole registry: a new format is one file and one line here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from analyzers.impact.clusters import DiffsReport
from analyzers.impact.report import DiffReport, Explanation, MatrixReport
from analyzers.reports.context import Context

__all__ = ["FORMATS", "Context", "render"]

DEFAULT = Context()

Report = MatrixReport | DiffReport | DiffsReport | Explanation

FORMATS: tuple[tuple[str, str], ...] = (
    ("text", "analyzers.reports.text"),
    ("json", "analyzers.reports.json_document"),
    ("markdown", "analyzers.reports.markdown"),
    ("csv", "analyzers.reports.csv_rows"),
    ("dot", "analyzers.reports.dot"),
    ("html", "analyzers.reports.html"),
    ("sarif", "analyzers.reports.sarif"),
    ("codequality", "analyzers.reports.codequality"),
)
"""Each format with the module that provides `matrix`, `diff` and `explain`, imported when it is first asked for; several clusters are put
together by `side_by_side`."""


def render(format: str, report: Report, *, context: Context = DEFAULT) -> Iterator[str]:
    """The report in a format of `FORMATS`, as a stream of text chunks. Raises KeyError for an unknown format."""
    if isinstance(report, DiffsReport):
        from analyzers.reports import side_by_side

        return side_by_side.FORMATS[format](report, context)
    module = import_module(dict(FORMATS)[format])
    name = {MatrixReport: "matrix", DiffReport: "diff", Explanation: "explain"}[type(report)]
    rendered: Iterator[str] = getattr(module, name)(report, context)
    return rendered

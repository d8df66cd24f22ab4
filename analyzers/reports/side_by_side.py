"""Several clusters in one report, in every format: what changes in each, side by side, and never mixed. `FORMATS` is the registry."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Final

from msgspec.structs import replace

from analyzers.impact.clusters import DiffsReport
from analyzers.impact.report import DiffReport
from analyzers.model.revision import Revision
from analyzers.reports.cluster_words import first_line, heading, headline_of, parted, scope_of, unchanged
from analyzers.reports.context import Context
from analyzers.reports.page import Page
from analyzers.reports.phrases import Name, Phrase
from analyzers.reports.plain_words import plain

LEAST_ROOM: Final = 1_500
"""Characters of a comment below which a cluster gets its first line only."""


def text(report: DiffsReport, context: Context) -> Iterator[str]:
    """A heading and a report for each cluster with changes, then the others in one line."""
    from analyzers.reports import text as format

    telling, quiet = parted(report)
    yield f"Flowdelta: {headline_of(report)}\n"
    for each in telling:
        yield "\n"
        yield from format.diff(each, _under(context, heading(report, each), note=context.note if each is telling[0] else ""))
    yield f"\n{plain(unchanged(quiet))}.\n" if quiet else ""
    yield f"\nDigest of all clusters: {report.digest}\n"


def markdown(report: DiffsReport, context: Context) -> Iterator[str]:
    """The same as the body of one comment, within its budget: where there is not room for all, later clusters get one line each."""
    from analyzers.reports.markdown import footer
    from analyzers.reports.markdown_inline import inline

    page = Page(context.budget)
    telling, quiet = parted(report)
    title = f"### Flowdelta: {inline(first_line(report), context)}\n"
    top = page.fitting(title, "### Flowdelta\n") + (page.fitting(f"\n{' '.join(context.note.split())}\n") if context.note else "")
    compared = ("From ", *_revision(report.base), " to ", *_revision(report.head))
    last = page.fitting(footer(inline(compared, context), scope_of(report), report.digest, context))
    same = page.fitting(f"\n{inline(unchanged(quiet), context)}.\n") if quiet else ""
    yield top
    yield from _sections(report, telling, page, context)
    yield same + last


def html(report: DiffsReport, context: Context) -> Iterator[str]:
    """One page with a part for each cluster with changes."""
    from analyzers.reports import html as format
    from analyzers.reports.html_inline import inline

    telling, quiet = parted(report)

    def body() -> Iterator[str]:
        for number, each in enumerate(telling):
            yield f'<article id="cluster-{number}">\n<h2>{inline(heading(report, each), context)}</h2>\n'
            yield from format.changes(each, context, f"cluster-{number}-section")
            yield "</article>\n"
        yield f"<p>{inline(unchanged(quiet), context)}.</p>\n" if quiet else ""

    about = ("From ", *_revision(report.base), " to ", *_revision(report.head))
    yield from format.page(f"Flowdelta: {headline_of(report)}", about, report, body(), f"digest {report.digest}", context)


def json_document(report: DiffsReport, context: Context) -> Iterator[str]:
    """A `flowdelta.diffs/1` document: one `flowdelta.diff/1` for each cluster, those without changes too."""
    from analyzers.reports.json_document import diff

    said = {"schema": "flowdelta.diffs/1", "complete": report.complete, "digest": report.digest}
    said |= {"base": _side(report.base), "head": _side(report.head), "added": report.added, "removed": report.removed}
    yield f'{json.dumps(said, separators=(",", ":"))[:-1]},"clusters": [\n'
    for position, each in enumerate(report.clusters):
        yield "," if position else ""
        yield from diff(each, context)
    yield "]}\n"


def csv_rows(report: DiffsReport, context: Context) -> Iterator[str]:
    """The rows of every cluster behind its name."""
    from analyzers.reports import csv_rows as format

    for position, each in enumerate(report.clusters):
        name = str(format.cell(each.cluster or ""))
        for number, chunk in enumerate(format.diff(each, context)):
            rows = csv.reader(StringIO(chunk))
            named = [["cluster" if not (number or index) else name, *row] for index, row in enumerate(rows)]
            yield _lines(named[1:] if position and not number else named)


def dot(report: DiffsReport, context: Context) -> Iterator[str]:
    """A drawing for each cluster with changes, one after another in one file."""
    from analyzers.reports import dot as format

    for each in parted(report)[0] or report.clusters[:1]:
        yield f"// {plain(heading(report, each))}\n"
        yield from format.diff(each, context)


def sarif(report: DiffsReport, context: Context) -> Iterator[str]:
    """One log with a run for each cluster."""
    from analyzers.reports import sarif as format

    logs = [json.loads("".join(format.diff(each, context))) for each in report.clusters]
    yield json.dumps({**logs[0], "runs": [run for log in logs for run in log["runs"]]}, separators=(",", ":")) + "\n"


def codequality(report: DiffsReport, context: Context) -> Iterator[str]:
    """The issues of every cluster; what several clusters have in common stands there once."""
    from analyzers.reports import codequality as format

    issues: dict[str, Mapping[str, object]] = {}
    for each in report.clusters:
        for issue in json.loads("".join(format.diff(each, context))):
            named = {**issue, "description": f"{plain(heading(report, each))}: {issue['description']}"}
            issues.setdefault(issue["fingerprint"], named)
    yield f"{json.dumps(list(issues.values()), separators=(',', ':'))}\n"


FORMATS: Final[Mapping[str, Callable[[DiffsReport, Context], Iterator[str]]]] = {
    "text": text,
    "json": json_document,
    "markdown": markdown,
    "csv": csv_rows,
    "dot": dot,
    "html": html,
    "sarif": sarif,
    "codequality": codequality,
}
"""Each format with what writes several clusters in it."""


def _sections(report: DiffsReport, telling: Sequence[DiffReport], page: Page, context: Context) -> Iterator[str]:
    """The report of each cluster in an equal share of the room that is left; one line where that is too little."""
    from analyzers.reports.markdown import diff
    from analyzers.reports.markdown_inline import inline

    for position, each in enumerate(telling):
        left = len(telling) - position
        share = page.share(1, left)
        if share.room >= LEAST_ROOM:
            yield "\n" if share.fitting("\n") else ""
            shown = "".join(diff(each, _under(context, heading(report, each), budget=share.room)))
            yield share.fitting(shown)
        else:
            line = f"\n{inline(heading(report, each), context)}: {headline_of(each)}\n"
            yield share.fitting(line) or page.fitting(line)
        page.rejoin(share)


def _under(context: Context, heading: Phrase, *, note: str = "", budget: int = 0) -> Context:
    """The context of one cluster; what is said of the whole report stands there once."""
    return replace(context, heading=heading, note=note, budget=budget or context.budget, report_url=None, seconds=None)


def _revision(revision: Revision) -> Phrase:
    return (Name(revision.label), *((" at ", Name(revision.commit[:7])) if revision.commit else ()))


def _side(revision: Revision) -> Mapping[str, str | None]:
    return {"label": revision.label, "commit": revision.commit}


def _lines(rows: list[list[str]]) -> str:
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()

"""Markdown: the body of a pull-request comment, and the same for a matrix and an explanation.

Never longer than its budget, cut at whole rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from analyzers.impact.report import DiffReport, Explanation, MatrixReport, Revision, Scope, Step
from analyzers.model.diagnostics import Diagnostic
from analyzers.reports import headline
from analyzers.reports.cause_words import effectless
from analyzers.reports.context import Context
from analyzers.reports.gap_words import gaps, readings, warnings
from analyzers.reports.markdown_inline import code, inline, linked
from analyzers.reports.matrix_rows import matrix_rows
from analyzers.reports.page import Page, Table, fill, summary
from analyzers.reports.phrases import Name, Phrase, counted, joined
from analyzers.reports.row_words import Speaker
from analyzers.reports.rows import Row
from analyzers.reports.sections import HEAD, sections
from analyzers.reports.step_words import egress_title, ingress_title, step_in_words

MAY = (
    "\n*may*: possible, not certain, before or after: it depends on what manifests do not tell, "
    "such as the addresses of the nodes that `hostNetwork` pods use.\n"
)
INCOMPLETE = "**This result is incomplete.**"
_SUMMARY_ROOM = 2_000


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """What opens, what closes, what is not known, how it was done."""
    page = Page(context.budget)
    top = _top(page, headline.of_diff(report), context)
    bottom = _bottom(page, report, context, _diff_footer(report, context))
    effectless = page.fitting(_effectless(report, context))
    speaker = Speaker.of_diff(report)
    found = tuple(sections(report, context))
    filtered = page.fitting(_filter_line(context, bool(found)))
    may = page.fitting(MAY) if any(row.may for section in found for row in section.rows) else ""
    tables = [Table(each.title, each.rows, _change_row(speaker, each.revision, context)) for each in found]
    body = _tables(page, tables, ("from", "to", "ports", "because"), context)
    yield "".join((top, filtered, body, may, effectless, bottom))


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """Everything that connects, sources and destinations that do so alike in one row."""
    page = Page(context.budget)
    top = _top(page, headline.of_matrix(report), context)
    bottom = _bottom(page, report, context, _footer(code(report.revision.label), report.scope, "", context))
    speaker, rows = Speaker.of_matrix(report), matrix_rows(report, context)
    filtered = page.fitting(_filter_line(context, bool(rows)))
    may = page.fitting(MAY) if any(row.may for row in rows) else ""

    def write(row: Row, folds: bool) -> str:
        said = speaker.say(row, HEAD)
        return _cells(inline(said.source, context, folds=folds), inline(said.destination, context, folds=folds), said.ports)

    nothing = "" if rows or context.namespaces else page.fitting("\nNothing connects.\n")
    body = _tables(page, [Table("Connects", rows, write)] if rows else [], ("from", "to", "ports"), context)
    yield "".join((top, filtered, nothing, body, may, bottom))


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """The verdict for one pair, and each policy and rule that decided it, in the order of evaluation."""
    page = Page(context.budget)
    title = inline((Name(report.source), " → ", Name(report.destination), f": {headline.of_explanation(report)}"), context)
    top = page.fitting(f"### {title}\n") or page.fitting("### Flowdelta\n")
    bottom = page.fitting(_gap_line(report.diagnostics, report.complete, context))
    yield top
    for said, steps in ((egress_title(report), report.egress), (ingress_title(report), report.ingress)):
        yield page.fitting(f"\n**{inline(said, context)}**\n\n")
        yield from _steps(page, steps, context)
    yield bottom


def _steps(page: Page, steps: Sequence[Step], context: Context) -> Iterator[str]:
    reserve = page.share(1, 4)
    for position, step in enumerate(steps):
        line = page.fitting(f"{position + 1}. {inline(step_in_words(step), context)}\n")
        if not line:
            page.rejoin(reserve)
            yield page.fitting(f"\n{counted(len(steps) - position, 'more step')} not shown.\n")
            return
        yield line
    page.rejoin(reserve)


def _top(page: Page, said: str, context: Context) -> str:
    title = f"### Flowdelta: {said}\n"
    return page.fitting(title, title[: page.room]) + (page.fitting(f"\n{' '.join(context.note.split())}\n") if context.note else "")


def _bottom(page: Page, report: DiffReport | MatrixReport, context: Context, footer: str) -> str:
    """What stands below the tables, the most important claimed first."""
    left_out = page.fitting(_gap_line(report.diagnostics, report.complete, context), f"\n{INCOMPLETE}\n" if not report.complete else "")
    footer = page.fitting(footer)
    read = [inline(each, context) for each in readings(report.diagnostics)]
    warned = [f"- {inline(each, context)}\n" for each in warnings(report.diagnostics)]
    fold = f"\n<details><summary>{counted(len(warned), 'warning')}</summary>\n\n{''.join(warned)}\n</details>\n" if warned else ""
    return "".join((left_out, page.fitting(f"\n<sub>{'. '.join(read)}.</sub>\n" if read else ""), page.fitting(fold), footer))


def _gap_line(diagnostics: Sequence[Diagnostic], complete: bool, context: Context) -> str:
    return "" if complete else f"\nNot analysed: {inline(gaps(diagnostics), context)}. {INCOMPLETE}\n"


def _change_row(speaker: Speaker, revision: int, context: Context) -> Callable[[Row, bool], str]:
    def write(row: Row, folds: bool) -> str:
        said = speaker.say(row, revision)
        ends = (inline(each, context, folds=folds) for each in (said.source, said.destination))
        return _cells(*ends, said.ports, inline(said.because, context))

    return write


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _tables(page: Page, tables: Sequence[Table], columns: Sequence[str], context: Context) -> str:
    reserve = Page(min(_SUMMARY_ROOM, page.room // 5))
    page.fitting(" " * reserve.room)
    head = f"{_cells(*columns)}{_cells(*('---' for _ in columns))}"
    text, left = fill(page, tables, lambda title: f"\n**{title}**\n\n{head}")
    page.rejoin(reserve)
    return text + (_left_out(page, left, context) if left else "")


def _left_out(page: Page, left: Sequence[tuple[str, Row]], context: Context) -> str:
    where = f" They are in the {linked('full report', context.report_url)}." if context.report_url else ""
    text = page.fitting(f"\n**{counted(len(left), 'flow')} left out here for length.**{where}\n\n")
    return text + "".join(page.fitting(f"- {inline(each, context)}\n") for each in summary(left)) if text else ""


def _filter_line(context: Context, found: bool) -> str:
    if not context.namespaces:
        return ""
    names = inline(joined([(Name(each),) for each in sorted(context.namespaces)]), context)
    return f"\nOnly flows from or to {names} are shown.\n" if found else f"\nNo row has an end in {names}.\n"


def _effectless(report: DiffReport, context: Context) -> str:
    said = effectless(report)
    return f"\n{inline(said, context)}.\n" if said else ""


def _diff_footer(report: DiffReport, context: Context) -> str:
    compared = ("From ", *_revision(report.base), " to ", *_revision(report.head))
    return _footer(inline(compared, context), report.scope, report.digest, context)


def _revision(revision: Revision) -> Phrase:
    return (Name(revision.label), *((" at ", Name(revision.commit[:7])) if revision.commit else ()))


def _footer(analysed: str, scope: Scope, digest: str, context: Context) -> str:
    said = [analysed, headline.of_scope(scope)]
    said += [f"{context.seconds:.1f} s"] if context.seconds is not None else []
    said += [f"digest {code(headline.short(digest))}"] if digest else []
    said += [linked("full report", context.report_url)] if context.report_url else []
    return f"\n<sub>{' · '.join(said)}</sub>\n"

"""Markdown: the body of a pull-request comment, and the same for a matrix and an explanation.

Never longer than its budget, cut at whole rows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from analyzers.impact.report import DiffReport, Explanation, MatrixReport, Scope, Step
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.revision import Revision
from analyzers.reports import headline, protection_words, way_words
from analyzers.reports.assessment_words import levels_in_words, may_break_note, path_lines
from analyzers.reports.cause_words import effectless, effectless_title
from analyzers.reports.context import Context
from analyzers.reports.gap_words import gaps, readings, warnings
from analyzers.reports.markdown_inline import code, inline, linked
from analyzers.reports.matrix_rows import matrix_rows
from analyzers.reports.page import Page, Table, fill, summary
from analyzers.reports.phrases import Folded, Name, Phrase, counted, joined
from analyzers.reports.potential_words import notes, potential_sections
from analyzers.reports.row_words import Speaker, Words
from analyzers.reports.rows import Row, gravest_first, gravity, namespace_of
from analyzers.reports.sections import HEAD, Section, sections
from analyzers.reports.step_words import egress_title, ingress_title, services_in_words, step_in_words

MAY = (
    "\n*may*: possible, not certain, before or after: it depends on what manifests do not tell, "
    "such as the addresses of the nodes that `hostNetwork` pods use, or what an ingress controller runs as.\n"
)
INCOMPLETE = "**This result is incomplete.**"
_SUMMARY_ROOM = 2_000

MOST_UNFOLDED = 12
"""Rows of a table above which it is folded by namespace, unless it must be seen at once."""

MOST_PLAIN = 5
"""Rows of such a table that stand before its folds where none is grave."""

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """What opens, what closes, what is not known, how it was done."""
    page = Page(context.budget)
    top = _top(page, headline.of_diff(report), context) + _listed(
        page, way_words.blocked_title(report), way_words.blocked_ways(report), context
    )
    bottom = _bottom(page, report, context, _diff_footer(report, context))
    silent = _listed(page, effectless_title(report), effectless(report), context)
    speaker = Speaker.of_diff(report)
    found = (*sections(report, context), *potential_sections(report, context))
    filtered = page.fitting(_filter_line(context, bool(found)))
    may = page.fitting(MAY) if any(row.may for section in found for row in section.rows) else ""
    published = _listed(page, "Published", way_words.publications(report), context)
    potential = "".join(page.fitting(_sentence(each, context)) for each in (*notes(report.potential), may_break_note(report)) if each)
    lost = _listed(page, protection_words.title(report), protection_words.protection(report, context), context)
    ways = "".join(page.fitting(_sentence(each, context)) for each in path_lines(report.paths()))
    tables = [table for each in found for table in _change_tables(each, _change_row(speaker, each.revision, context))]
    body = _tables(page, tables, ("from", "to", "ports", "because"), context)
    yield "".join((top, filtered, published, body, potential, may, lost, ways, silent, bottom))


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """Everything that connects, sources and destinations that do so alike in one row."""
    page = Page(context.budget)
    top = _top(page, headline.of_matrix(report), context)
    bottom = _bottom(page, report, context, footer(code(report.revision.label), report.scope, "", context))
    speaker, rows = Speaker.of_matrix(report), matrix_rows(report, context)
    filtered = page.fitting(_filter_line(context, bool(rows)))
    may = page.fitting(MAY) if any(row.may for row in rows) else ""

    def write(row: Row, folds: bool) -> str:
        said = speaker.say(row, HEAD)
        return _cells(inline(said.source, context, folds=folds), inline(said.destination, context, folds=folds), said.ports)

    nothing = "" if rows or context.namespaces else page.fitting("\nNothing connects.\n")
    body = _tables(page, [Table("Connects", rows, write, _titled("Connects"))] if rows else [], ("from", "to", "ports"), context)
    yield "".join((top, filtered, nothing, body, may, bottom))


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """The verdict for one pair, and each policy and rule that decided it, in the order of evaluation."""
    page = Page(context.budget)
    title = inline((Name(report.source), " → ", Name(report.destination), f": {headline.of_explanation(report)}"), context)
    top = page.fitting(f"### {title}\n") or page.fitting("### Flowdelta\n")
    bottom = page.fitting(_gap_line(report.diagnostics, report.complete, context))
    yield top
    yield page.fitting(f"\n{inline(services_in_words(report), context)}.\n" if report.services else "")
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
    title = f"#### {inline(context.heading, context)}: {said}\n" if context.heading else f"### Flowdelta: {said}\n"
    return page.fitting(title, title[: page.room]) + (page.fitting(f"\n{' '.join(context.note.split())}\n") if context.note else "")


def _listed(page: Page, title: str, phrases: Iterator[Phrase], context: Context) -> str:
    """A heading and one line for each phrase, as far as they fit; nothing where there is none."""
    share = page.share(1, 3)
    lines = [f"- {inline(each, context)}\n" for each in phrases]
    head = share.fitting(f"\n**{title}**\n\n") if lines else ""
    text = head + "".join(share.fitting(line) for line in lines) if head else ""
    page.rejoin(share)
    return text


def _sentence(phrase: Phrase, context: Context) -> str:
    """A paragraph; a fold at its end needs no full stop."""
    return f"\n{inline(phrase, context)}{'' if isinstance(phrase[-1], Folded) else '.'}\n"


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
        return _cells(*ends, said.ports, _why(said, context))

    return write


def _why(said: Words, context: Context) -> str:
    """Why a row deserves attention, what shows that it was in use, and what caused it."""
    because = inline(said.because, context)
    if said.level is not None:
        return f"**{said.level}** ({inline(said.reasons, context)}): {because}".removesuffix(": ")
    return ". ".join(filter(None, (inline(said.in_use, context), because)))


def _change_tables(section: Section, write: Callable[[Row, bool], str]) -> Iterator[Table]:
    """A section as one table; one with many rows as the gravest of them (or the first) and a fold for each namespace, unless it must be
    seen at once."""
    title = _titled(section.title)
    if section.at_once or len(section.rows) <= MOST_UNFOLDED:
        yield Table(section.title, section.rows, write, title)
        return
    first, others = gravest_first(section.rows, MOST_UNFOLDED)
    if not first:  # nothing stands out, and a page that is all folds says nothing
        first, others = others[:MOST_PLAIN], others[MOST_PLAIN:]
    yield Table(section.title, first, write, title, "\n")
    parted: dict[str, list[Row]] = defaultdict(list)
    for row in others:
        parted[namespace_of(row)].append(row)
    for name, rows in sorted(parted.items(), key=lambda item: (gravity(item[1][0]), not item[0], -len(item[1]), item[0])):
        where = f"namespace <code>{name}</code>" if _DNS_LABEL.fullmatch(name) else "other flows"
        opening = f"<details><summary>{where}: {counted(len(rows), 'row')}{levels_in_words(rows)}</summary>\n\n"
        yield Table(section.title, rows, write, opening, "\n</details>\n\n")


def _titled(title: str) -> str:
    return f"\n**{title}**\n\n"


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _tables(page: Page, tables: Sequence[Table], columns: Sequence[str], context: Context) -> str:
    reserve = Page(min(_SUMMARY_ROOM, page.room // 5))
    page.fitting(" " * reserve.room)
    head = f"{_cells(*columns)}{_cells(*('---' for _ in columns))}"
    text, left = fill(page, tables, head)
    page.rejoin(reserve)
    return text + (_left_out(page, left, context) if left else "")


def _left_out(page: Page, left: Sequence[tuple[str, Row]], context: Context) -> str:
    where = f" They are in the {linked('full report', context.report_url)}." if context.report_url else ""
    text = page.fitting(f"\n**{counted(len(left), 'row')} left out here for length.**{where}\n\n")
    return text + "".join(page.fitting(f"- {inline(each, context)}\n") for each in summary(left)) if text else ""


def _filter_line(context: Context, found: bool) -> str:
    if not context.namespaces:
        return ""
    names = inline(joined([(Name(each),) for each in sorted(context.namespaces)]), context)
    return f"\nOnly flows from or to {names} are shown.\n" if found else f"\nNo row has an end in {names}.\n"


def _diff_footer(report: DiffReport, context: Context) -> str:
    compared = ("From ", *_revision(report.base), " to ", *_revision(report.head))
    return footer(inline(compared, context), report.scope, report.digest, context)


def _revision(revision: Revision) -> Phrase:
    return (Name(revision.label), *((" at ", Name(revision.commit[:7])) if revision.commit else ()))


def footer(analysed: str, scope: Scope, digest: str, context: Context) -> str:
    """The last line: what was analysed, how much of it, and by which digest it is known."""
    said = [analysed, headline.of_scope(scope)]
    said += [f"{context.seconds:.1f} s"] if context.seconds is not None else []
    said += [f"digest {code(headline.short(digest))}"] if digest else []
    said += [linked("full report", context.report_url)] if context.report_url else []
    return f"\n<sub>{' · '.join(said)}</sub>\n"

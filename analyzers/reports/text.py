"""Text for a terminal: the words of the comment, without markup, without escape sequences, and never wider than 120 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from analyzers.impact.report import DiffReport, Explanation, MatrixReport, Step
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.revision import Revision
from analyzers.reports import headline, protection_words, way_words
from analyzers.reports.assessment_words import may_break_note, path_lines
from analyzers.reports.cause_words import effectless, effectless_title
from analyzers.reports.context import Context
from analyzers.reports.escape import printable
from analyzers.reports.gap_words import gaps, readings, warnings
from analyzers.reports.lines import beside
from analyzers.reports.matrix_rows import matrix_rows
from analyzers.reports.page import summary
from analyzers.reports.phrases import Name, Phrase, counted
from analyzers.reports.plain_words import plain
from analyzers.reports.potential_words import notes, potential_sections
from analyzers.reports.row_words import Speaker, Words
from analyzers.reports.rows import Row
from analyzers.reports.sections import HEAD, sections
from analyzers.reports.step_words import egress_title, ingress_title, services_in_words, step_in_words

WIDTH = 120
MOST_ROWS = 1_000
"""Rows of one table; the others are counted by namespace, and stand in the formats for programs."""

MAY = (
    "may: possible, not certain, before or after: it depends on what manifests do not tell, "
    "such as the addresses of the nodes that hostNetwork pods use, or what an ingress controller runs as."
)

_ENDS, _PORTS, _INDENT = 45, 22, 2


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """What opens, what closes, what is not known, how it was done."""
    yield _line(f"{plain(context.heading) or 'Flowdelta'}: {headline.of_diff(report)}")
    yield from _listed(way_words.blocked_title(report), way_words.blocked_ways(report))
    yield from _note(context)
    yield from _filter_line(context)
    yield from _listed("Published", way_words.publications(report))
    speaker, may = Speaker.of_diff(report), False
    for section in (*sections(report, context), *potential_sections(report, context)):
        yield from _table(section.title, section.rows, (speaker.say(row, section.revision) for row in section.rows))
        may = may or any(row.may for row in section.rows)
    yield from _paragraphs([MAY] if may else [])
    yield from _paragraphs([f"{plain(each)}." for each in (*notes(report.potential), may_break_note(report)) if each])
    yield from _listed(protection_words.title(report), protection_words.protection(report, context))
    yield from _listed(effectless_title(report), effectless(report))
    yield from _paragraphs([f"{plain(each)}." for each in path_lines(report.paths())])
    yield from _diagnostics(report.diagnostics, report.complete)
    compared = f"From {_revision(report.base)} to {_revision(report.head)}"
    yield from _paragraphs([" · ".join((compared, headline.of_scope(report.scope), f"digest {headline.short(report.digest)}"))])


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """Everything that connects, sources and destinations that do so alike in one row."""
    speaker, rows = Speaker.of_matrix(report), matrix_rows(report, context)
    yield _line(f"Flowdelta: {headline.of_matrix(report)}")
    yield from _filter_line(context)
    if rows:
        yield from _table("Connects", rows, (speaker.say(row, HEAD) for row in rows))
    else:
        yield from _paragraphs(["Nothing connects." if not context.namespaces else "No row to show."])
    yield from _paragraphs([MAY] if any(row.may for row in rows) else [])
    yield from _diagnostics(report.diagnostics, report.complete)


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """The verdict for one pair, and each policy and rule that decided it, in the order of evaluation."""
    yield _line(f"{plain((Name(report.source), ' → ', Name(report.destination)))}: {headline.of_explanation(report)}")
    yield from _paragraphs([f"{plain(services_in_words(report))}."] if report.services else [])
    for title, steps in ((egress_title(report), report.egress), (ingress_title(report), report.ingress)):
        yield f"\n{_line(plain(title))}"
        yield from _steps(steps)
    yield from _diagnostics(report.diagnostics, report.complete)


def _line(text: str, indent: int = 0, hang: int = 0) -> str:
    """A paragraph, wrapped between words; its first line stands `hang` columns further left than the others."""
    return beside((text[:hang], hang), (text[hang:], WIDTH - indent - hang), indent=indent)


def _title(text: str) -> str:
    return f"\n{_line(text)}\n"


def _cells(*texts: str) -> str:
    """A row of a table."""
    return beside(*zip(texts, (_ENDS, _ENDS, _PORTS), strict=True), indent=_INDENT, gap=2)


def _table(title: str, rows: Sequence[Row], said: Iterator[Words]) -> Iterator[str]:
    yield _title(title)
    yield _cells("FROM", "TO", "PORTS")
    for words, _ in zip(said, range(MOST_ROWS), strict=False):
        yield _cells(plain(words.source), plain(words.destination), words.ports)
        if words.level is not None:
            yield _line(f"{words.level}: {plain(words.reasons)}", _INDENT + 2, hang=len(words.level) + 2)
        if words.in_use:
            yield _line(plain(words.in_use), _INDENT + 2, hang=8)
        if words.because:
            yield _line(f"because {plain(words.because)}", _INDENT + 2, hang=8)
    left = rows[MOST_ROWS:]
    if left:
        said_of_them = f"{counted(len(left), 'row')} left out here for length; --format json or csv lists them all."
        yield f"\n{_line(said_of_them, _INDENT)}"
        yield from (_line(f"- {plain(each)}", _INDENT, hang=2) for each in summary([(title, row) for row in left]))


def _steps(steps: Sequence[Step]) -> Iterator[str]:
    for position, step in enumerate(steps):
        number = f"{position + 1}. "
        yield _line(f"{number}{plain(step_in_words(step))}", _INDENT, hang=len(number))


def _diagnostics(diagnostics: Sequence[Diagnostic], complete: bool) -> Iterator[str]:
    if not complete:
        yield from _paragraphs([f"Not analysed: {plain(gaps(diagnostics))}. This result is incomplete."])
    yield from _paragraphs([f"Note: {plain(each)}." for each in readings(diagnostics)])
    yield from _paragraphs([f"Warning: {plain(each)}." for each in warnings(diagnostics)])


def _listed(title: str, phrases: Iterable[Phrase]) -> Iterator[str]:
    for position, each in enumerate(phrases):
        if not position:
            yield _title(title)
        yield _line(f"- {plain(each)}", _INDENT, hang=2)


def _note(context: Context) -> Iterator[str]:
    yield from _paragraphs([printable(" ".join(context.note.split()))] if context.note else [])


def _filter_line(context: Context) -> Iterator[str]:
    if context.namespaces:
        yield from _paragraphs([f"Only flows from or to {', '.join(map(printable, sorted(context.namespaces)))} are shown."])


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for position, text in enumerate(texts):
        yield "" if position else "\n"
        yield _line(text)


def _revision(revision: Revision) -> str:
    return plain((Name(revision.label), *((" at ", Name(revision.commit[:7])) if revision.commit else ())))

"""Text for a terminal: the words of the comment, without markup, without escape sequences, and never wider than 120 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from analyzers.impact.report import DiffReport, Explanation, MatrixReport, Revision, Step
from analyzers.model.diagnostics import Diagnostic
from analyzers.reports import headline, protection_words, way_words
from analyzers.reports.assessment_words import may_break_note, path_lines
from analyzers.reports.cause_words import effectless, effectless_title
from analyzers.reports.context import Context
from analyzers.reports.escape import printable
from analyzers.reports.gap_words import gaps, readings, warnings
from analyzers.reports.matrix_rows import matrix_rows
from analyzers.reports.page import summary
from analyzers.reports.phrases import Name, Phrase, counted
from analyzers.reports.plain_words import plain
from analyzers.reports.potential_words import notes, potential_sections
from analyzers.reports.row_words import Speaker, Words
from analyzers.reports.rows import Row
from analyzers.reports.sections import HEAD, sections
from analyzers.reports.step_words import egress_title, ingress_title, services_in_words, step_in_words

if TYPE_CHECKING:
    from rich.console import RenderableType

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
    paper = _Paper()
    yield paper.line(f"{plain(context.heading) or 'Flowdelta'}: {headline.of_diff(report)}")
    yield from _listed(paper, way_words.blocked_title(report), way_words.blocked_ways(report))
    yield from _note(paper, context)
    yield from _filter_line(paper, context)
    yield from _listed(paper, "Published", way_words.publications(report))
    speaker, may = Speaker.of_diff(report), False
    for section in (*sections(report, context), *potential_sections(report, context)):
        yield from _table(paper, section.title, section.rows, (speaker.say(row, section.revision) for row in section.rows))
        may = may or any(row.may for row in section.rows)
    yield from _paragraphs(paper, [MAY] if may else [])
    yield from _paragraphs(paper, [f"{plain(each)}." for each in (*notes(report.potential), may_break_note(report)) if each])
    yield from _listed(paper, protection_words.title(report), protection_words.protection(report, context))
    yield from _listed(paper, effectless_title(report), effectless(report))
    yield from _paragraphs(paper, [f"{plain(each)}." for each in path_lines(report.paths())])
    yield from _diagnostics(paper, report.diagnostics, report.complete)
    compared = f"From {_revision(report.base)} to {_revision(report.head)}"
    yield from _paragraphs(paper, [" · ".join((compared, headline.of_scope(report.scope), f"digest {headline.short(report.digest)}"))])


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """Everything that connects, sources and destinations that do so alike in one row."""
    paper, speaker, rows = _Paper(), Speaker.of_matrix(report), matrix_rows(report, context)
    yield paper.line(f"Flowdelta: {headline.of_matrix(report)}")
    yield from _filter_line(paper, context)
    if rows:
        yield from _table(paper, "Connects", rows, (speaker.say(row, HEAD) for row in rows))
    else:
        yield from _paragraphs(paper, ["Nothing connects." if not context.namespaces else "No row to show."])
    yield from _paragraphs(paper, [MAY] if any(row.may for row in rows) else [])
    yield from _diagnostics(paper, report.diagnostics, report.complete)


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """The verdict for one pair, and each policy and rule that decided it, in the order of evaluation."""
    paper = _Paper()
    yield paper.line(f"{plain((Name(report.source), ' → ', Name(report.destination)))}: {headline.of_explanation(report)}")
    yield from _paragraphs(paper, [f"{plain(services_in_words(report))}."] if report.services else [])
    for title, steps in ((egress_title(report), report.egress), (ingress_title(report), report.ingress)):
        yield paper.line(f"\n{plain(title)}")
        yield from _steps(paper, steps)
    yield from _diagnostics(paper, report.diagnostics, report.complete)


class _Paper:
    """Lays out lines of 120 columns, by rich."""

    def __init__(self) -> None:
        from rich.console import Console  # imported here: a tenth of a second that only this format needs

        self._console = Console(
            file=StringIO(),
            width=WIDTH,
            color_system=None,
            force_terminal=False,
            force_interactive=False,
            force_jupyter=False,
            no_color=True,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )

    def line(self, text: str, indent: int = 0, hang: int = 0) -> str:
        """A paragraph, wrapped between words; its first line stands `hang` columns further left than the others."""
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        if not hang:
            return self._laid_out(Padding(Text(text), (0, 0, 0, indent)))
        grid = Table.grid()
        grid.add_column(width=hang)
        grid.add_column(overflow="fold")
        grid.add_row(Text(text[:hang]), Text(text[hang:]))
        return self._laid_out(Padding(grid, (0, 0, 0, indent)))

    def cells(self, *texts: str) -> str:
        """A row of a table."""
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2, 0, 0))
        for width in (_ENDS, _ENDS, _PORTS):
            grid.add_column(width=width, overflow="fold")
        grid.add_row(*map(Text, texts))
        return self._laid_out(Padding(grid, (0, 0, 0, _INDENT)))

    def _laid_out(self, what: RenderableType) -> str:
        with self._console.capture() as capture:
            self._console.print(what)
        return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _table(paper: _Paper, title: str, rows: Sequence[Row], said: Iterator[Words]) -> Iterator[str]:
    yield paper.line(f"\n{title}\n")
    yield paper.cells("FROM", "TO", "PORTS")
    for words, _ in zip(said, range(MOST_ROWS), strict=False):
        yield paper.cells(plain(words.source), plain(words.destination), words.ports)
        if words.level is not None:
            yield paper.line(f"{words.level}: {plain(words.reasons)}", _INDENT + 2, hang=len(words.level) + 2)
        if words.in_use:
            yield paper.line(plain(words.in_use), _INDENT + 2, hang=8)
        if words.because:
            yield paper.line(f"because {plain(words.because)}", _INDENT + 2, hang=8)
    left = rows[MOST_ROWS:]
    if left:
        yield paper.line(f"\n{counted(len(left), 'row')} left out here for length; --format json or csv lists them all.", _INDENT)
        yield from (paper.line(f"- {plain(each)}", _INDENT, hang=2) for each in summary([(title, row) for row in left]))


def _steps(paper: _Paper, steps: Sequence[Step]) -> Iterator[str]:
    for position, step in enumerate(steps):
        number = f"{position + 1}. "
        yield paper.line(f"{number}{plain(step_in_words(step))}", _INDENT, hang=len(number))


def _diagnostics(paper: _Paper, diagnostics: Sequence[Diagnostic], complete: bool) -> Iterator[str]:
    if not complete:
        yield from _paragraphs(paper, [f"Not analysed: {plain(gaps(diagnostics))}. This result is incomplete."])
    yield from _paragraphs(paper, [f"Note: {plain(each)}." for each in readings(diagnostics)])
    yield from _paragraphs(paper, [f"Warning: {plain(each)}." for each in warnings(diagnostics)])


def _listed(paper: _Paper, title: str, phrases: Iterable[Phrase]) -> Iterator[str]:
    for position, each in enumerate(phrases):
        if not position:
            yield paper.line(f"\n{title}\n")
        yield paper.line(f"- {plain(each)}", _INDENT, hang=2)


def _note(paper: _Paper, context: Context) -> Iterator[str]:
    yield from _paragraphs(paper, [printable(" ".join(context.note.split()))] if context.note else [])


def _filter_line(paper: _Paper, context: Context) -> Iterator[str]:
    if context.namespaces:
        yield from _paragraphs(paper, [f"Only flows from or to {', '.join(map(printable, sorted(context.namespaces)))} are shown."])


def _paragraphs(paper: _Paper, texts: Iterable[str]) -> Iterator[str]:
    for position, text in enumerate(texts):
        yield "" if position else "\n"
        yield paper.line(text)


def _revision(revision: Revision) -> str:
    return plain((Name(revision.label), *((" at ", Name(revision.commit[:7])) if revision.commit else ())))

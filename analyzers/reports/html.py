"""HTML: the whole report on one page that needs nothing from elsewhere, runs nothing, and is searched and printed by the browser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from analyzers.impact.assessment.severity import Level, Severity
from analyzers.impact.causation.reasons import MOST_REASONS
from analyzers.impact.clusters import DiffsReport
from analyzers.impact.report import DiffReport, Explanation, MatrixReport, Step
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.revision import Revision
from analyzers.reports import headline, protection_words, way_words
from analyzers.reports.assessment_words import may_break_note, path_lines, radius_lines, reasons
from analyzers.reports.cause_words import effectless, effectless_title
from analyzers.reports.context import Context
from analyzers.reports.gap_words import gaps
from analyzers.reports.html_inline import inline, linked, text
from analyzers.reports.html_style import STYLE
from analyzers.reports.matrix_rows import matrix_rows
from analyzers.reports.phrases import Name, Phrase, Place, Prose, counted, joined
from analyzers.reports.plain_words import plain
from analyzers.reports.potential_words import notes, potential_sections
from analyzers.reports.row_words import Speaker, Words
from analyzers.reports.rows import Row
from analyzers.reports.sections import HEAD, sections
from analyzers.reports.step_words import egress_title, ingress_title, services_in_words, step_in_words

MOST_ROWS: Final = 10_000
"""Rows of one table; browsers grow slow beyond."""

MOST_DIAGNOSTICS: Final = 2_000

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_MAY: Final = (
    "may: possible, not certain: it depends on what manifests do not tell, such as the addresses of the nodes that hostNetwork pods use, "
    "or what an ingress controller runs as."
)

_Cells = Callable[[Row], Sequence[str]]


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """Everything that the report knows of a change."""
    compared: Phrase = ("From ", *_revision(report.base), " to ", *_revision(report.head), f" · {headline.of_scope(report.scope)}")
    body = changes(report, context, "section")
    yield from page(f"Flowdelta: {headline.of_diff(report)}", compared, report, body, f"digest {text(report.digest)}", context)


def page(title: str, about: Phrase, report: DiffReport | DiffsReport, body: Iterable[str], digest: str, context: Context) -> Iterator[str]:
    """A page around its body."""
    yield from _top(title, about, report, context)
    yield from body
    yield from _bottom(report.diagnostics, context, digest)


def changes(report: DiffReport, context: Context, anchor: str) -> Iterator[str]:
    """What changes in one cluster; `anchor` begins the ids of its sections."""
    found, speaker = (*sections(report, context), *potential_sections(report, context)), Speaker.of_diff(report)
    yield _levels(report)
    yield _contents([(f"{anchor}-{number}", each.title, len(each.rows)) for number, each in enumerate(found)])
    yield _list(way_words.blocked_title(report), way_words.blocked_ways(report), context)
    yield _list("Published", way_words.publications(report), context)
    for number, each in enumerate(found):

        def cells(row: Row, revision: int = each.revision) -> Sequence[str]:
            said = speaker.say(row, revision)
            level = [_level(row.severity)] if revision == HEAD else []
            return (*level, *_ends(said, context), _why(said, row, context))

        columns = (*(("severity",) if each.revision == HEAD else ()), "from", "to", "ports", "why")
        yield from _table(f"{anchor}-{number}", each.title, columns, each.rows, cells)
    yield _paragraph(text(_MAY), any(row.may for each in found for row in each.rows))
    yield _list("Of what could exist", notes(report.potential), context)
    yield _paragraph(inline(may_break_note(report), context), report.may_break_stopped)
    yield _list(protection_words.title(report), protection_words.protection(report, context, MOST_REASONS), context)
    yield _list("In several hops", path_lines(report.paths()), context)
    yield _list("Blast radius: workloads that each can come to, before and after", radius_lines(report), context)
    yield _list(effectless_title(report), effectless(report, MOST_REASONS), context)


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """Everything that connects, sources and destinations that do so alike in one row."""
    speaker, rows = Speaker.of_matrix(report), matrix_rows(report, context)
    yield from _top(f"Flowdelta: {headline.of_matrix(report)}", (Name(report.revision.label),), report, context)
    yield from _table("connects", "Connects", ("from", "to", "ports"), rows, lambda row: _ends(speaker.say(row, HEAD), context))
    yield _paragraph("No row to show." if context.namespaces else "Nothing connects.", not rows)
    yield _paragraph(text(_MAY), any(row.may for row in rows))
    yield from _bottom(report.diagnostics, context, "")


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """The verdict for one pair, and each policy and rule that decided it, in the order of evaluation."""
    title: Phrase = (Name(report.source), " → ", Name(report.destination), f": {headline.of_explanation(report)}")
    yield from _top(plain(title), services_in_words(report), report, context)
    for number, (said, steps) in enumerate(((egress_title(report), report.egress), (ingress_title(report), report.ingress))):
        yield f'<section id="side-{number}"><h2>{inline(said, context)}</h2>\n<ol>\n'
        yield from _steps(steps, context)
        yield "</ol></section>\n"
    yield from _bottom(report.diagnostics, context, "")


def _steps(steps: Iterable[Step], context: Context) -> Iterator[str]:
    return (f"<li>{inline(step_in_words(each), context)}</li>\n" for each in steps)


def _top(title: str, about: Phrase, report: DiffReport | DiffsReport | MatrixReport | Explanation, context: Context) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
    yield f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{text(title)}</h1>\n"
    yield f'<p class="about">{inline(about, context)}</p>\n' if about else ""
    if not report.complete:
        left_out = inline(gaps(report.diagnostics), context)
        yield f'<p class="warn">Not analysed: {left_out}. <strong>This result is incomplete.</strong></p>\n'
    if context.namespaces:
        names = joined([(Name(each),) for each in sorted(context.namespaces)])
        yield f"<p>Only flows from or to {inline(names, context)} are shown.</p>\n"
    yield "</header>\n<main>\n"


def _levels(report: DiffReport) -> str:
    """How many of the flows that open are of each level."""
    counts = Counter(each.severity.level for each in report.groups if each.severity is not None)
    items = "".join(f'<li class="level {level}">{counts[level]:,} {level}</li>' for level in Level if counts[level])
    return f'<ul class="levels" aria-label="severity of what opens">{items}</ul>\n' if items else ""


def _contents(entries: Sequence[tuple[str, str, int]]) -> str:
    if len(entries) < 2:
        return ""
    items = "".join(f'<li><a href="#{anchor}">{text(title)} ({number:,})</a></li>' for anchor, title, number in entries)
    return f'<nav aria-label="sections"><ul>{items}</ul></nav>\n'


def _table(anchor: str, title: str, columns: Sequence[str], rows: Sequence[Row], cells: _Cells) -> Iterator[str]:
    if not rows:
        return
    head = "".join(f'<th scope="col">{each}</th>' for each in columns)
    yield f'<section id="{anchor}"><h2>{text(title)} <small>{len(rows):,}</small></h2>\n'
    yield f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
    for row in rows[:MOST_ROWS]:
        pairs = zip(columns, cells(row), strict=True)
        yield f"<tr>{''.join(f'<td class={_quoted(name)}>{cell}</td>' for name, cell in pairs)}</tr>\n"
    yield "</tbody></table></div>\n"
    if len(rows) > MOST_ROWS:
        yield f"<p>{counted(len(rows) - MOST_ROWS, 'row')} left out here for length; the JSON and CSV reports list them all.</p>\n"
    yield "</section>\n"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _ends(said: Words, context: Context) -> tuple[str, str, str]:
    return inline(said.source, context), inline(said.destination, context), text(said.ports)


def _level(severity: Severity | None) -> str:
    return f'<span class="level {severity.level}">{severity.level}</span>' if severity is not None else ""


def _why(said: Words, row: Row, context: Context) -> str:
    parts = (reasons(row.severity), said.in_use, said.because)
    return "".join(f"<p>{inline(each, context)}</p>" for each in parts if each)


def _list(title: str, phrases: Iterable[Phrase], context: Context) -> str:
    items = "".join(f"<li>{inline(each, context)}</li>\n" for each in phrases)
    return f"<section><h2>{text(title)}</h2>\n<ul>\n{items}</ul></section>\n" if items else ""


def _paragraph(html: str, wanted: bool) -> str:
    return f'<p class="soft">{html}</p>\n' if wanted else ""


def _bottom(diagnostics: Sequence[Diagnostic], context: Context, digest: str) -> Iterator[str]:
    if diagnostics:
        yield f"<section><details><summary>{counted(len(diagnostics), 'diagnostic')}</summary>\n<ul>\n"
        yield from (f"<li>{_diagnostic(each, context)}</li>\n" for each in diagnostics[:MOST_DIAGNOSTICS])
        rest = len(diagnostics) - MOST_DIAGNOSTICS
        yield (f"<li>and {rest:,} more</li>\n" if rest > 0 else "") + "</ul></details></section>\n"
    said = [digest] if digest else []
    said += [f"{context.seconds:.1f} s"] if context.seconds is not None else []
    said += [linked("full report", context.report_url)] if context.report_url else []
    yield f"</main>\n<footer>{' · '.join(['Flowdelta', *said])}</footer>\n</body>\n</html>\n"


def _diagnostic(each: Diagnostic, context: Context) -> str:
    place: Phrase = (Place(each.side or "head", SourceLocation(each.path, each.line or 0)), " ") if each.path is not None else ()
    return inline((f"{each.severity}: ", *place, Prose(each.message), f" [{each.code}]"), context)


def _revision(revision: Revision) -> Phrase:
    return (Name(revision.label), *((" at ", Name(revision.commit[:7])) if revision.commit else ()))

"""What a change means, in words: how much attention a row deserves and why, what shows that it was in use, and where it leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from analyzers.impact.assessment.blast_radius import Radius
from analyzers.impact.assessment.hops import OUTSIDE, Hop, Path, Paths
from analyzers.impact.assessment.may_break import MOST_LOOKED_AT, Evidence, EvidenceKind
from analyzers.impact.assessment.severity import Level, Mark, Severity
from analyzers.impact.report import DiffReport
from analyzers.reports.phrases import Folded, Name, Phrase, Place, Prose, counted, first_of, joined, titled
from analyzers.reports.ports import ports_in_words
from analyzers.reports.rows import Row
from analyzers.sets.connections import ConnectionSet

MOST_EVIDENCE = 2
"""Pieces of evidence told in one row."""

MOST_PATHS = 10
"""Paths told one by one."""

MOST_RADII = 10
"""Changed blast radii told one by one."""

_NOTHING = ConnectionSet()


def attention(severity: Severity | None) -> Level | None:
    """The level, where it asks for attention: what is medium or low is left to stand for itself."""
    return severity.level if severity is not None and severity.level in (Level.CRITICAL, Level.HIGH) else None


def levels_in_words(rows: Iterable[Row]) -> str:
    """` (1 critical, 3 high)`: how many rows ask for attention; empty where none does."""
    counts = Counter(attention(row.severity) for row in rows)
    said = ", ".join(f"{counts[level]:,} {level}" for level in (Level.CRITICAL, Level.HIGH) if counts[level])
    return f" ({said})" if said else ""


def reasons(severity: Severity | None) -> Phrase:
    """`from env staging to env prod, TCP 5432 (PostgreSQL)`: what speaks for attention. What is potential stands apart already."""
    told = [reason for reason in severity.reasons if reason.mark is not Mark.POTENTIAL] if severity is not None else []
    return joined([(Prose(reason.text),) for reason in told], ", ")


def in_use(evidence: Sequence[Evidence]) -> Phrase:
    """`CART_ADDR of shop/web says cart:7070 (web.yaml:12)`: what shows that a flow was in use; empty where nothing does."""
    if not evidence:
        return ()
    return ("in use: ", *first_of([_evidence(each) for each in evidence], MOST_EVIDENCE))


def may_break_note(report: DiffReport) -> Phrase:
    """That not every workload whose flows close was looked at; empty where each was."""
    if not report.may_break_stopped:
        return ()
    return (f"What may break is not all told: what {MOST_LOOKED_AT:,} sources say that they use was looked at, and no more",)


def path_lines(found: Paths) -> Iterator[Phrase]:
    """What becomes reachable in several hops, in one line with the ways folded behind it, and why some may be missing."""
    further = [each for each in found.newly if each.hops > 1]
    number = sum(len(each.workloads) for each in further)
    sensitive = sum(1 for path in found.paths if path.sensitive)
    said = [f"{counted(number, 'more workload')} in {_hops([each.hops for each in further])}"] if number else []
    said += [f"{counted(sensitive, 'sensitive workload')} by a new or shorter way"] if sensitive else []
    if said:
        who: Phrase = ("From outside",) if found.zone == OUTSIDE else ("From ", Name(found.zone))
        ways = tuple(map(_path, found.paths[:MOST_PATHS]))
        fold = Folded((counted(len(found.paths), "way"),), ways, max(0, len(found.paths) - MOST_PATHS))
        yield (*who, f" the change leads to {' and '.join(said)}", *((": ", fold) if ways else ()))
    if found.stopped:
        yield ("Ways in several hops are not all told: ", Prose(found.stopped))


def radius_lines(report: DiffReport) -> Iterator[Phrase]:
    """How many workloads each workload can come to, where that changes: of the changes the largest."""
    radius = report.blast_radius()
    yield from map(_radius, radius.changed[:MOST_RADII])
    if len(radius.changed) > MOST_RADII:
        yield (f"and {counted(len(radius.changed) - MOST_RADII, 'more change')}",)
    if radius.stopped:
        yield (Prose(radius.stopped),)


def _evidence(each: Evidence) -> Phrase:
    place: Phrase = (" (", Place("head", each.origin), ")")
    if each.kind in (EvidenceKind.VARIABLE, EvidenceKind.ANNOTATION):
        of: Phrase = (Name(each.name), " of ", Name(each.source.partition("[")[0]))
        return (*of, " says " if each.kind is EvidenceKind.VARIABLE else " names ", Name(each.says), *place)
    if each.kind is EvidenceKind.WAY_IN:
        return (*titled(each.name), " leads there", *place)
    return ("Service ", Name(each.name), " leads there", *place)


def _hops(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{most} hops" if least == most else f"{least} to {most} hops"


def _path(path: Path) -> Phrase:
    start: Phrase = ("outside",) if path.start == OUTSIDE else (Name(path.start),)
    before = f" ({counted(path.before, 'hop')} before)" if path.before else ""
    return (*start, *(piece for hop in path.hops for piece in _hop(hop)), before)


def _hop(hop: Hop) -> Phrase:
    note = f"{ports_in_words(hop.connections, hop.connections if hop.may else _NOTHING)}{', opened' if hop.opened else ''}"
    return (" → ", Name(hop.to), f" ({note})")


def _radius(each: Radius) -> Phrase:
    names = first_of([(Name(name),) for name, _ in zip(each.workloads, range(5), strict=False)], 2)
    rest = len(each.workloads) - min(5, len(each.workloads))
    more = f" and {rest:,} more" if rest and len(each.workloads) > 5 else ""
    return (*names, more, f": {each.before:,} → {counted(each.after, 'workload')}")

"""Diagnostics in words: what was not analysed, and how what is ambiguous was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from analyzers.model.diagnostics import CODES, Diagnostic, Severity, SourceLocation
from analyzers.reports.phrases import Name, Phrase, Piece, Place, Prose, counted, joined, plural

MOST_TOLD = 5
"""Gaps of one sort, and warnings, that are told one by one."""

_COUNTED = ("unsupported-kind", "encrypted")
"""Gaps that are counted by folder; all others are told one by one."""


def gaps(diagnostics: Sequence[Diagnostic]) -> Phrase:
    """What was left out and may matter: counts by folder, then templates, then errors, each by file and line. Empty where nothing was."""
    found = [each for each in diagnostics if CODES[each.code].incomplete]
    counts = Counter(_sort(each) for each in found if each.code in _COUNTED)
    told = [_told([_count(*key, counts[key]) for key in sorted(counts)])]
    told.append(_told([_single(each) for each in found if each.code == "needs-rendering"]))
    told.append(_told([_single(each) for each in found if each.code not in _COUNTED and each.code != "needs-rendering"]))
    return joined([each for each in told if each], "; ")


def readings(diagnostics: Iterable[Diagnostic]) -> Iterator[Phrase]:
    """How host networks and address blocks were read: once, however many objects it concerns."""
    hosts = [each for each in diagnostics if each.code == "host-network"]
    for each in [one for one in hosts if one.side != "base"] or hosts:
        yield (Prose(each.message),)
    blocks = len({(each.path, each.line) for each in diagnostics if each.code == "ipblock-may-cover-pods"})
    if blocks:
        verb = "is" if blocks == 1 else "are"
        yield (f"{counted(blocks, 'ipBlock')} that could hold pod addresses too {verb} read as addresses outside the cluster",)


def warnings(diagnostics: Iterable[Diagnostic]) -> Iterator[Phrase]:
    """Warnings that leave nothing out, a few of them."""
    found = [each for each in diagnostics if each.severity is Severity.WARNING and not CODES[each.code].incomplete]
    yield from (_single(each) for each in found[:MOST_TOLD])
    if len(found) > MOST_TOLD:
        yield (f"and {counted(len(found) - MOST_TOLD, 'more warning')}",)


def _told(phrases: Sequence[Phrase]) -> Phrase:
    rest = len(phrases) - MOST_TOLD
    return (*joined(phrases[:MOST_TOLD], "; "), *((f"; and {rest:,} more",) if rest > 0 else ()))


def _sort(diagnostic: Diagnostic) -> tuple[int, str, str, bool]:
    """What gaps are counted by: their code, kind and folder, and whether they are of base alone."""
    return (_COUNTED.index(diagnostic.code), _kind(diagnostic), _folder(diagnostic), diagnostic.side == "base")


def _count(sort: int, kind: str, folder: str, base: bool, number: int) -> Phrase:
    what: Piece = Prose(f"{number} {kind if number == 1 else plural(kind)}") if kind else counted(number, "encrypted document")
    where = (" in ", Name(folder), " at base" if base else "")
    return (what, *where, " (kind not supported)" if sort == 0 else "")


def _single(diagnostic: Diagnostic) -> Phrase:
    """The message with its place, unless it begins with that itself."""
    subject = diagnostic.message.partition(": ")[0]
    named = diagnostic.path is not None and diagnostic.path.startswith(f"{subject}/")
    return (*(() if named else _place(diagnostic)), Prose(diagnostic.message))


def _place(diagnostic: Diagnostic) -> Phrase:
    if diagnostic.path is None:
        return ()
    return (Place(diagnostic.side or "head", SourceLocation(diagnostic.path, diagnostic.line or 1)), " ")


def _kind(diagnostic: Diagnostic) -> str:
    return diagnostic.message.partition(" ")[0] if diagnostic.code == "unsupported-kind" else ""


def _folder(diagnostic: Diagnostic) -> str:
    return f"{(diagnostic.path or '').rpartition('/')[0] or '.'}/"

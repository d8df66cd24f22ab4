"""Diagnostics in words: what was not analysed, and how what is ambiguous was read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from analyzers.model.diagnostics import CODES, Diagnostic, Severity, SourceLocation
from analyzers.reports.phrases import Name, Phrase, Piece, Place, Prose, counted, first_of, joined, plural

MOST_TOLD = 5
"""Gaps of one sort, and warnings, that are told one by one."""

MOST_KINDS = 40
"""Kinds of policies that are not supported, named with their number."""

MOST_FOLDERS = 3
"""Folders named for what is counted."""

_COUNTED = ("unsupported-kind", "encrypted")
"""Gaps that are counted; all others are told one by one."""

_SUPPORTED_ELSEWHERE = ("NetworkPolicy", "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
"""Kinds whose name alone does not say which API they are of."""


def gaps(diagnostics: Sequence[Diagnostic]) -> Phrase:
    """What was left out and may matter: counts by kind, all of them, then templates, then errors, each by file and line. Empty where
    nothing was."""
    found = [each for each in diagnostics if CODES[each.code].incomplete]
    told = [_told([_count(*key, folders) for key, folders in _by_sort(found)], MOST_KINDS)]
    told.append(_told([_single(each) for each in found if each.code == "needs-rendering"]))
    told.append(_told([_single(each) for each in found if each.code not in _COUNTED and each.code != "needs-rendering"]))
    return joined([each for each in told if each], "; ")


def kinds_left_out(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 CiliumNetworkPolicies, 1 Tier`: the policies of kinds that are not supported, where there is room for no more."""
    unsupported = [each for each in diagnostics if each.code == "unsupported-kind"]
    counts = [_counted(kind, folders.total()) for (_, kind, _), folders in _by_sort(unsupported)]
    return ", ".join(counts[:MOST_KINDS]) + (f" and {len(counts) - MOST_KINDS} more kinds" if len(counts) > MOST_KINDS else "")


def readings(diagnostics: Sequence[Diagnostic]) -> Iterator[Phrase]:
    """How host networks and address blocks were read, beside what, in which clusters, and where policies landed: once, however many objects
    it concerns."""
    hosts = [each for each in diagnostics if each.code == "host-network"]
    for each in [one for one in hosts if one.side != "base"] or hosts:
        yield (Prose(each.message),)
    yield from ((Prose(each.message),) for each in diagnostics if each.code in ("inventory", "already-running"))
    for code in ("clusters-by-convention", "namespace-moved"):
        found = [each for each in diagnostics if each.code == code]
        told = [_single(each) for each in found if each.side != "base"] or [_single(each) for each in found]
        yield from told[:MOST_TOLD]
        if len(told) > MOST_TOLD:
            yield (f"and {counted(len(told) - MOST_TOLD, 'more unit')} put policies into other namespaces",)
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


def _told(phrases: Sequence[Phrase], most: int = MOST_TOLD) -> Phrase:
    rest = len(phrases) - most
    return (*joined(phrases[:most], "; "), *((f"; and {rest:,} more",) if rest > 0 else ()))


Sort = tuple[int, str, bool]
"""What gaps are counted by: their code and kind, and whether they are of base alone."""


def _by_sort(diagnostics: Iterable[Diagnostic]) -> list[tuple[Sort, Counter[str]]]:
    """How many there are in each folder."""
    found: dict[Sort, Counter[str]] = defaultdict(Counter)
    for each in diagnostics:
        if each.code in _COUNTED:
            found[_COUNTED.index(each.code), _kind(each), each.side == "base"][_folder(each)] += 1
    return sorted(found.items(), key=lambda item: item[0])


def _count(sort: int, kind: str, base: bool, folders: Counter[str]) -> Phrase:
    number = folders.total()
    what: Piece = Prose(_counted(kind, number)) if kind else counted(number, "encrypted document")
    where = first_of([(Name(folder),) for folder in sorted(folders)], MOST_FOLDERS)
    return (what, " in ", *where, *((" at base",) if base else ()), *((" (kind not supported)",) if sort == 0 else ()))


def _counted(kind: str, number: int) -> str:
    name, of, api = kind.partition(" of ")
    return f"{number} {name if number == 1 else plural(name)}{of}{api}"


def _single(diagnostic: Diagnostic) -> Phrase:
    """The message with its place, unless it begins with that itself."""
    subject = diagnostic.message.partition(": ")[0]
    named = diagnostic.path is not None and diagnostic.path.startswith(f"{subject}/")
    return (*(() if named else _place(diagnostic)), Prose(diagnostic.message))


def _place(diagnostic: Diagnostic) -> Phrase:
    if diagnostic.path is None:
        return ()
    return (Place(diagnostic.side or "head", SourceLocation(diagnostic.path, diagnostic.line or 0)), " ")


def _kind(diagnostic: Diagnostic) -> str:
    """The kind of a policy that is not supported, with its API where another of that name is; messages begin `Kind name (group)`."""
    if diagnostic.code != "unsupported-kind":
        return ""
    kind, _, rest = diagnostic.message.partition(" ")
    api = rest.partition("(")[2].partition(")")[0]
    return f"{kind} of {api}" if kind in _SUPPORTED_ELSEWHERE and api else kind


def _folder(diagnostic: Diagnostic) -> str:
    return f"{(diagnostic.path or '').rpartition('/')[0] or '.'}/"

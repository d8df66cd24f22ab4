"""Several clusters in words: the first line over all of them, and which of them have nothing to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzers.impact.clusters import Changes, DiffsReport
from analyzers.impact.report import DiffReport, Scope
from analyzers.reports import headline, way_words
from analyzers.reports.escape import shortened
from analyzers.reports.phrases import Name, Phrase, counted, first_of, joined
from analyzers.reports.plain_words import plain

MOST_NAMED = 3
"""Clusters that the first line says something of, one by one."""

MOST_LISTED = 20
"""Clusters without changes that are named."""

_LONGEST = 63


def headline_of(report: Changes) -> str:
    """The first line as plain text."""
    return plain(first_line(report))


def first_line(report: Changes) -> Phrase:
    """`prod: 2 flows open; dev: 1 flow closes; no flow changes in 3 more clusters`; of one cluster what `of_diff` says."""
    if isinstance(report, DiffReport):
        return (headline.of_diff(report),)
    telling, quiet = parted(report)
    if not telling:
        return (f"no flow changes in {counted(len(quiet), 'cluster')} ({headline.of_scope(scope_of(report))})",)
    first = sorted(telling, key=lambda each: not each.groups)
    said: list[Phrase] = [(*_name(each), f": {headline.of_diff(each)}") for each in first[:MOST_NAMED]]
    if rest := first[MOST_NAMED:]:
        incomplete = "" if all(each.complete for each in rest) else f", {headline.INCOMPLETE}"
        said.append((f"{counted(len(rest), 'more cluster')} to read{incomplete}",))
    return joined([*said, *([(f"no flow changes in {counted(len(quiet), 'more cluster')}",)] if quiet else [])], "; ")


def parted(report: DiffsReport) -> tuple[Sequence[DiffReport], Sequence[DiffReport]]:
    """The clusters of which there is something to say, and those in which nothing changes and nothing was left out."""
    telling = [each for each in report.clusters if _tells(each)]
    return telling, [each for each in report.clusters if not _tells(each)]


def heading(report: DiffsReport, each: DiffReport) -> Phrase:
    """What stands above the report of one cluster: `Cluster prod`, `Cluster prod (new)`."""
    name: Phrase = ("Cluster ", Name(each.cluster)) if each.cluster is not None else ("What names no cluster",)
    return (*name, *((" (new)",) if each.cluster in report.added else (" (removed)",) if each.cluster in report.removed else ()))


def unchanged(clusters: Sequence[DiffReport]) -> Phrase:
    """`No flow changes in 2 clusters: dev, test`."""
    named = [(Name(each.cluster),) if each.cluster is not None else ("what names no cluster",) for each in clusters]
    return (f"No flow changes in {counted(len(clusters), 'cluster')}: ", *first_of(named, MOST_LISTED))


def scope_of(report: DiffsReport) -> Scope:
    """How much was analysed, over all clusters; what several clusters hold counts for each."""
    scopes = [each.scope for each in report.clusters]
    totals = (_total(scopes, name) for name in ("workloads", "policies", "namespaces", "files"))
    return Scope(*totals)


def _total(scopes: Iterable[Scope], name: str) -> int:
    return sum(getattr(each, name) for each in scopes)


def _tells(each: DiffReport) -> bool:
    ways = way_words.headline(each) or way_words.published(each)
    return bool(each.groups or each.potential.groups or each.policy_changes or ways or not each.complete)


def _name(each: DiffReport) -> Phrase:
    return ("outside of clusters",) if each.cluster is None else (Name(shortened(each.cluster, _LONGEST)),)

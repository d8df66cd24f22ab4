"""The first line: what it says must be enough for most pull requests, and never reassure where something was left out."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.impact.assessment.severity import Level
from analyzers.impact.report import DiffReport, Explanation, FlowGroup, MatrixReport, Scope
from analyzers.reports import protection_words, way_words
from analyzers.reports.phrases import counted
from analyzers.reports.ports import ports_in_words
from analyzers.reports.sections import with_workloads

INCOMPLETE = "but the analysis is incomplete"


def of_diff(report: DiffReport) -> str:
    """`2 flows open, 1 closes`. Counts groups, as the report does. Ways in that policy cuts off come first: they are outages."""
    blocked, published = way_words.headline(report), way_words.published(report)
    lost = protection_words.headline(report)
    known = ", ".join(filter(None, (_flows(report), published, lost)))
    return "; ".join(filter(None, (blocked, known, _potentially(report))))


def _flows(report: DiffReport) -> str:
    opening = [each for each in report.groups if each.opened]
    closing = [each for each in report.groups if each.closed]
    if not report.groups:
        return _unchanged(report)
    breaking = sum(1 for each in closing if each.may_break)
    new, gone = with_workloads(opening, report.workloads.added), with_workloads(closing, report.workloads.removed)
    said = changes(
        len(opening),
        len(closing),
        _aside(len(opening), *_weighty(opening), (new, "with new workloads")),
        _aside(len(closing), (breaking, "may break"), (gone, "with removed workloads")),
    )
    return said if report.complete else f"{said}, {INCOMPLETE}"


def _potentially(report: DiffReport) -> str:
    """`potentially 2 flows open (1 critical), 1 closes`; empty where no potential flow changes."""
    groups = report.potential.groups
    opening = [each for each in groups if each.opened]
    closing = sum(1 for each in groups if each.closed)
    return f"potentially {changes(len(opening), closing, _aside(len(opening), *_weighty(opening)))}" if opening or closing else ""


def _weighty(opening: Sequence[FlowGroup]) -> tuple[tuple[int, str], ...]:
    """How many of the flows that open are critical, and how many come from outside."""
    critical = sum(1 for each in opening if each.severity is not None and each.severity.level is Level.CRITICAL)
    outside = sum(1 for each in opening if each.sources.members.blocks or each.sources.controller)
    return (critical, "critical"), (outside, "from outside")


def changes(opening: int, closing: int, of_opening: str = "", of_closing: str = "") -> str:
    """`2 flows open, 1 closes`, `1 flow closes`; what is said of either part stands behind it."""
    opens = f"{counted(opening, 'flow')} {'opens' if opening == 1 else 'open'}{of_opening}" if opening else ""
    subject = f"{closing:,}" if opens else counted(closing, "flow")
    closes = f"{subject} {'closes' if closing == 1 else 'close'}{of_closing}" if closing else ""
    return ", ".join(filter(None, (opens, closes))) or "no flow changes"


def of_matrix(report: MatrixReport) -> str:
    """`reachability of 12 workloads under 13 policies`."""
    said = f"reachability of {counted(report.scope.workloads, 'workload')} under {counted(report.scope.policies, 'policy')}"
    return said if report.complete else f"{said}, {INCOMPLETE}"


def of_explanation(report: Explanation) -> str:
    """`allowed on TCP 7070`, `denied`, `8080/TCP is denied`."""
    if report.port is not None:
        said = f"{report.port} is {'allowed' if report.verdict == 'allowed' else 'allowed maybe' if report.verdict == 'may' else 'denied'}"
    elif report.connections:
        said = f"allowed on {ports_in_words(report.connections, report.may)}"
    else:
        said = "denied on all ports"
    return said if report.complete else f"{said}, {INCOMPLETE}"


def of_scope(scope: Scope) -> str:
    """`143 workloads, 61 policies`."""
    return f"{counted(scope.workloads, 'workload')}, {counted(scope.policies, 'policy')}"


def short(digest: str) -> str:
    """Enough of a digest to compare by eye."""
    scheme, _, value = digest.partition(":")
    return f"{scheme}:{value[:12]}…"


def _unchanged(report: DiffReport) -> str:
    scope = report.scope
    if not report.complete:
        return f"no flow changes found, {INCOMPLETE}"
    if not report.all_workloads:
        return f"nothing to compare: no workload was found ({counted(scope.policies, 'policy')})"
    return f"no flow changes ({of_scope(scope)})"


def _aside(total: int, *parts: tuple[int, str]) -> str:
    """How many of the flows are of a kind that a reviewer should know of; without a number where all are."""
    said = ", ".join(what if number == total else f"{number:,} {what}" for number, what in parts if number)
    return f" ({said})" if said else ""

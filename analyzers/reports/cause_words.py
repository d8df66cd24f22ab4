"""Causes in words: which object changed, what about it, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from analyzers.impact.causation.causes import Cause, ChangeKind
from analyzers.impact.causation.reasons import MOST_REASONS, unasked
from analyzers.impact.report import DiffReport, NoEffect, ReasonKind
from analyzers.model.diagnostics import SourceLocation
from analyzers.reports.field_words import changes_labels_only, field_in_words
from analyzers.reports.phrases import Name, Phrase, Place, Prose, counted, enumerated, is_word, joined, plural, titled

MOST_CAUSES = 3
"""Causes named in one row."""

MOST_POLICIES = 5
"""Changed policies named where no flow changed."""

MOST_FIELDS = 2
"""Changed fields named for one object."""

_LEADING = frozenset(
    {"Ingress", "Route", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute", "Gateway", "ReferenceGrant", "Service"}
)
"""Kinds that lead traffic in from outside; they are causes of nothing but that."""


def causes_in_words(causes: Sequence[Cause], ends: Iterable[str], common: Mapping[str, int]) -> Phrase:
    """The few causes that matter most, then how many more there are. `ends` are the names (namespace/name) at either end of the flow.

    `common` says how often each object stands behind a change of this report: of many policies, the one behind most explains best.
    """
    names = frozenset(ends)
    ranked = sorted(causes, key=lambda cause: (_rank(cause, names), -common.get(cause.object, 0)))
    shown = ranked[:MOST_CAUSES]
    rest = len(causes) - len(shown)
    runs = [tuple(run) for _, run in groupby(shown, _happening)]
    return (*joined(map(_run, runs), "; "), *((f"; and {counted(rest, 'more change')}",) if rest else ()))


def alternatives_in_words(alternatives: Sequence[Sequence[Cause]], ends: Iterable[str], common: Mapping[str, int]) -> Phrase:
    """What a change hangs on. Undoing one alternative undoes it, so it needed something of each: `a edited (…), together with b edited`."""
    if len(alternatives) == 1:
        return causes_in_words(alternatives[0], ends, common)
    names = frozenset(ends)
    ranked = sorted(alternatives, key=lambda each: min((_rank(cause, names) for cause in each), default=0))
    shown = ranked[:MOST_CAUSES]
    rest = len(ranked) - len(shown)
    told = [causes_in_words(each, names, common) for each in shown]
    return (*joined(told, ", together with "), *((f", and {counted(rest, 'more change')}",) if rest else ()))


def cause_in_words(cause: Cause) -> Phrase:
    """`NetworkPolicy shop/cart edited: ingress rule removed (cart.yaml:21 at base)`."""
    return (*titled(cause.object), f" {_verb(cause)}", *_fields(cause), " (", _place(cause), ")")


def _happening(cause: Cause) -> tuple[object, ...]:
    """Equal for causes that can be told in one breath: objects of one kind that came, or that went."""
    kind = cause.object.partition(" ")[0]
    return (kind, cause.change) if cause.change is not ChangeKind.MODIFIED else (cause,)


def _run(causes: Sequence[Cause]) -> Phrase:
    """`NetworkPolicies a (…), b (…) and c (…) added`."""
    if len(causes) == 1:
        return cause_in_words(causes[0])
    kind = causes[0].object.partition(" ")[0]
    told: list[Phrase] = [(Name(each.object.partition(" ")[2]), " (", _place(each), ")") for each in causes]
    return (Name(plural(kind)) if not is_word(kind) else plural(kind), " ", *enumerated(told), f" {causes[0].change}")


def _place(cause: Cause) -> Place:
    return Place(cause.side, SourceLocation(cause.path, cause.line))


def effectless_title(report: DiffReport) -> str:
    """`3 policies changed without effect on any flow between known workloads`."""
    number = len(_effectless(report)) + unasked(report.policy_changes, report.groups)
    return f"{counted(number, 'policy')} changed without effect on any flow between known workloads"


def effectless(report: DiffReport, most: int = MOST_POLICIES) -> Iterator[Phrase]:
    """The policies that changed and no known flow with them, and why: a reviewer who reads them asks. So many are told one by one."""
    changed = _effectless(report)
    for each, reason in changed[:most]:
        yield (*cause_in_words(each), *_because(reason))
    if len(changed) > most:
        yield (f"and {len(changed) - most:,} more",)
    if left := unasked(report.policy_changes, report.groups):
        yield (f"and {left:,} more, for which no reason was looked for",)


def told_as_effectless(report: DiffReport, most: int = MOST_POLICIES) -> frozenset[str]:
    """The objects of which `effectless` tells one by one."""
    return frozenset(each.object for each, _ in _effectless(report)[:most])


def _effectless(report: DiffReport) -> Sequence[tuple[Cause, NoEffect | None]]:
    """The policies without effect on known flows, with the reason, less those whose effect on pods that could exist is told already."""
    reasons = {each.policy: each for each in report.no_effect()}
    changed = tuple(reasons) if report.groups else report.policy_changes[:MOST_REASONS]
    return [(each, reasons.get(each)) for each in changed if each not in reasons or not _is_potential(reasons[each])]


def _is_potential(reason: NoEffect) -> bool:
    return reason.potential and reason.reason in (ReasonKind.NO_PEER, ReasonKind.SELECTS_NOTHING)


def _because(reason: NoEffect | None) -> Phrase:
    """`, because NetworkPolicy shop/grafana does not let …`, with the places of what stands against the policy."""
    if reason is None:
        return ()
    others = [each for each in reason.objects if each.object != reason.policy.object]
    places: list[Phrase] = [(Place(each.side, SourceLocation(each.path, each.line)),) for each in others]
    return (", because ", Prose(reason.detail), *((" (", *enumerated(places), ")") if places else ()))


def _rank(cause: Cause, ends: frozenset[str]) -> int:
    """Objects that came or went with an end of the flow first, then policies and ways in, then the ends themselves, then the rest."""
    kind, _, name = cause.object.partition(" ")
    leads = kind in _LEADING
    if name in ends and cause.change is not ChangeKind.MODIFIED and not kind.endswith("Policy") and not leads:
        return 0
    return 1 if kind.endswith("Policy") or leads else 2 if name in ends else 3


def _verb(cause: Cause) -> str:
    if cause.change is not ChangeKind.MODIFIED:
        return str(cause.change)
    return "relabelled" if changes_labels_only(cause.fields) else "edited"


def _fields(cause: Cause) -> Phrase:
    if not cause.fields:
        return ()
    shown = joined([field_in_words(each) for each in cause.fields[:MOST_FIELDS]])
    rest = len(cause.fields) - MOST_FIELDS
    return (": ", *shown, *((f" and {counted(rest, 'more field')}",) if rest > 0 else ()))

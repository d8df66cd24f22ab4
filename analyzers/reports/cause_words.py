"""Causes in words: which object changed, what about it, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from analyzers.impact.causes import Cause, ChangeKind
from analyzers.impact.report import DiffReport
from analyzers.model.diagnostics import SourceLocation
from analyzers.reports.field_words import changes_labels_only, field_in_words
from analyzers.reports.phrases import Name, Phrase, Place, counted, enumerated, is_word, joined, plural, titled

MOST_CAUSES = 3
"""Causes named in one row."""

MOST_POLICIES = 5
"""Changed policies named where no flow changed."""

MOST_FIELDS = 2
"""Changed fields named for one object."""


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


def effectless(report: DiffReport) -> Phrase:
    """The policies that changed where no flow did: a reviewer who reads them asks why. Empty where there are none, or flows changed."""
    changed = report.policy_changes
    if report.groups or not changed:
        return ()
    told = [cause_in_words(each) for each in changed[:MOST_POLICIES]]
    rest = len(changed) - len(told)
    more: Phrase = (f"; and {rest:,} more",) if rest else ()
    beginning = f"{counted(len(changed), 'policy')} changed without effect on any flow between the workloads declared: "
    return (beginning, *joined(told, "; "), *more)


def _rank(cause: Cause, ends: frozenset[str]) -> int:
    """Objects that came or went with an end of the flow first, then policies, then the ends themselves, then the rest."""
    kind, _, name = cause.object.partition(" ")
    if name in ends and cause.change is not ChangeKind.MODIFIED and not kind.endswith("Policy"):
        return 0
    return 1 if kind.endswith("Policy") else 2 if name in ends else 3


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

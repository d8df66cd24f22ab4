"""Protection lost, in words: who is not isolated any more, from what and why, and which policies select nothing."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.impact.assessment.protection import IdlePolicy, LostProtection
from analyzers.impact.report import DiffReport
from analyzers.reports.cause_words import MOST_POLICIES as MOST_POLICIES_TOLD
from analyzers.reports.cause_words import told_as_effectless
from analyzers.reports.context import Context
from analyzers.reports.endpoint_words import Population
from analyzers.reports.phrases import Phrase, Place, counted, first_of, titled
from analyzers.reports.sections import HEAD, Seen

MOST_LINES = 10
"""Lines of either kind; what is above is counted."""

MOST_POLICIES = 3
"""Policies named in one line."""


def headline(report: DiffReport) -> str:
    """`2 workloads lose their isolation`: said even where no flow changes; empty where none does."""
    exposed = {index for each in report.protection.lost if each.exposed for index in each.workloads.indices}
    return f"{counted(len(exposed), 'workload')} {'loses its' if len(exposed) == 1 else 'lose their'} isolation" if exposed else ""


def title(report: DiffReport) -> str:
    """What stands above the lines."""
    return "Protection lost" if report.protection.lost else "Protects nothing"


def protection(report: DiffReport, context: Context, told: int = MOST_POLICIES_TOLD) -> Iterator[Phrase]:
    """Each set of workloads that lost protection, those that nothing isolates any more first, then the policies that select nothing, less
    those that are among the so many `told` to be without effect."""
    versions = (joint.versions[HEAD] for joint in report.all_workloads)
    population = Population(workload for workload in versions if workload is not None)
    shown = [each for each in report.protection.lost if _shown(each, context)]
    ordered = sorted(shown, key=lambda each: (not each.exposed, -len(each.workloads)))
    yield from (_lost(each, population) for each in ordered[:MOST_LINES])
    if len(ordered) > MOST_LINES:
        yield (f"and {counted(len(ordered) - MOST_LINES, 'more set')} of workloads",)
    effectless = told_as_effectless(report, told)
    idle = [each for each in _idle_shown(report, context) if str(each.policy) not in effectless]
    yield from map(_idle, idle[:MOST_LINES])
    if len(idle) > MOST_LINES:
        yield (f"and {counted(len(idle) - MOST_LINES, 'more policy')} that select no known pod",)


def _idle_shown(report: DiffReport, context: Context) -> Iterator[IdlePolicy]:
    return (each for each in report.protection.idle if not context.namespaces or each.policy.namespace in context.namespaces)


def _shown(each: LostProtection, context: Context) -> bool:
    return not context.namespaces or bool(context.namespaces & each.workloads.namespaces)


def _lost(each: LostProtection, population: Population) -> Phrase:
    """`shop/cart` Deployment: ingress is not isolated any more by NetworkPolicy `shop/deny`: the pods were relabelled (deny.yaml:1)."""
    policies = first_of([titled(str(policy)) for policy in each.lost], MOST_POLICIES)
    others = "" if each.exposed else ", though other policies isolate it"
    return (
        *population.describe(Seen(each.workloads, HEAD)),
        f": {each.direction} is not isolated any more by ",
        *policies,
        f"{others}: {each.because} (",
        Place("base", each.origin),
        ")",
    )


def _idle(each: IdlePolicy) -> Phrase:
    return (*titled(str(each.policy)), f" selects no known pod: {each.because} (", Place("head", each.origin), ")")

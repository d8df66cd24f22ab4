"""The commands `flowdelta guardrails check` and `explain`: what the service would ask of a change, found by the same code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from analyzers.impact.clusters import Changes, by_cluster
from analyzers.manifests.folder import FolderTree, TreeError
from analyzers.pipeline import ClusterError, Options, Revision, compare, like, matrices
from analyzers.reports.escape import printable
from analyzers.reports.phrases import counted
from service.analysis.guards import guarded, organisation_of
from service.analysis.job import AnalysisError, Guard
from service.analysis.preparing import configuration_of
from service.checkout import CheckoutError
from service.configuration import NAME
from service.exits import BadInput, Exit
from service.guarding import AmbiguousEndpoints, case_of_change, case_of_head
from service.kept_entries import keeping
from service.local.analysing import options_for
from service.local.options import Shared
from service.local.revisions import Side, revisions
from service.signoff.approvals import Decision, Facts, Ruling, decide
from service.signoff.explaining import Explanation, explained, explanation_json, find, lines
from service.signoff.guardrails import Guardrail, Guardrails
from service.signoff.records import guarded_json
from service.signoff.wording import section, shown_digest

SCHEMA = "flowdelta.guardrails/1"
_MOST = 1_000
"""Flows of one guardrail that are listed: a terminal scrolls."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, as given: two folders, or two revisions of `repo`. `organisation` is a file with guardrails beside those of base,
    `stricter` holds a change of them to both sides'."""

    base: str
    head: str
    repo: Path | None = None
    subdir: str = ""
    merge: bool = False
    organisation: Path | None = None
    stricter: bool = False
    host_network: str = "node"


@dataclass(frozen=True, slots=True)
class _Opened:
    """A comparison that was analysed."""

    guard: Guard
    base: Side
    head: Side
    options: Options
    report: Changes


def check(comparison: Comparison, format_name: str) -> Exit:
    """Run `flowdelta guardrails check`."""
    with _analysed(comparison) as opened:
        of_head = partial(matrices, opened.head.tree, like(opened.options, opened.report))
        found = tuple(guarded(opened.guard, opened.base.tree, opened.head.tree, opened.report, of_head))
        report = opened.report
    decision, complete = decide(found, (), Facts(), ""), report.complete
    potential = sum(len(each.potential.groups) for each in by_cluster(report))
    as_json = format_name == "json"
    print(
        json.dumps(_checked_json(decision, complete, potential), indent=2)
        if as_json
        else printable_lines(_checked(decision, complete, potential))
    )
    if not complete:
        return Exit.BAD_INPUT
    return Exit.DONE if decision.standing.passes else Exit.DIFFERENCES


def explain(comparison: Comparison, name: str, format_name: str) -> Exit:
    """Run `flowdelta guardrails explain`."""
    with _analysed(comparison) as opened:
        rules = _rules(opened, name)
        rule = find(rules, name)
        assert rule is not None
        today = datetime.fromisoformat(opened.guard.today).date()
        if isinstance(rule, Guardrail):
            cases = [case_of_change(rules, each, today) for each in by_cluster(opened.report)]
        else:
            cases = [case_of_head(rules, each, today) for each in matrices(opened.head.tree, like(opened.options, opened.report))]
        found = [(case.cluster, each) for case in cases for each in explained(case, rule)]
    if format_name == "json":
        told = [{"cluster": cluster or None, **explanation_json(each)} for cluster, each in found]
        print(json.dumps({"schema": SCHEMA, "guardrail": name, "line": rule.line, "explained": told}, indent=2))
    else:
        print(printable_lines(_explained(name, rule.line, found)))
    return Exit.DONE


def printable_lines(texts: Iterator[str]) -> str:
    """Lines for a terminal: names of manifests cannot command it."""
    return "\n".join(printable(line) for text in texts for line in text.splitlines())


@contextmanager
def _analysed(comparison: Comparison) -> Iterator[_Opened]:
    today, organisation = datetime.now(UTC).date().isoformat(), comparison.organisation
    guard = Guard(today, str(organisation) if organisation else "", comparison.stricter)
    shared = Shared("text", None, comparison.host_network, (), False, False, True)
    try:
        with _sides(comparison) as (base, head), keeping(shared.cache_folder) as entries:
            options = options_for(base.tree, shared, entries)
            report = compare(base.tree, head.tree, options, base_revision=base.revision, head_revision=head.revision)
            yield _Opened(guard, base, head, options, report)
    except (TreeError, CheckoutError, ClusterError, AnalysisError, AmbiguousEndpoints) as error:
        raise BadInput(printable(str(error))) from error


@contextmanager
def _sides(comparison: Comparison) -> Iterator[tuple[Side, Side]]:
    if comparison.repo is not None:
        with revisions(comparison.repo, comparison.base, comparison.head, comparison.subdir, comparison.merge) as sides:
            yield sides
        return
    base, head = (Side(FolderTree(Path(path)), Revision(path)) for path in (comparison.base, comparison.head))
    yield base, head


def _rules(opened: _Opened, name: str) -> Guardrails:
    """The file of a rule: the repository's at base, or the organisation's."""
    files = (configuration_of(opened.base.tree).guardrails, organisation_of(opened.guard).guardrails)
    found = next((rules for rules in files if find(rules, name)), None)
    if found is None:
        known = ", ".join(rule.name for rules in files for rule in rules.rules) or "none"
        raise BadInput(f"there is no guardrail or invariant {name!r} at {opened.base.revision.label}; known are {known}")
    return found


def _checked(decision: Decision, complete: bool, potential: int) -> Iterator[str]:
    if not decision.rulings:
        yield f"There are no guardrails: the base has none in {NAME}."
    else:
        yield section(decision, _MOST) or f"No guardrail asks for anything ({_judged(len(decision.rulings))})."
    if potential:
        verb = "changes" if potential == 1 else "change"
        yield f"{counted(potential, 'potential flow')} {verb} too, which no guardrail judges; flowdelta diff lists them."
    if not complete:
        yield "The analysis is incomplete, so what is listed may not be all."


def _judged(number: int) -> str:
    return f"{number} {'was' if number == 1 else 'were'} judged"


def _checked_json(decision: Decision, complete: bool, potential: int) -> dict[str, Any]:
    judged = [_ruling_json(ruling) for ruling in decision.rulings]
    return {"schema": SCHEMA, "complete": complete, "standing": decision.standing.value, "guardrails": judged, "potential": potential}


def _ruling_json(ruling: Ruling) -> dict[str, Any]:
    flows = ruling.guarded.flows
    return {**guarded_json(ruling.guarded), "standing": ruling.standing.value, "digest": shown_digest(flows) if flows else None}


def _explained(name: str, line: int, found: list[tuple[str, Explanation]]) -> Iterator[str]:
    yield f"{name} (line {line})"
    for cluster, each in found:
        if cluster:
            yield f"in cluster {cluster}"
        yield from lines(each)

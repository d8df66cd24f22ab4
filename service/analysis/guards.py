"""What guardrails say of a comparison: those of the repository at base, those of the organisation, and at wish those of head."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from analyzers.impact.clusters import Changes, by_cluster
from analyzers.impact.report import MatrixReport
from analyzers.manifests.tree import Tree
from service.analysis.job import AnalysisError, Guard
from service.analysis.preparing import configuration_of
from service.configuration import NAME, Configuration, ConfigurationError, read_configuration
from service.guarding import AmbiguousEndpoints, across, broken_on_head, guarded_by_change
from service.signoff.flows import FlowSet
from service.signoff.guardrails import Demand, Guardrails, Outcome
from service.signoff.matching import Guarded
from service.signoff.records import guarded_json

FILE: Final = "guarded.json"
"""The file that is written beside the reports."""
Matrices = Callable[[], Sequence[MatrixReport]]
"""Makes the matrix of each cluster of head."""
AT_HEAD: Final = ".at-head"
"""Ends the name of a guardrail that head states otherwise than base."""


def write_guarded(guard: Guard, base: Tree, head: Tree, report: Changes, of_head: Matrices, folder: Path) -> None:
    """Write what is guarded. `of_head` makes the matrix of each cluster of head, which only invariants need. Raises `AnalysisError`."""
    at_base, organisation = configuration_of(base), organisation_of(guard)
    try:
        found = tuple(_guarded(guard, at_base.guardrails, organisation.guardrails, head, report, of_head))
    except AmbiguousEndpoints as error:
        raise AnalysisError("ambiguous", f"Not judged: {error}.") from error
    written = {
        "configuration": at_base.digest,
        "organisation": organisation.digest,
        "guarded": [guarded_json(each) for each in found],
    }
    (folder / FILE).write_text(json.dumps(written), encoding="utf-8")


def guarded(guard: Guard, base: Tree, head: Tree, report: Changes, of_head: Matrices) -> Iterator[Guarded]:
    """What each guardrail and invariant guards. Raises `AnalysisError` for rules that cannot be read."""
    return _guarded(guard, configuration_of(base).guardrails, organisation_of(guard).guardrails, head, report, of_head)


def _guarded(
    guard: Guard, at_base: Guardrails, organisation: Guardrails, head: Tree, report: Changes, of_head: Matrices
) -> Iterator[Guarded]:
    matrices = cache(of_head)
    today = date.fromisoformat(guard.today)
    _refuse_twice(at_base, organisation)
    own = [each for rules in (organisation, at_base) for each in _of(rules, report, matrices, today)]
    yield from own
    try:
        at_head = configuration_of(head).guardrails
        _refuse_twice(at_head, organisation)
    except AnalysisError as error:
        yield _about_rules(Outcome.BLOCK, f"after this change, {error.message}")
        return
    if at_head.source != at_base.source and (at_head or at_base):
        yield from _stated_by_head(guard, at_head, own, lambda rules: _of(rules, report, matrices, today))


def _of(rules: Guardrails, report: Changes, matrices: Matrices, today: date) -> Iterator[Guarded]:
    yield from across([guarded_by_change(rules, each, today) for each in by_cluster(report)])
    if rules.invariants:
        yield from across([broken_on_head(rules, each, today) for each in matrices()])


def _stated_by_head(
    guard: Guard, rules: Guardrails, own: list[Guarded], judge: Callable[[Guardrails], Iterator[Guarded]]
) -> Iterator[Guarded]:
    """A change of the rules is told, since it decides what later changes may do, and held to both sides' where the settings say so."""
    yield _about_rules(Outcome.WARN, f"this change edits {NAME}, and was judged by what it said before")
    if guard.stricter:
        known = {(each.name, each.flows, each.require) for each in own}
        yield from (
            replace(each, name=f"{each.name}{AT_HEAD}")
            for each in judge(rules)
            if each and (each.name, each.flows, each.require) not in known
        )


def _about_rules(outcome: Outcome, problem: str) -> Guarded:
    """What is to be said of the file itself; no rule has its name."""
    return Guarded(NAME, 1, True, Demand(outcome), FlowSet(), problem=problem)


def organisation_of(guard: Guard) -> Configuration:
    """What the organisation's file says. Raises `AnalysisError`."""
    if not guard.organisation:
        return Configuration()
    try:
        return read_configuration(Path(guard.organisation).read_bytes(), Path(guard.organisation).name)
    except OSError as error:
        raise AnalysisError("configuration", f"the organisation's guardrails cannot be read ({type(error).__name__})") from error
    except ConfigurationError as error:
        raise AnalysisError("configuration", str(error)) from error


def _refuse_twice(rules: Guardrails, organisation: Guardrails) -> None:
    if twice := _names(rules) & _names(organisation):
        raise AnalysisError("configuration", f"{NAME}: {sorted(twice)[0]!r} is the name of one of the organisation's guardrails too")


def _names(rules: Guardrails) -> set[str]:
    return {rule.name for rule in rules.rules}

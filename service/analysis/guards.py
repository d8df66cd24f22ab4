"""What guardrails say of a comparison: those of the repository at base, those of the organisation, and at wish those of head."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from analyzers.impact.report import DiffReport, MatrixReport
from analyzers.manifests.tree import Tree
from service.analysis.job import AnalysisError, Guard
from service.analysis.preparing import configuration_of
from service.configuration import NAME, ConfigurationError, read_configuration
from service.guarding import broken_on_head, guarded_by_change
from service.signoff.flows import FlowSet
from service.signoff.guardrails import Demand, Guardrails, Outcome
from service.signoff.matching import Guarded
from service.signoff.records import guarded_json

FILE: Final = "guarded.json"
"""The file that is written beside the reports."""
AT_HEAD: Final = ".at-head"
"""Ends the name of a guardrail that head states otherwise than base."""


def write_guarded(guard: Guard, base: Tree, head: Tree, report: DiffReport, of_head: Callable[[], MatrixReport], folder: Path) -> None:
    """Write what is guarded. `of_head` makes the matrix of head, which only invariants need. Raises `AnalysisError`."""
    found = tuple(guarded(guard, base, head, report, of_head))
    written = {"configuration": configuration_of(base).digest, "guarded": [guarded_json(each) for each in found]}
    (folder / FILE).write_text(json.dumps(written), encoding="utf-8")


def guarded(guard: Guard, base: Tree, head: Tree, report: DiffReport, of_head: Callable[[], MatrixReport]) -> Iterator[Guarded]:
    """What each guardrail and invariant guards. Raises `AnalysisError` for rules that cannot be read."""
    matrices: list[MatrixReport] = []

    def matrix() -> MatrixReport:
        if not matrices:
            matrices.append(of_head())
        return matrices[0]

    today = date.fromisoformat(guard.today)
    at_base, organisation = configuration_of(base).guardrails, _organisation(guard)
    if twice := _names(at_base) & _names(organisation):
        raise AnalysisError("configuration", f"{NAME}: {sorted(twice)[0]!r} is the name of one of the organisation's guardrails too")
    own = [each for rules in (organisation, at_base) for each in _of(rules, report, matrix, today)]
    yield from own
    yield from _stated_by_head(guard, head, own, lambda rules: _of(rules, report, matrix, today))


def _of(rules: Guardrails, report: DiffReport, matrix: Callable[[], MatrixReport], today: date) -> Iterator[Guarded]:
    yield from guarded_by_change(rules, report, today)
    if rules.invariants:
        yield from broken_on_head(rules, matrix(), today)


def _stated_by_head(guard: Guard, head: Tree, own: list[Guarded], judge: Callable[[Guardrails], Iterator[Guarded]]) -> Iterator[Guarded]:
    """A change that breaks the rules must not be merged; one that changes them is held to both where the settings say so."""
    try:
        rules = configuration_of(head).guardrails
    except AnalysisError as error:
        yield Guarded("configuration", 1, True, Demand(Outcome.BLOCK), FlowSet(), problem=f"after this change, {error.message}")
        return
    if guard.stricter:
        known = {(each.name, each.flows, each.require) for each in own}
        yield from (
            replace(each, name=f"{each.name}{AT_HEAD}")
            for each in judge(rules)
            if each and (each.name, each.flows, each.require) not in known
        )


def _organisation(guard: Guard) -> Guardrails:
    if not guard.organisation:
        return Guardrails()
    try:
        return read_configuration(Path(guard.organisation).read_bytes(), Path(guard.organisation).name).guardrails
    except OSError as error:
        raise AnalysisError("configuration", f"the organisation's guardrails cannot be read ({type(error).__name__})") from error
    except ConfigurationError as error:
        raise AnalysisError("configuration", str(error)) from error


def _names(rules: Guardrails) -> set[str]:
    return {rule.name for rule in rules.guardrails} | {rule.name for rule in rules.invariants}

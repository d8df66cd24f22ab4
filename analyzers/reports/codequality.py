"""GitLab code quality: each flow that opens, may break or closes is an issue at the line that causes it; so is what was not analysed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from analyzers.impact.assessment.severity import Level
from analyzers.impact.report import DiffReport, Explanation, MatrixReport
from analyzers.model.diagnostics import Diagnostic, Severity
from analyzers.reports.context import Context
from analyzers.reports.escape import printable, shortened
from analyzers.reports.findings import Finding, findings

_LEVELS: Final = {Level.CRITICAL: "blocker", Level.HIGH: "critical", Level.MEDIUM: "major", Level.LOW: "info"}
_OF_DIAGNOSTICS: Final = {Severity.ERROR: "major", Severity.WARNING: "minor"}
_LONGEST: Final = 2_000


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """What opens, may break and closes, the gravest first; then what could not be analysed in head."""
    listed, _ = findings(report, context)
    yield from _written((*map(_found, listed), *(_diagnosed(each) for each in _telling(report))))


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """What could not be analysed: a matrix finds nothing else."""
    yield from _written(_diagnosed(each) for each in _telling(report))


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """What could not be analysed: an explanation finds nothing else."""
    yield from _written(_diagnosed(each) for each in _telling(report))


def _telling(report: DiffReport | MatrixReport | Explanation) -> Iterator[Diagnostic]:
    return (each for each in report.diagnostics if each.severity in _OF_DIAGNOSTICS and each.side != "base")


def _written(issues: Iterator[Mapping[str, Any]] | tuple[Mapping[str, Any], ...]) -> Iterator[str]:
    """A JSON list, one issue a line."""
    yield "["
    for position, each in enumerate(issues):
        yield f"{',' if position else ''}\n{json.dumps(each, separators=(',', ':'))}"
    yield "\n]\n"


def _found(each: Finding) -> Mapping[str, Any]:
    place = each.places[0][0].location if each.places else None
    path, line = (place.path, place.line) if place is not None else ("", 0)
    return _issue(str(each.kind), each.message, each.fingerprint, _LEVELS[each.level], path, line)


def _diagnosed(each: Diagnostic) -> Mapping[str, Any]:
    same = hashlib.sha256(json.dumps([each.code, each.path, each.message]).encode()).hexdigest()[:32]
    return _issue(each.code, each.message, same, _OF_DIAGNOSTICS[each.severity], each.path or "", each.line or 0)


def _issue(name: str, said: str, fingerprint: str, severity: str, path: str, line: int) -> Mapping[str, Any]:
    """An issue; GitLab wants a file and a line for each, so what has none stands at the first line of the folder."""
    return {
        "description": shortened(printable(said), _LONGEST),
        "check_name": f"flowdelta/{name}",
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path or ".", "lines": {"begin": line or 1}},
    }

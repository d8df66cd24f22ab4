"""SARIF 2.1.0, ready for code scanning: each flow that opens, may break or closes is a result at the line that causes it.

What was not analysed stands among the notifications of the run, not among its results.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from analyzers.impact.assessment.severity import Level
from analyzers.impact.report import DiffReport, Explanation, MatrixReport
from analyzers.model.diagnostics import Diagnostic, Severity, SourceLocation
from analyzers.reports import headline
from analyzers.reports.context import Context
from analyzers.reports.escape import printable, shortened
from analyzers.reports.findings import Finding, Kind, findings
from analyzers.reports.phrases import Place, counted
from analyzers.reports.plain_words import plain
from analyzers.reports.step_words import step_in_words

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_VERSION: Final = "2.1.0"
_FINGERPRINT: Final = "flowdelta/v1"
_LONGEST: Final = 4_000

_LEVELS: Final = {Level.CRITICAL: "error", Level.HIGH: "error", Level.MEDIUM: "warning", Level.LOW: "note"}
_SCORES: Final = {Level.CRITICAL: "9.5", Level.HIGH: "8.0", Level.MEDIUM: "5.5", Level.LOW: "2.0"}
_WEIGHED: Final = (Kind.OPENS, Kind.POTENTIALLY_OPENS)
"""What has a rule for each level."""
_OF_DIAGNOSTICS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ABOUT: Final = {
    Kind.OPENS: ("Flow opens", "The change lets traffic through that policy did not let through before."),
    Kind.MAY_BREAK: ("Flow may break", "The change closes a flow that head still says it uses."),
    Kind.CLOSES: ("Flow closes", "The change stops traffic that policy let through before."),
    Kind.POTENTIALLY_OPENS: (
        "Potential flow opens",
        "The change lets traffic through for pods that policies select and no known workload is, if they exist.",
    ),
    Kind.POTENTIALLY_CLOSES: (
        "Potential flow closes",
        "The change stops traffic of pods that policies select and no known workload is, if they exist.",
    ),
    Kind.CUT_OFF: ("Way in cut off", "Policy closes a way in from outside that passed before: an outage."),
}


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """What opens, may break and closes, the gravest first."""
    listed, left = findings(report, context)
    rules = sorted({(each.kind, each.level) for each in listed}, key=lambda each: (each[0], each[1].rank))
    places = {rule: position for position, rule in enumerate(rules)}
    more = [_notification(f"{counted(left, 'finding')} left out for length", "warning", None)] if left else []
    about = {"headline": headline.of_diff(report), "digest": report.digest, "complete": report.complete}
    commits = {"base": report.base.commit, "head": report.head.commit}
    yield from _log(
        report.cluster,
        [_rule(*rule) for rule in rules],
        (_result(each, places[each.kind, each.level]) for each in listed),
        [*more, *map(_diagnosed, report.diagnostics)],
        {**about, **{f"{key}Commit": value for key, value in commits.items() if value}},
    )


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """A matrix finds nothing: what could not be analysed stands among the notifications."""
    about = {"headline": headline.of_matrix(report), "complete": report.complete}
    yield from _log(report.cluster, [], iter(()), list(map(_diagnosed, report.diagnostics)), about)


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """One result that is no fault, with each step of the explanation at its place."""
    rule = _described("explanation", "Explanation", "Why one end can or cannot reach another.", "none", {})
    said = f"{report.source} → {report.destination}: {headline.of_explanation(report)}"
    steps = [each for each in (*report.egress, *report.ingress) if each.path is not None]
    related = [_location(Place("head", SourceLocation(each.path or "", each.line or 0)), plain(step_in_words(each))) for each in steps]
    result = {
        "ruleId": "explanation",
        "ruleIndex": 0,
        "kind": "informational",
        "level": "none",
        "message": {"text": _message(said)},
        "locations": related[:1],
        "relatedLocations": [{"id": number, **each} for number, each in enumerate(related)],
    }
    about = {"complete": report.complete, "verdict": report.verdict}
    yield from _log(None, [rule], iter([result]), list(map(_diagnosed, report.diagnostics)), about)


def _log(
    cluster: str | None,
    rules: Sequence[Mapping[str, Any]],
    results: Iterator[Mapping[str, Any]],
    notifications: Sequence[Mapping[str, Any]],
    about: Mapping[str, Any],
) -> Iterator[str]:
    """The log file, one result a line."""
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "Flowdelta", "rules": rules}},
        "automationDetails": {"id": f"flowdelta/{printable(cluster or '')}{'/' if cluster else ''}"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
        "properties": about,
    }
    yield f'{{"$schema":{_text(SCHEMA)},"version":{_text(_VERSION)},"runs":[{_text(run)[:-1]},"results":['
    yield from _lines(results)
    yield "]}]}\n"


def _lines(results: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for position, each in enumerate(results):
        yield f"{',' if position else ''}\n{_text(each)}"


def _rule(kind: Kind, level: Level) -> Mapping[str, Any]:
    title, about = _ABOUT[kind]
    weighed = f" ({level})" if kind in _WEIGHED else ""
    tags = ["security", "kubernetes", "network-policy"] if kind in _WEIGHED else ["kubernetes", "network-policy"]
    score = {"security-severity": _SCORES[level]} if kind in _WEIGHED else {}
    return _described(_rule_id(kind, level), f"{title}{weighed}", about, _LEVELS[level], {"tags": tags, **score})


def _rule_id(kind: Kind, level: Level) -> str:
    return f"{kind}-{level}" if kind in _WEIGHED else str(kind)


def _described(name: str, title: str, about: str, level: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    camel = "".join(word.capitalize() for word in name.split("-"))
    described = {"id": name, "name": camel, "shortDescription": {"text": title}, "fullDescription": {"text": about}}
    configuration = {} if level == "none" else {"defaultConfiguration": {"level": level}}
    return {**described, **configuration, "help": {"text": about}, **({"properties": properties} if properties else {})}


def _result(each: Finding, rule: int) -> Mapping[str, Any]:
    locations = [_location(*place) for place in each.places]
    side = {"properties": {"side": each.places[0][0].side}} if each.places else {}
    return {
        "ruleId": _rule_id(each.kind, each.level),
        "ruleIndex": rule,
        "level": _LEVELS[each.level],
        "message": {"text": _message(each.message)},
        "locations": [{"physicalLocation": locations[0]["physicalLocation"]}] if locations else [],
        "relatedLocations": [{"id": number, **location} for number, location in enumerate(locations)],
        "partialFingerprints": {_FINGERPRINT: each.fingerprint, "primaryLocationLineHash": f"{each.fingerprint}:1"},
        **side,
    }


def _location(place: Place, said: str) -> dict[str, Any]:
    region = {"region": {"startLine": place.location.line}} if place.location.line else {}
    artifact = {"uri": _uri(place.location.path), "uriBaseId": "%SRCROOT%"}
    return {"physicalLocation": {"artifactLocation": artifact, **region}, "message": {"text": _message(said)}}


def _diagnosed(each: Diagnostic) -> Mapping[str, Any]:
    place = Place(each.side or "head", SourceLocation(each.path, each.line or 0)) if each.path else None
    return _notification(each.message, _OF_DIAGNOSTICS[each.severity], place, each.code)


def _notification(said: str, level: str, place: Place | None, code: str = "") -> Mapping[str, Any]:
    where = {"locations": [{"physicalLocation": _location(place, said)["physicalLocation"]}]} if place is not None else {}
    return {"level": level, "message": {"text": _message(said)}, **({"descriptor": {"id": code}} if code else {}), **where}


def _message(said: str) -> str:
    """A message: braces are placeholders in SARIF, and a bracket before a parenthesis makes a link, so neither is left as it is."""
    return shortened(printable(said), _LONGEST).replace("{", "{{").replace("}", "}}").replace("](", "] (")


_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


def _uri(path: str) -> str:
    """A path as a relative reference; one that begins like a scheme or with a slash stays a path."""
    quoted = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in path.encode("utf-8", "replace"))
    return f".{quoted}" if quoted.startswith("/") else quoted


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))

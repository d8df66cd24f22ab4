"""SARIF for code scanning and code quality for GitLab: valid, at the line of the cause, and the same from commit to commit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, FormatChecker
from msgspec.structs import replace

from analyzers.impact.assessment.severity import Level, Mark, Reason, Severity
from analyzers.impact.causation.causes import ChangeKind
from analyzers.impact.report import DiffReport, Effect, Explanation, MatrixReport, Step
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.revision import Revision
from analyzers.pipeline import diff
from analyzers.reports import Context, render
from analyzers.reports.findings import MOST_FINDINGS
from tests.analyzers.impact.changes import policy
from tests.analyzers.impact.changes import workload as workload_text
from tests.analyzers.reports.reports import ALL, NONE, OUTSIDE, cause, ends, group, matrix_report, ports, report, universe, workload
from tests.analyzers.reports.sarif_schema import schema
from tests.analyzers.reports.test_hostile_names import HOSTILE
from tests.property.product import MemoryTree

KNOWN = universe([workload("shop", name) for name in ("web", "cart", "db")])
CRITICAL = Severity(Level.CRITICAL, (Reason(Mark.FROM_OUTSIDE, "from outside the cluster"),))


def made(**more: Any) -> DiffReport:
    outside = group(
        ends(KNOWN, blocks=OUTSIDE), ends(KNOWN, "shop/web[Deployment]"), opened=ports(443), causes=[cause("NetworkPolicy shop/web")]
    )
    removed = cause("NetworkPolicy shop/db", ChangeKind.REMOVED, path="gone.yaml")
    closes = group(ends(KNOWN, "shop/web[Deployment]"), ends(KNOWN, "shop/db[Deployment]"), closed=ALL, causes=[removed])
    return replace(report(KNOWN, [replace(outside, severity=CRITICAL), closes]), **more)


def sarif(shown: DiffReport | MatrixReport | Explanation) -> dict[str, Any]:
    document: dict[str, Any] = json.loads("".join(render("sarif", shown)))
    Draft4Validator(schema(), format_checker=FormatChecker()).validate(document)
    return document


def quality(shown: DiffReport | MatrixReport | Explanation) -> list[dict[str, Any]]:
    issues: list[dict[str, Any]] = json.loads("".join(render("codequality", shown)))
    for each in issues:
        assert {"description", "check_name", "fingerprint", "severity", "location"} <= each.keys()
        assert each["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert each["location"]["path"]
        assert each["location"]["lines"]["begin"] >= 1
    return issues


def test_results_stand_at_the_line_of_the_cause_the_gravest_first() -> None:
    (run,) = sarif(made())["runs"]
    found = [(each["ruleId"], each["level"], _place(each)) for each in run["results"]]
    assert found == [("flow-opens-critical", "error", ("policies.yaml", 7)), ("flow-closes", "note", ("gone.yaml", 7))]
    assert [each["properties"]["side"] for each in run["results"]] == ["head", "base"]
    assert [run["tool"]["driver"]["rules"][each["ruleIndex"]]["id"] for each in run["results"]] == [
        each["ruleId"] for each in run["results"]
    ]
    scores = {rule["id"]: rule["properties"].get("security-severity") for rule in run["tool"]["driver"]["rules"]}
    assert scores == {"flow-opens-critical": "9.5", "flow-closes": None}


def _place(result: dict[str, Any]) -> tuple[str, int]:
    where = result["locations"][0]["physicalLocation"]
    return (where["artifactLocation"]["uri"], where["region"]["startLine"])


def test_issues_stand_at_the_line_of_the_cause() -> None:
    found = [
        (each["check_name"], each["severity"], each["location"]["path"], each["location"]["lines"]["begin"]) for each in quality(made())
    ]
    assert found == [("flowdelta/flow-opens", "blocker", "policies.yaml", 7), ("flowdelta/flow-closes", "info", "gone.yaml", 7)]


def test_what_was_not_analysed_is_a_notification_and_an_issue() -> None:
    gap = Diagnostic("unsupported-kind", "CiliumNetworkPolicy mesh/x decides traffic", "mesh/a b.yaml", 3, "head")
    shown = made(diagnostics=(gap,))
    (run,) = sarif(shown)["runs"]
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert (told["level"], told["descriptor"]["id"]) == ("warning", "unsupported-kind")
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "mesh/a%20b.yaml"
    assert run["properties"]["complete"] is False
    assert [each["check_name"] for each in quality(shown)][-1] == "flowdelta/unsupported-kind"


BASE = (
    workload_text("shop/web")
    + workload_text("shop/db")
    + policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 80}]}]}")
)


def of_text(head: str, label: str) -> DiffReport:
    before, after = (MemoryTree({"all.yaml": text.encode()}) for text in (BASE, head))
    return diff(before, after, base_revision=Revision("main"), head_revision=Revision(label, "c" * 40))


def test_fingerprints_are_the_same_whatever_the_commit_the_lines_and_the_name_of_the_branch() -> None:
    opened = BASE.replace("{port: 80}", "{port: 81}")
    moved = "# a comment\n" * 20 + opened.replace(
        "name: db, namespace: shop}, spec: {pod", "name: db, namespace: shop, annotations: {x: y}}, spec: {pod"
    )
    shown = [of_text(opened, "one"), of_text(moved, "two")]
    prints = [[each["partialFingerprints"] for each in sarif(each)["runs"][0]["results"]] for each in shown]
    assert prints[0] == prints[1]
    assert len({each["flowdelta/v1"] for each in prints[0]}) == len(prints[0]) > 1
    assert len({json.dumps([issue["fingerprint"] for issue in quality(each)]) for each in shown}) == 1
    (other,) = (
        each
        for each in sarif(of_text(BASE.replace("{port: 80}", "{port: 82}"), "one"))["runs"][0]["results"]
        if "TCP 82" in str(each["message"])
    )
    assert other["partialFingerprints"] not in prints[0]


SCRAPE = "{from: [{podSelector: {matchLabels: {app: scraper}}}], ports: [{port: 9090}]}"


def test_potential_flows_are_findings_of_their_own_kind_behind_the_known_ones_of_their_level() -> None:
    head = BASE.replace("[{ports: [{port: 80}]}]", f"[{{ports: [{{port: 80}}, {{port: 81}}]}}, {SCRAPE}]")
    (run,) = sarif(of_text(head, "one"))["runs"]
    found = [(each["ruleId"], each["level"]) for each in run["results"]]
    assert found[-1] == ("potential-flow-opens-low", "note")
    assert [rule for rule, _ in found[:-1]] == ["flow-opens-high"]
    last = run["results"][-1]
    assert last["message"]["text"].startswith("Potentially opens: pods app=scraper in namespace shop → shop/db Deployment, TCP 81, 9090;")
    assert _place(last)[0] == "all.yaml"
    assert [each["check_name"] for each in quality(of_text(head, "one"))][-1] == "flowdelta/potential-flow-opens"
    moved = of_text("# a comment\n" * 20 + head, "two")
    assert [each["partialFingerprints"] for each in sarif(moved)["runs"][0]["results"]] == [
        each["partialFingerprints"] for each in run["results"]
    ]


def test_fingerprint_of_a_potential_flow_is_that_of_its_ends() -> None:
    """The sets of two universes may have equal numbers."""
    prints = set()
    for name in ("scraper", "prober"):
        (run,) = sarif(
            of_text(BASE.replace("[{ports: [{port: 80}]}]", f"[{{ports: [{{port: 80}}]}}, {SCRAPE.replace('scraper', name)}]"), "")
        )["runs"]
        prints |= {json.dumps(each["partialFingerprints"]) for each in run["results"]}
    assert len(prints) == 2


def test_only_so_many_results_are_listed_and_the_others_counted() -> None:
    one, other = (ends(KNOWN, f"shop/{name}[Deployment]") for name in ("web", "db"))
    many = report(KNOWN, [group(one, other, opened=ports(1 + number)) for number in range(MOST_FINDINGS + 3)])
    (run,) = sarif(many)["runs"]
    assert len(run["results"]) == MOST_FINDINGS
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "3 findings left out for length"


@pytest.mark.parametrize(
    "shown", [matrix_report(made()), Explanation("a", "b", None, "denied", NONE, NONE, (), (), ())], ids=["matrix", "explain"]
)
def test_matrix_and_explanation_are_valid_too(shown: MatrixReport | Explanation) -> None:
    assert all(each["kind"] == "informational" for each in sarif(shown)["runs"][0]["results"])
    assert quality(shown) == []


@settings(max_examples=40, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_names_stay_names(one: str, two: str, three: str) -> None:
    known = universe([workload(one, two), workload(two, three)])
    opens = group(
        ends(known, *(each.id for each in known.workloads)),
        ends(known, blocks=OUTSIDE),
        opened=ALL,
        causes=[cause(f"{one} {two}", path=three)],
    )
    weighed = replace(opens, severity=Severity(Level.HIGH, (Reason(Mark.TO_OUTSIDE, one),)))
    shown = report(known, [weighed], diagnostics=[Diagnostic("syntax-error", one, two or "x", 3)], labels=(one, two))
    document = sarif(shown)
    texts = list(_messages(document))
    assert all(text.isprintable() for text in texts)
    assert not any("](" in text for text in texts)
    assert not any("{" in text.replace("{{", "").replace("}}", "") for text in texts)
    assert all(each["description"].isprintable() for each in quality(shown))
    step = Step(Effect.ALLOWS, one, two, three, one, two or "x", 3)
    sarif(Explanation(one, two, None, "allowed", ALL, NONE, (step,), (step,), ()))


def _messages(value: object) -> Iterable[str]:
    if isinstance(value, dict):
        message = value.get("message")
        if isinstance(message, dict):
            yield message["text"]
        for inner in value.values():
            yield from _messages(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _messages(inner)


@given(st.text(max_size=20))
def test_path_becomes_a_relative_reference(path: str) -> None:
    (run,) = json.loads("".join(render("sarif", made(diagnostics=(Diagnostic("syntax-error", "x", path or "x", 3),)), context=Context())))[
        "runs"
    ]
    uri = run["invocations"][0]["toolExecutionNotifications"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert ":" not in uri
    assert not uri.startswith("/")

"""The first line, in every number of flows."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analyzers.impact.assessment.severity import Level, Severity
from analyzers.impact.report import Potential
from analyzers.impact.rows.endpoint_sets import EndpointSet, Members
from analyzers.model.diagnostics import Diagnostic
from analyzers.reports import Context, headline, render
from tests.analyzers.reports.reports import ALL, OUTSIDE, ends, group, report, universe, workload

GRAMMAR = [
    (0, 0, "no flow changes"),
    (1, 0, "1 flow opens"),
    (2, 0, "2 flows open"),
    (0, 1, "1 flow closes"),
    (0, 2, "2 flows close"),
    (1, 1, "1 flow opens, 1 closes"),
    (2, 1, "2 flows open, 1 closes"),
    (1, 2, "1 flow opens, 2 close"),
    (12345, 6789, "12,345 flows open, 6,789 close"),
]

A, B = workload("shop", "a"), workload("shop", "b")
KNOWN = universe([A, B])
GAP = Diagnostic("unsupported-kind", "CiliumNetworkPolicy mesh/x (cilium.io) decides traffic and is not analysed", "mesh/x.yaml", 1)


@pytest.mark.parametrize(("opening", "closing", "said"), GRAMMAR)
def test_number_and_verb_agree(opening: int, closing: int, said: str) -> None:
    assert headline.changes(opening, closing) == said


def test_what_comes_from_outside_is_counted() -> None:
    outside = group(ends(KNOWN, blocks=OUTSIDE), ends(KNOWN, A.id), opened=ALL)
    inside = group(ends(KNOWN, A.id), ends(KNOWN, B.id), opened=ALL, closed=ALL)
    assert headline.of_diff(report(KNOWN, [outside, inside])) == "2 flows open (1 from outside), 1 closes"
    assert headline.of_diff(report(KNOWN, [outside])) == "1 flow opens (from outside)"
    through = group(EndpointSet(KNOWN, Members(controller=True)), ends(KNOWN, A.id), opened=ALL)
    assert headline.of_diff(report(KNOWN, [through])) == "1 flow opens (from outside)"


def test_what_is_potential_stands_apart_with_what_a_reviewer_should_know_of_it() -> None:
    critical = Severity(Level.CRITICAL, ())
    flows = [replace(group(ends(KNOWN, blocks=OUTSIDE), ends(KNOWN, A.id), opened=ALL), severity=critical)]
    flows += [group(ends(KNOWN, A.id), ends(KNOWN, B.id), opened=ALL, closed=ALL)]
    made = replace(report(KNOWN, []), potential=Potential(groups=tuple(flows)))
    said = "potentially 2 flows open (1 critical, 1 from outside), 1 closes"
    assert headline.of_diff(made) == f"no flow changes (2 workloads, 2 policies); {said}"


def test_flows_of_new_and_removed_workloads_are_told_apart() -> None:
    known = universe([A, B], base=[A, workload("shop", "old")])
    comes = group(ends(known, B.id), ends(known, A.id), opened=ALL)
    goes = group(ends(known, A.id), ends(known, "shop/old[Deployment]"), closed=ALL)
    assert headline.of_diff(report(known, [comes, goes])) == "1 flow opens (with new workloads), 1 closes (with removed workloads)"


def test_no_change_says_what_was_analysed() -> None:
    assert headline.of_diff(report(KNOWN, [])) == "no flow changes (2 workloads, 2 policies)"


def test_incomplete_analysis_never_reassures() -> None:
    assert headline.of_diff(report(KNOWN, [], diagnostics=[GAP])) == "no flow changes found, but the analysis is incomplete"
    flows = [group(ends(KNOWN, A.id), ends(KNOWN, B.id), closed=ALL)]
    assert headline.of_diff(report(KNOWN, flows, diagnostics=[GAP])) == "1 flow closes, but the analysis is incomplete"


def test_nothing_found_is_no_good_news() -> None:
    assert headline.of_diff(report(universe([]), [])) == "nothing to compare: no workload was found (2 policies)"


def test_headline_is_the_first_line_of_comment_and_terminal() -> None:
    made = report(KNOWN, [], diagnostics=[GAP])
    said = headline.of_diff(made)
    assert "".join(render("markdown", made)).splitlines()[0] == f"### Flowdelta: {said}"
    assert "".join(render("text", made)).splitlines()[0] == f"Flowdelta: {said}"


def test_filter_changes_the_rows_shown_and_not_the_headline() -> None:
    made = report(KNOWN, [group(ends(KNOWN, A.id), ends(KNOWN, B.id), opened=ALL)])
    shown = "".join(render("markdown", made, context=Context(namespaces=frozenset({"elsewhere"}))))
    assert shown.startswith("### Flowdelta: 1 flow opens\n\nNo row has an end in `elsewhere`.")
    assert "| --- |" not in shown

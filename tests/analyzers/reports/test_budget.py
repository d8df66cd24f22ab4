"""A comment never exceeds its budget, is cut at whole rows, and always says its first line."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.impact.causation.causes import Cause
from analyzers.impact.report import DiffReport, Effect, Explanation, FlowGroup, Step
from analyzers.model.diagnostics import Diagnostic
from analyzers.reachability.universe import Universe
from analyzers.reports import Context, render
from tests.analyzers.reports.reports import ALL, NONE, OUTSIDE, cause, ends, group, ports, report, universe, workload

BIG = universe([workload(f"team-{number % 40}", f"app-{number:05}", tier=str(number % 7)) for number in range(600)])
IDS = [joint.id for joint in BIG.workloads]
GAPS = [Diagnostic("syntax-error", f"unexpected {number}", f"folder/{number}.yaml", 1) for number in range(500)]
BECAUSE = [cause(f"NetworkPolicy team-{number}/deny", path=f"team-{number}/policies/deny.yaml") for number in range(60)]
LEFT_OUT = re.compile(r"\*\*([\d,]+) rows? left out here for length")


def shown(made: DiffReport, budget: int, url: str | None = None) -> str:
    return "".join(render("markdown", made, context=Context(budget=budget, report_url=url)))


def many(known: Universe, number: int, causes: Sequence[Cause] = ()) -> list[FlowGroup]:
    opens = [group(ends(known, IDS[each]), ends(known, IDS[-each - 1]), opened=ports(80), causes=causes) for each in range(number)]
    return [
        *opens,
        group(ends(known, *IDS), ends(known, IDS[0]), closed=ALL, causes=causes),
        group(ends(known, blocks=OUTSIDE), ends(known, IDS[5]), opened=ALL),
    ]


MANY = report(BIG, many(BIG, 290, BECAUSE), diagnostics=GAPS, labels=("main", "x" * 10_000))
FEW = report(BIG, many(BIG, 3, BECAUSE[:2]))


@settings(max_examples=60)
@given(st.integers(0, 30_000))
def test_budget_holds_and_rows_are_whole(budget: int) -> None:
    text = shown(MANY, budget, "https://flowdelta.example/reports/1")
    assert len(text) <= budget
    assert text.startswith("### Flowdelta: 291 flows open (1 from outside), 1 closes, but the analysis is incomplete"[:budget])
    assert all(line.count(" | ") == 3 and line.endswith(" |") for line in text.splitlines() if line.startswith("| "))


@settings(max_examples=60)
@given(st.integers(0, 30_000))
def test_incomplete_is_said_before_anything_else_is(budget: int) -> None:
    text = shown(MANY, budget)
    if len(text.splitlines()) > 2:
        assert "**This result is incomplete.**" in text


def test_what_does_not_fit_is_counted_by_namespaces() -> None:
    text = shown(MANY, 20_000, "https://flowdelta.example/reports/1")
    found = LEFT_OUT.search(text)
    assert found is not None
    rows = sum(1 for line in text.splitlines() if line.startswith("| ") and "---" not in line and "| because |" not in line)
    assert rows + int(found[1].replace(",", "")) == 292
    assert "They are in the [full report](https://flowdelta.example/reports/1)." in text
    assert re.search(r"^- opens: namespace `team-\d+` → namespace `team-\d+`: \d+ rows?$", text, re.MULTILINE)
    by_title = re.findall(r"^- (?:opens|closes): (\d+) rows$", text, re.MULTILINE)
    assert sum(map(int, by_title)) == int(found[1])


def test_what_closes_is_shown_beside_many_flows_that_open() -> None:
    assert "\n**Closes**\n" in shown(MANY, 20_000)


def test_nothing_is_left_out_where_all_fits() -> None:
    text = shown(FEW, 60_000)
    assert "left out" not in text
    assert sum(1 for line in text.splitlines() if line.startswith("| `team")) == 3


def test_members_are_folded_away_where_there_is_room_and_only_counted_where_not() -> None:
    half = report(BIG, [group(ends(BIG, *IDS[1::2]), ends(BIG, IDS[0]), opened=ALL)])
    summary = "300 workloads of 40 namespaces"
    assert f"<details><summary>{summary}</summary>" in shown(half, 60_000)
    assert " and 260 more</details>" in shown(half, 60_000)
    assert f"| {summary} |" in shown(half, 1_500)


def test_note_stands_under_the_headline() -> None:
    text = "".join(render("markdown", FEW, context=Context(note="**Merge conflict.**\nResolve it.")))
    assert text.splitlines()[2] == "**Merge conflict.** Resolve it."


def test_explanation_is_cut_at_whole_steps() -> None:
    steps = tuple(Step(Effect.NO_MATCH, f"from pods of number {number}") for number in range(500))
    made = Explanation("a/b[Deployment]", "c/d[Deployment]", None, "denied", NONE, NONE, steps, steps, ())
    text = "".join(render("markdown", made, context=Context(budget=3_000)))
    assert len(text) <= 3_000
    assert re.search(r"\n\d+ more steps not shown\.\n", text)


@pytest.mark.slow
def test_a_hundred_thousand_groups_of_ten_thousand_members_are_no_trouble() -> None:
    known = universe([workload(f"team-{number % 100}", f"app-{number:05}") for number in range(10_000)])
    ids = [joint.id for joint in known.workloads]
    everyone, one = ends(known, *ids), ends(known, ids[0])
    made = report(known, [group(everyone, one, opened=ports(1 + number % 65_000), causes=BECAUSE) for number in range(100_000)])
    text = shown(made, 60_000)
    assert len(text) <= 60_000
    assert text.startswith("### Flowdelta: 100,000 flows open\n")
    assert LEFT_OUT.search(text) is not None


def test_terminal_gets_a_thousand_rows_and_is_told_of_the_others() -> None:
    one, other = ends(BIG, IDS[0]), ends(BIG, IDS[1])
    made = report(BIG, [group(one, other, opened=ports(1 + number)) for number in range(1_200)])
    assert "200 rows left out here for length; --format json or csv lists them all." in "".join(render("text", made))

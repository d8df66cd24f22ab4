"""CSV for spreadsheets and DOT for graphviz, with names that try to be more than names."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from analyzers.impact.report import DiffReport, Effect, Explanation, Flow, PairChange, Step
from analyzers.reports import Context, render
from analyzers.sets.connections import ConnectionSet
from tests.analyzers.reports.reports import ALL, NONE, cause, ends, group, matrix_report, ports, report, universe, workload

GRAPHVIZ = shutil.which("dot")
NASTY = st.text(alphabet=st.sampled_from('"\\\n<>&;{}|[]=@+-\u202e\x00\x1b/ abN'), max_size=12)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text)))


def changed(known_pairs: list[PairChange]) -> DiffReport:
    known = universe([workload("a", "x"), workload("b", "y")])
    made = report(
        known, [group(ends(known, "a/x[Deployment]"), ends(known, "b/y[Deployment]"), opened=ALL, causes=[cause("NetworkPolicy a/x")])]
    )
    return replace(made, pairs=lambda: iter(known_pairs))


def pair(
    source: str, destination: str, opened: ConnectionSet = NONE, closed: ConnectionSet = NONE, may: ConnectionSet = NONE
) -> PairChange:
    return PairChange(source, destination, closed, opened, opened, closed, may, 0)


def test_csv_has_one_row_for_each_range_and_certainty() -> None:
    made = changed([pair("a/x[Deployment]", "b/y[Deployment]", ports(80, 81, 443), ports(22), ports(443))])
    assert rows("".join(render("csv", made))) == [
        ["source", "destination", "change", "protocol", "first_port", "last_port", "may", "group", "via"],
        ["a/x[Deployment]", "b/y[Deployment]", "opened", "TCP", "80", "81", "false", "0", ""],
        ["a/x[Deployment]", "b/y[Deployment]", "opened", "TCP", "443", "443", "true", "0", ""],
        ["a/x[Deployment]", "b/y[Deployment]", "closed", "TCP", "22", "22", "false", "0", ""],
    ]


def test_csv_of_a_matrix_tells_allowed_from_may() -> None:
    flow = Flow("a/x[Deployment]", "::/0", ports(80, 443), ports(443))
    made = replace(matrix_report(changed([])), flows=lambda: iter([flow]))
    assert rows("".join(render("csv", made)))[1:] == [
        ["a/x[Deployment]", "::/0", "TCP", "80", "80", "allowed", ""],
        ["a/x[Deployment]", "::/0", "TCP", "443", "443", "may", ""],
    ]


def test_csv_is_filtered_by_either_end() -> None:
    made = changed([pair("a/x[Deployment]", "c/z[Deployment]", ALL), pair("::/0", "b/y[Deployment]", ALL)])
    shown = rows("".join(render("csv", made, context=Context(namespaces=frozenset({"b"})))))
    assert {row[0] for row in shown[1:]} == {"::/0"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\uff1d"])
def test_csv_cell_is_never_a_formula(start: str) -> None:
    name = f"{start}cmd|' /C calc'!A0"
    shown = rows("".join(render("csv", changed([pair(name, name, ALL)]))))
    assert all(row[0].startswith(("'", "\\")) for row in shown[1:])


@given(NASTY)
def test_csv_keeps_its_columns(name: str) -> None:
    shown = rows("".join(render("csv", changed([pair(name, name, ports(80))]))))
    assert [len(row) for row in shown] == [9, 9]
    step = Step(Effect.ALLOWS, name, name, name, name, name, 3)
    explanation = Explanation(name, name, None, "allowed", ALL, NONE, (step,), (step,), ())
    assert {len(row) for row in rows("".join(render("csv", explanation)))} == {8}


def test_diff_is_drawn_in_two_colours_and_line_styles() -> None:
    shown = "".join(render("dot", changed([pair("a/x[Deployment]", "b/y[Deployment]", ports(80), ports(22))])))
    assert '"a/x[Deployment]" -> "b/y[Deployment]" [xlabel="TCP 80", color="darkgreen", fontcolor="darkgreen", style="solid"];' in shown
    assert '"a/x[Deployment]" -> "b/y[Deployment]" [xlabel="TCP 22", color="red3", fontcolor="red3", style="dashed"];' in shown
    assert 'subgraph "cluster_namespace_a"' in shown


def test_large_graph_is_drawn_by_namespace_and_says_so() -> None:
    many = [pair(f"a/x{number}[Deployment]", f"{'ab'[number % 2]}/y[Deployment]", ALL) for number in range(500)]
    shown = "".join(render("dot", changed([*many, pair("::/0", "a/y[Deployment]", NONE, ALL)])))
    assert "// 1 flow opens; drawn by namespace, because there is too much to draw one by one" in shown
    assert '"namespace a" -> "namespace a" [xlabel="250 pairs"' in shown
    assert '"outside" -> "namespace a" [xlabel="1 pair"' in shown


def drawn(text: str) -> str:
    assert GRAPHVIZ is not None
    done = subprocess.run([GRAPHVIZ, "-Tplain"], input=text.encode(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.mark.skipif(GRAPHVIZ is None, reason="graphviz is not installed: DOT is not checked with it")
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(NASTY, NASTY)
def test_graphviz_draws_any_name_as_one_node(one: str, two: str) -> None:
    source, destination = f"{one}/{two}[Deployment]", f"{two}/x[Pod]"
    nodes = re.findall(r"^node ", drawn("".join(render("dot", changed([pair(source, destination, ports(80))])))), re.MULTILINE)
    assert len(nodes) == len({source, destination})
    step = Step(Effect.ALLOWS, one, two, one, two, one, 3)
    explanation = Explanation(one, two, None, "allowed", ALL, NONE, (step,), (), ())
    assert len(re.findall(r"^node ", drawn("".join(render("dot", explanation))), re.MULTILINE)) == 4


@pytest.mark.skipif(GRAPHVIZ is None, reason="graphviz is not installed: DOT is not checked with it")
def test_graphviz_draws_every_edge_of_a_crowded_graph() -> None:
    ids = [f"team-{number % 6}/app-{number}[Deployment]" for number in range(30)]
    every = [pair(one, other, ports(80)) for one in ids for other in ids]
    edges = re.findall(r"^edge ", drawn("".join(render("dot", changed(every)))), re.MULTILINE)
    assert len(edges) == len(every)

"""A comment for a change of ten thousand flows: readable, within its budget, what matters on the first screen and the rest folded away."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from msgspec.structs import replace

from analyzers.impact.assessment.may_break import Evidence, EvidenceKind
from analyzers.impact.assessment.severity import Level, Mark, Reason, Severity
from analyzers.impact.report import DiffReport, FlowGroup
from analyzers.model.diagnostics import SourceLocation
from analyzers.reports import Context, render
from analyzers.reports.context import Context as Shown
from tests.analyzers.reports.reports import OUTSIDE, cause, ends, group, ports, report, universe, workload

FLOWS = 10_000
FIRST_SCREEN = 3_000
"""Characters of Markdown that a phone or a small window shows before anybody scrolls much."""


def link(side: str, location: SourceLocation) -> str:
    return f"https://forge.example/acme/infra/blob/{side}/{location.path}#L{location.line}"


CONTEXT = Shown(link=link, report_url="https://flowdelta.example/reports/1")


@cache
def big() -> DiffReport:
    known = universe([workload(f"team-{number % 40:02}", f"app-{number:04}") for number in range(400)])
    ids = [each.id for each in known.workloads]
    critical = Severity(
        Level.CRITICAL, (Reason(Mark.FROM_OUTSIDE, "from outside the cluster"), Reason(Mark.SENSITIVE_PORT, "TCP 5432 (PostgreSQL)"))
    )
    low = Severity(Level.LOW)
    because = [cause(f"NetworkPolicy team-{number:02}/allow", path=f"team-{number:02}/allow.yaml") for number in range(40)]
    opens = [
        replace(group(ends(known, ids[n % 397]), ends(known, ids[n % 400]), opened=ports(1 + n), causes=[because[n % 40]]), severity=low)
        for n in range(FLOWS - 2)
    ]
    outside = group(ends(known, blocks=OUTSIDE), ends(known, ids[7]), opened=ports(5432), causes=[because[3]])
    closes = group(ends(known, ids[3]), ends(known, ids[5]), closed=ports(8080), causes=[because[5]])
    evidence = Evidence(
        EvidenceKind.VARIABLE, "CART_ADDR", "cart:80", ids[3], "team-05/cart", ports(8080), SourceLocation("team-03/app.yaml", 12)
    )
    return report(known, [*opens, replace(outside, severity=critical), replace(closes, may_break=(evidence,))])


@cache
def comment() -> str:
    return "".join(render("markdown", big(), context=CONTEXT))


def test_comment_is_within_its_budget_and_says_how_much_there_is() -> None:
    assert len(comment()) < 60_000
    assert comment().startswith("### Flowdelta: 9,999 flows open (1 critical, 1 from outside), 1 closes (may break)\n")


def test_first_screen_holds_what_opened_from_outside_then_what_may_break_each_with_its_line() -> None:
    screen = comment()[:FIRST_SCREEN]
    outside, breaks, rest = (screen.index(f"**{title}**") for title in ("Opens from outside", "May break", "Opens"))
    assert outside < breaks < rest
    assert "**critical** (from outside the cluster, TCP 5432 (PostgreSQL))" in screen
    assert "[`allow.yaml:7`](https://forge.example/acme/infra/blob/head/team-03/allow.yaml#L7)" in screen[outside:breaks]
    assert "`CART_ADDR` of `team-" in screen[breaks:rest]
    assert "[`app.yaml:12`](https://forge.example/acme/infra/blob/head/team-03/app.yaml#L12)" in screen[breaks:rest]


def test_rest_is_folded_by_namespace_and_what_is_left_out_is_counted() -> None:
    folds = re.findall(r"<details><summary>namespace <code>(team-\d\d)</code>: 250 rows</summary>", comment())
    assert len(folds) == len(set(folds)) >= 3
    left = re.search(r"\*\*([\d,]+) rows left out here for length\.\*\* They are in the \[full report\]", comment())
    assert left is not None
    rows = sum(1 for line in comment().splitlines() if line.startswith("| ") and "---" not in line and "| because |" not in line)
    assert rows + int(left[1].replace(",", "")) == FLOWS


def test_gravest_rows_are_never_folded_away() -> None:
    known = universe([workload(f"team-{number % 10}", f"app-{number:02}") for number in range(60)])
    ids = [each.id for each in known.workloads]

    def opens(number: int, level: Level) -> FlowGroup:
        made = group(ends(known, ids[number]), ends(known, ids[number + 1]), opened=ports(80), causes=[cause("NetworkPolicy a/b")])
        return replace(made, severity=Severity(level, (Reason(Mark.SENSITIVE_PORT, "TCP 80"),)))

    levels = [*[Level.LOW] * 20, Level.CRITICAL, *[Level.HIGH] * 15, *[Level.MEDIUM] * 10]
    text = "".join(render("markdown", report(known, [opens(number, level) for number, level in enumerate(levels)])))
    shown = text[: text.index("<details>")].splitlines()
    assert [line.count("**critical**") - line.count("**high**") for line in shown if "| `team-" in line] == [1, *[-1] * 11]
    assert "|\n\n<details>" in text  # a table ends at an empty line
    folds = re.findall(r"<details><summary>namespace <code>team-\d</code>: (\d) rows?( \(\d high\))?</summary>", text)
    assert sum(int(rows) for rows, _ in folds) == len(levels) - 12
    assert [bool(high) for _, high in folds] == sorted((bool(high) for _, high in folds), reverse=True)
    assert sum(int(high.split()[0].strip("(")) for _, high in folds if high) == 4


def test_where_nothing_is_grave_the_first_rows_stand_before_the_folds() -> None:
    known = universe([workload("shop", f"app-{number:02}") for number in range(30)])
    ids = [each.id for each in known.workloads]
    closes = [
        group(ends(known, ids[number]), ends(known, ids[number + 1]), closed=ports(80), causes=[cause("NetworkPolicy a/b")])
        for number in range(20)
    ]
    text = "".join(render("markdown", report(known, closes)))
    assert text[: text.index("<details>")].count("\n| `shop/app-") == 5
    assert "<details><summary>namespace <code>shop</code>: 15 rows</summary>" in text


def test_every_fold_is_closed_and_every_table_is_whole() -> None:
    assert comment().count("<details>") == comment().count("</details>")
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(comment())
    cells = "".join({"tr_open": "R", "td_open": "d", "th_open": "d"}.get(token.type, "") for token in tokens).split("R")[1:]
    assert set(cells) == {"dddd"}


def test_small_budgets_hold_with_folds_too() -> None:
    for budget in range(0, 12_000, 487):
        text = "".join(render("markdown", big(), context=Context(budget=budget)))
        assert len(text) <= budget
        assert text.count("<details>") == text.count("</details>")

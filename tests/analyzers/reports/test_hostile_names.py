"""Names from manifests are hostile: whatever they hold, a forge shows the table that was meant, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

from analyzers.impact.assessment.hops import Hop, Newly, Path, Paths
from analyzers.impact.assessment.may_break import Evidence, EvidenceKind
from analyzers.impact.assessment.severity import Level, Mark, Reason, Severity
from analyzers.impact.causation.causes import ChangeKind, FieldChange
from analyzers.impact.report import Effect, Explanation, Step
from analyzers.model.cluster import Service, ServicePort, Workload
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.reports import Context, render
from analyzers.reports.escape import printable, shortened
from analyzers.reports.lines import columns
from analyzers.reports.markdown_inline import code, prose
from analyzers.sets.connections import Protocol
from tests.analyzers.reports.reports import ALL, NONE, OUTSIDE, cause, ends, group, matrix_report, ports, report, universe, workload

PIECES = [
    "|",
    "\\|",
    "`",
    "``",
    "```\n",
    "\\",
    "@octocat",
    "@acme/owners",
    "#12",
    "GH-12",
    "acme/infra#1",
    "3f2c1aa9b04e17",
    "https://evil.example/x",
    "www.evil.example",
    "a@evil.example",
    "[x](https://evil.example)",
    "![x](https://evil.example)",
    "<https://evil.example>",
    "<img src=x onerror=alert(1)>",
    "</details>",
    "<details>",
    "<!-- flowdelta -->",
    "-->",
    "**bold**",
    "~~x~~",
    "$`x`$",
    "\n",
    "\r",
    "\r\n\r\n# heading",
    "\u2028",
    "\u2029",
    "\x85",
    "\x00",
    "\x1b]8;;https://evil.example\x07",
    "\x1b[2J",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\ud800",
    "\U000e0041",
    "&#124;",
    "&lt;b&gt;",
    " ",
    "\t",
    "1. ",
    "- ",
    "---",
    "> ",
    ":smile:",
    "name",
    "",
]
HOSTILE = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=6).map("".join))

PARSER = MarkdownIt("gfm-like", {"html": True, "linkify": True})
OWN_HTML = frozenset({"<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>", "<code>", "</code>"})
OWN_LINKS = "https://forge.example/"
REFERENCES = re.compile(r"@\w|#\d|GH-\d|https?:|www\.|\b[0-9a-f]{7,40}\b")


def link(side: str, location: SourceLocation) -> str:
    return f"{OWN_LINKS}{side}/{location.path}#L{location.line}"


def leaves(tokens: Sequence[Token]) -> list[Token]:
    return [leaf for token in tokens for leaf in (leaves(token.children) if token.children else [token])]


def check(markdown: str, columns: int) -> list[Token]:
    """Holds a report to what a forge may show of it; returns the parsed pieces."""
    assert "<!--" not in markdown
    assert not re.search(r"[^\n\x20-\x7e\u00a0-\uffff\U00010000-\U0010ffff]", markdown), "control characters"
    markdown.encode("utf-8")
    tokens = PARSER.parse(markdown)
    rows = "".join({"tr_open": "R", "td_open": "d", "th_open": "d"}.get(token.type, "") for token in tokens).split("R")[1:]
    assert set(rows) <= {"d" * columns}
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h3"]
    found = leaves(tokens)
    for token in found:
        assert token.type not in {"image", "fence", "code_block", "hr", "s_open"}
        if token.type in {"html_inline", "html_block"}:
            assert set(re.findall(r"<[^>]*>", token.content)) <= OWN_HTML, token.content
        if token.type == "link_open":
            assert str(token.attrs["href"]).startswith(OWN_LINKS)
            assert token.markup not in {"linkify", "autolink"}
        if token.type == "text":
            assert not REFERENCES.search(token.content), token.content
            assert token.content.isprintable()
    return found


@given(HOSTILE)
def test_code_span_in_a_table_shows_the_whole_name(name: str) -> None:
    tokens = PARSER.parse(f"| a | b | c |\n| --- | --- | --- |\n| x | {code(name)} | y |\n")
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 6
    assert cells[4].children is not None
    assert [child.type for child in cells[4].children] == ["code_inline"]
    shown = shortened(printable(name)).replace("|", r"\x7c").replace("<!", r"<\x21") or '""'
    assert cells[4].children[0].content.strip(" ") == shown.strip(" ")


@given(HOSTILE)
def test_message_is_words_and_code(text: str) -> None:
    parsed = leaves(PARSER.parse(f"Not analysed: {prose(text)}. **This result is incomplete.**\n"))
    assert {token.type for token in parsed} <= {"text", "code_inline", "strong_open", "strong_close", "paragraph_open", "paragraph_close"}
    assert not any(REFERENCES.search(token.content) for token in parsed if token.type == "text")


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_hostile_diff_keeps_its_shape(one: str, two: str, three: str, four: str) -> None:
    workloads = [workload(one, f"{two}{number}", label=three) for number in range(7)]
    target = Workload(two, four, "Deployment", workload(two, four, tier=one).shapes, ())
    known = universe([*workloads, target, workload(three, two)])
    fields = [
        FieldChange(f'spec.ingress[1].from[0]["{two}"].matchLabels.x', ChangeKind.ADDED, None, f'"{three}"', 3, "head"),
        FieldChange(f"spec.{one}", ChangeKind.MODIFIED, four, two, 3, "head"),
        FieldChange("spec.podSelector.matchLabels.app", ChangeKind.MODIFIED, f'"{one}"', f'"{two}"', 3, "head"),
    ]
    because = [
        cause(f"NetworkPolicy {one}/{two}", ChangeKind.MODIFIED, *fields, path=four),
        cause(f"{two} {three}", path=one),
        cause(f"{two} {four}", path=one),
    ]
    origin = SourceLocation(four, 3)
    used = tuple(Evidence(kind, f"{two} {one}", three, f"{one}[{two}]", four, ports(81), origin) for kind in EvidenceKind)
    grave = Severity(Level.CRITICAL, (Reason(Mark.FROM_OUTSIDE, three), Reason(Mark.WHOLE_NAMESPACE, f"from {one}")))
    way = Path(one, (Hop(two, ALL, True, False), Hop(three, ports(80), False, True)), 3, True)
    service = Service(target.namespace, three, target.shapes[0].labels, (ServicePort("", Protocol.TCP, 80, 8080),), SourceLocation("s", 1))
    opens = group(ends(known, *{each.id for each in workloads}, blocks=OUTSIDE), ends(known, target.id), opened=ALL, causes=because)
    ports_of = {"opened": ports(80), "closed": ports(81), "may": ports(80)}
    both = group(ends(known, target.id), ends(known, workloads[0].id), **ports_of, causes=because)
    made = report(
        known,
        [
            replace(opens, severity=grave),
            replace(both, severity=grave, may_break=used),
            *(group(ends(known, target.id), ends(known, workloads[0].id), opened=ports(100 + number)) for number in range(20)),
        ],
        services=[service],
        diagnostics=[
            Diagnostic("unsupported-kind", f"{one}NetworkPolicy {two}/{three} is not analysed", four, 3, "head"),
            Diagnostic("syntax-error", one, two, 3),
            Diagnostic("unknown-field", three, four, 3, "base"),
            Diagnostic("host-network", f"1 workload uses hostNetwork: {two}", one, 3),
        ],
        labels=(three, four),
    )
    further = (Newly(2, ends(known, target.id)),)
    made = replace(made, paths=lambda: Paths(four, further, (way,), one))
    context = Context(link=link, report_url=f"{OWN_LINKS}reports/1", namespaces=frozenset({one, two, three}))
    shown = check("".join(render("markdown", made, context=context)), columns=4)
    assert any(token.type == "code_inline" for token in shown)
    check("".join(render("markdown", made, context=Context())), columns=4)
    silent = replace(made, groups=(), policy_changes=tuple(because))
    check("".join(render("markdown", silent, context=context)), columns=4)
    check("".join(render("markdown", matrix_report(made), context=context)), columns=3)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_explanation_keeps_its_shape(one: str, two: str, three: str) -> None:
    steps = (Step(Effect.ISOLATES, one, f"NetworkPolicy {two}", three, one, two, 3), Step(Effect.ALLOWS, three))
    made = Explanation(one, two, None, "denied", NONE, NONE, steps, steps, (Diagnostic("syntax-error", three, one, 1),))
    check("".join(render("markdown", made, context=Context(link=link))), columns=0)


@given(HOSTILE, HOSTILE)
def test_nothing_obeyed_by_a_terminal_reaches_one(one: str, two: str) -> None:
    target = workload(one, two)
    known = universe([target, *(workload(two, f"{one}{number}") for number in range(6))])
    because = [cause(f"NetworkPolicy {one}/{two}", path=two)]
    everyone = ends(known, *(each.id for each in known.workloads))
    made = report(
        known,
        [group(everyone, ends(known, target.id), opened=ALL, causes=because)],
        diagnostics=[Diagnostic("syntax-error", one, two, 3)],
        labels=(one, two),
    )
    explanation = Explanation(one, two, None, "denied", NONE, NONE, (Step(Effect.ALLOWS, one, two, one, two, one, 1),), (), ())
    for shown in ("".join(render("text", each)) for each in (made, explanation)):
        lines = shown.split("\n")
        assert all(line.isprintable() for line in lines)
        assert max(map(columns, lines)) <= 120
        shown.encode("utf-8")

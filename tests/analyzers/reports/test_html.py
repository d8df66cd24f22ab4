"""The HTML report: one page that needs nothing from elsewhere and runs nothing, whatever the names in it hold."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from analyzers.impact.assessment.may_break import Evidence, EvidenceKind
from analyzers.impact.assessment.severity import Level, Mark, Reason, Severity
from analyzers.impact.report import DiffReport, Effect, Explanation, Step
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.reports import Context, Report, render
from analyzers.reports import html as html_report
from tests.analyzers.reports.reports import ALL, NONE, OUTSIDE, cause, ends, group, matrix_report, ports, report, universe, workload
from tests.analyzers.reports.test_hostile_names import HOSTILE, OWN_LINKS, link

OUTER = {"html", "head", "meta", "title", "style", "body", "header", "main", "nav", "section", "footer"}
INNER = {"h1", "h2", "p", "ul", "ol", "li", "a", "small", "div", "span", "code", "details", "summary", "strong"}
ELEMENTS = frozenset({*OUTER, *INNER, "table", "thead", "tbody", "tr", "th", "td"})
EMPTY = frozenset({"meta"})
ATTRIBUTES = frozenset({"lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "rel", "scope", "title", "aria-label"})


class Page(HTMLParser):
    """Reads a page as a browser would, and holds it to what it may be made of."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.rows: list[int] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES, name
            assert value is not None
            if name == "href":
                self.links.append(value)
        self.open += [] if tag in EMPTY else [tag]
        if tag == "tr":
            self.rows.append(0)
        if tag in {"td", "th"}:
            self.rows[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")


def shown(made: Report, context: Context | None = None) -> str:
    return "".join(render("html", made, context=context or Context()))


def hostile(one: str, two: str, three: str) -> DiffReport:
    known = universe([*(workload(one, f"{two}{number}", label=three) for number in range(7)), workload(two, three)])
    ids = [each.id for each in known.workloads]
    because = [cause(f"NetworkPolicy {one}/{two}", path=three)]
    origin = SourceLocation(three, 3)
    opens = group(ends(known, *ids, blocks=OUTSIDE), ends(known, ids[0]), opened=ALL, causes=because)
    closes = group(ends(known, ids[0]), ends(known, ids[1]), closed=ports(80), may=ports(80), causes=because)
    evidence = [Evidence(kind, f"{two} {one}", three, f"{one}[{two}]", two, ports(80), origin) for kind in EvidenceKind]
    return report(
        known,
        [
            replace(opens, severity=Severity(Level.CRITICAL, (Reason(Mark.FROM_OUTSIDE, one),))),
            replace(closes, may_break=tuple(evidence)),
        ],
        diagnostics=[Diagnostic("syntax-error", one, two, 3), Diagnostic("unknown-field", three, two, 3, "base")],
        labels=(one, two),
    )


@settings(max_examples=60, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_names_are_text(one: str, two: str, three: str) -> None:
    made = hostile(one, two, three)
    context = Context(link=link, report_url=f"{OWN_LINKS}reports/1", namespaces=frozenset({one, two}))
    step = Step(Effect.ALLOWS, one, two, three, one, two or "x", 3)
    explanation = Explanation(one, two, None, "allowed", ALL, NONE, (step,), (step,), made.diagnostics)
    for each in (shown(made), shown(made, context), shown(matrix_report(made)), shown(explanation, Context(link=link))):
        each.encode("utf-8")
        page = Page(each)
        assert all(href.startswith((OWN_LINKS, "#section-")) for href in page.links)
        assert all(character.isprintable() or character == "\n" for character in each)
        assert len(set(page.rows)) <= 3


def test_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = shown(hostile("shop", "web", "x"))
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not re.search(r"<script|<img|<link|<iframe|@import|url\(|src=|javascript:|\bon\w+=", page)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc/passwd"])
def test_only_web_addresses_become_links(url: str) -> None:
    page = shown(hostile("shop", "web", "x"), Context(link=lambda side, location: url, report_url=url))
    assert all(each.startswith("#") for each in Page(page).links)


def test_page_says_what_opens_how_grave_it_is_and_why() -> None:
    words = " ".join(" ".join(Page(shown(hostile("shop", "web", "x"))).words).split())
    for said in ("Flowdelta: 1 flow opens", "1 critical", "Opens from outside", "May break", "in use:", "This result is incomplete."):
        assert said in words


def test_rows_beyond_what_a_browser_bears_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_report, "MOST_ROWS", 3)
    known = universe([workload("a", "x"), workload("a", "y")])
    one, other = (ends(known, f"a/{name}[Deployment]") for name in "xy")
    page = shown(report(known, [group(one, other, opened=ports(1 + number)) for number in range(5)]))
    assert "2 rows left out here for length" in page
    assert len(Page(page).rows) == 4


def test_matrix_that_connects_nothing_says_so() -> None:
    assert "Nothing connects." in shown(matrix_report(hostile("shop", "web", "x")))

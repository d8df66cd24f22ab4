"""What is shown of text that was written to deceive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.reports.escape import printable, shortened
from analyzers.reports.markdown_inline import code, linked, prose

SHOWN = [
    ("shop/cart", "shop/cart"),
    ("größe/日本.yaml", "größe/日本.yaml"),
    ("a\nb\tc", r"a\nb\tc"),
    ("\x1b[31mred", r"\x1b[31mred"),
    ("gpj.\u202eexe", r"gpj.\u202eexe"),
    ("ze\u200bro", r"ze\u200bro"),
    ("no\u00a0break", r"no\xa0break"),
    ("line\u2028end", r"line\u2028end"),
    ("half\ud800", r"half\ud800"),
    ("tag\U000e0041", r"tag\U000e0041"),
    ("filler\u3164", r"filler\u3164"),
]

SPANS = [
    ("shop/cart", "`shop/cart`"),
    ("a`b", "``a`b``"),
    ("`a``", "``` `a`` ```"),
    ("a|b", r"`a\x7cb`"),
    ("", '`""`'),
    ("<!-- flowdelta -->", r"`<\x21-- flowdelta -->`"),
]

SENTENCES = [
    ("the later one counts", "the later one counts"),
    ("NetworkPolicy shop/cart: spec.ingress[0] must be a list", "NetworkPolicy `shop/cart`: `spec.ingress[0]` must be a list"),
    ("ask @octocat about #12.", "ask `@octocat` about `#12`."),
    ("1. first", "`1.` first"),
    ("between line 2) and 3.", "between line 2) and 3."),
    ("commit deadbeef (see www.evil.example)", "commit `deadbeef` (see `www.evil.example`)"),
    ("", ""),
]

LINKS = [
    (None, "here"),
    ("javascript:alert(1)", "here"),
    ("https://forge.example/a(b).yaml#L3", "[here](https://forge.example/a%28b%29.yaml#L3)"),
    ("https://forge.example/a b|<c>`", "[here](https://forge.example/a%20b%7C%3Cc%3E%60)"),
    ("https://forge.example/" + "a" * 2000, "here"),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_what_a_screen_would_obey_or_hide_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_printable_text_is_one_visible_line_and_stays_so(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)


@given(st.text(), st.integers(8, 40))
def test_shortened_text_keeps_its_ends(text: str, most: int) -> None:
    short = shortened(text, most)
    assert len(short) <= most
    assert short == text or (text.startswith(short.partition("…")[0]) and text.endswith(short[-(most // 3) :]))


@pytest.mark.parametrize(("text", "span"), SPANS)
def test_code_span(text: str, span: str) -> None:
    assert code(text) == span


@pytest.mark.parametrize(("text", "shown"), SENTENCES)
def test_sentence_holds_nothing_that_a_forge_would_link(text: str, shown: str) -> None:
    assert prose(text) == shown


@pytest.mark.parametrize(("url", "shown"), LINKS)
def test_link_ends_where_it_should(url: str | None, shown: str) -> None:
    assert linked("here", url) == shown

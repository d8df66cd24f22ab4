"""Text in lines for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from analyzers.reports.lines import beside, columns, wrapped

WRAPPED = [
    ("", [""]),
    ("as it is", ["as it is"]),
    ("between two words", ["between", "two words"]),
    ("exactly ten", ["exactly", "ten"]),
    ("nine long ten", ["nine long", "ten"]),
    ("a-hyphen is-no-place", ["a-hyphen", "is-no-plac", "e"]),
    ("a longer-than-all word", ["a", "longer-tha", "n-all word"]),
    ("two  spaces  stay", ["two", "spaces", "stay"]),
    ("two  stay", ["two  stay"]),
    ("日本語 はニ列", ["日本語", "はニ列"]),
    ("日本語日本語", ["日本語日本", "語"]),
]


@pytest.mark.parametrize(("text", "lines"), WRAPPED)
def test_lines_break_between_words_and_in_longer_ones(text: str, lines: list[str]) -> None:
    assert list(wrapped(text, 10)) == lines


@given(st.text("ab-é…日🙂 "), st.integers(2, 30))
def test_every_line_fits_and_nothing_is_lost_but_spaces(text: str, width: int) -> None:
    lines = list(wrapped(text, width))
    assert max(map(cell_len, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("character", "aé…→日ア한🙂ﾊＡ")
def test_columns_are_those_of_a_terminal(character: str) -> None:
    assert columns(character) == cell_len(character)


def test_texts_stand_beside_one_another() -> None:
    assert beside(("one two three", 9), ("四五六", 6), ("end", 3), indent=2, gap=1) == "  one two   四五六 end\n  three\n"

"""A page of limited length: what does not fit whole is left out, and said to be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import groupby

from msgspec import Struct

from analyzers.reports.assessment_words import levels_in_words
from analyzers.reports.phrases import Name, Phrase, counted
from analyzers.reports.rows import Ends, Row

MOST_SUMMARISED = 10
"""Pairs of namespaces that a summary of rows left out names."""

MOST_SHARING = 4
"""Tables of one title among which their room is parted at a time: that of the first of many is a quarter."""

MOST_COUNTED = 200
"""Endpoints of a row left out above which its namespaces are not counted."""


class Table(Struct, frozen=True):
    """Rows under one heading. `write` gives a row as text, with or without its folds; `opening` and `closing` stand around them."""

    title: str
    rows: Sequence[Row]
    write: Callable[[Row, bool], str]
    opening: str = ""
    closing: str = ""


class Page:
    """Text of at most `budget` characters."""

    def __init__(self, budget: int) -> None:
        self._room = budget

    @property
    def room(self) -> int:
        """Characters left."""
        return self._room

    def fitting(self, text: str, otherwise: str = "") -> str:
        """The text, or the other one, if it still fits; else nothing. What is given has taken its room."""
        for each in (text, otherwise):
            if len(each) <= self._room:
                self._room -= len(each)
                return each
        return ""

    def share(self, part: int, of: int) -> Page:
        """A page of a part of the room that is left; give back what it did not use with `rejoin`."""
        taken = self._room * part // of
        self._room -= taken
        return Page(taken)

    def rejoin(self, page: Page) -> None:
        """Take back the room that a share left over."""
        self._room += page.room


def fill(page: Page, tables: Sequence[Table], head: str) -> tuple[str, list[tuple[str, Row]]]:
    """The tables as far as they fit, whole rows only, and the rows left out with their table's title; `head` stands above the rows of each.

    Tables of one title leave a third of the room to those after them, and each of them a part of it to the others.
    """
    text: list[str] = []
    left: list[tuple[str, Row]] = []
    titled = [list(of_one) for _, of_one in groupby(tables, lambda table: table.title)]
    for position, of_one in enumerate(titled):
        room = page.share(1, 1) if position == len(titled) - 1 else page.share(2, 3)
        for number, table in enumerate(of_one):
            share = room.share(1, min(len(of_one) - number, MOST_SHARING))
            written = _written(share, table, head)
            text += [*written, table.closing if written else ""]
            left += [(table.title, row) for row in table.rows[max(0, len(written) - 1) :]]
            room.rejoin(share)
        page.rejoin(room)
    return "".join(text), left


def _written(page: Page, table: Table, head: str) -> list[str]:
    """The heading and the rows that fit beside what closes the table; nothing where not even one does."""
    if page.room < len(table.closing):
        return []
    page.fitting(table.closing)
    top = page.fitting(table.opening + head)
    if not top:
        return []
    rows: list[str] = []
    for row in table.rows:
        written = page.fitting(table.write(row, True)) or page.fitting(table.write(row, False))
        if not written:
            break
        rows.append(written)
    return [top, *rows] if rows else []


def summary(left: Sequence[tuple[str, Row]]) -> list[Phrase]:
    """The rows left out by heading, with how grave they are, and by pair of namespaces, the largest counts first. Where there are many
    pairs, those of a single row tell nothing."""
    by_title: dict[str, list[Row]] = defaultdict(list)
    for title, row in left:
        by_title[title].append(row)
    lines: list[Phrase] = [(f"{title.lower()}: {counted(len(rows), 'row')}{levels_in_words(rows)}",) for title, rows in by_title.items()]
    counts = Counter((title, _where(row.sources), _where(row.destinations)) for title, row in left)
    least = 1 if len(counts) <= MOST_SUMMARISED else 2
    told = [(key, number) for key, number in counts.most_common(MOST_SUMMARISED) if number >= least]
    lines += [
        (f"{title.lower()}: ", *_said(source), " → ", *_said(destination), f": {counted(number, 'row')}")
        for (title, source, destination), number in told
    ]
    rest = len(counts) - len(told)
    if rest > 0:
        lines.append((f"and {counted(rest, 'more pair')} of namespaces" if told else f"in {counted(rest, 'pair')} of namespaces",))
    return lines


def _where(ends: Ends) -> tuple[str, int]:
    """The one namespace of the ends, or how many there are; none for addresses outside, and -1 where counting them would take long."""
    if len(ends) > MOST_COUNTED:
        return ("", -1)
    namespaces = ends.namespaces
    return (next(iter(namespaces)), 1) if len(namespaces) == 1 else ("", len(namespaces))


def _said(where: tuple[str, int]) -> Phrase:
    name, number = where
    if number < 0:
        return (f"more than {MOST_COUNTED} workloads",)
    return ("outside",) if not number else ("namespace ", Name(name)) if number == 1 else (counted(number, "namespace"),)

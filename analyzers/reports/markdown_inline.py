"""Phrases as Markdown that a forge shows as meant, whatever the names in them hold.

What comes from manifests stands in code spans, where a forge makes no links, mentions or references: there is no other escaping to get
wrong.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec.structs import replace

from analyzers.reports.context import Context
from analyzers.reports.escape import LONGEST_NAME, printable, shortened
from analyzers.reports.phrases import Folded, Name, Phrase, Piece, Place, Prose

LONGEST_URL = 1_000
"""Characters of a link above which the place is named without one."""

LONGEST_PROSE = 240
"""Characters shown of a message that quotes manifests."""

_PLAIN_WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*|\d{1,6}")
_COMMIT_LIKE = re.compile(r"[0-9a-fA-F]{7,}")
_TRAILING = re.compile(r"[,;:.]*$")
_URL_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#@!$&*+,;=%")
_AT_BASE = {"base": " at base", "head": ""}


def inline(phrase: Phrase, context: Context, *, folds: bool = True) -> str:
    """The phrase in one line, fit for a cell of a table. Without `folds` only their counts are said."""
    return "".join(_piece(piece, context, folds) for piece in phrase)


@lru_cache(maxsize=16_384)
def code(text: str, most: int = LONGEST_NAME) -> str:
    """A code span that shows the text and ends where the text ends.

    A bar would part cells, and forges disagree on how to escape one; a comment could pass for this program's own mark. Both are escaped.
    """
    shown = shortened(printable(text), most).replace("|", r"\x7c").replace("<!", r"<\x21") or '""'
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def prose(text: str) -> str:
    """A message: plain words as they are, everything that a forge could read as more than a word in code."""
    words = [word for word in shortened(printable(text), LONGEST_PROSE).split(" ") if word]
    return " ".join(_word(word, position == 0) for position, word in enumerate(words))


def linked(label: str, url: str | None) -> str:
    """A link around Markdown of our own; the bare label where there is no usable URL."""
    if url is None or not url.startswith(("https://", "http://")):
        return label
    safe = "".join(each if each in _URL_SAFE else "".join(f"%{byte:02X}" for byte in each.encode("utf-8", "replace")) for each in url)
    return f"[{label}]({safe})" if len(safe) <= LONGEST_URL else label


def _piece(piece: Piece, context: Context, folds: bool) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Name):
        return code(piece.text)
    if isinstance(piece, Prose):
        return prose(piece.text)
    if isinstance(piece, Place):
        return _place(piece, context)
    return _fold(piece, context, folds)


def _place(place: Place, context: Context) -> str:
    """A link says the file's name and line; without one the whole path is needed to find it."""
    url, base = context.link(place.side, place.location), _AT_BASE[place.side]
    if url is None:
        return code(str(place.location)) + base
    name = str(replace(place.location, path=place.location.path.rpartition("/")[2]))
    link = linked(f"{code(name)}{base}", url)
    return link if link.startswith("[") else code(str(place.location)) + base


def _fold(fold: Folded, context: Context, folds: bool) -> str:
    summary = inline(fold.summary, context)
    if not folds:
        return summary
    members = ", ".join(inline(member, context) for member in fold.members)
    more = f" and {fold.more:,} more" if fold.more else ""
    return f"<details><summary>{summary}</summary>{members}{more}</details>"


def _word(word: str, first: bool) -> str:
    opening = "(" if word.startswith("(") and len(word) > 1 else ""
    rest = word.removeprefix(opening)
    stop = _TRAILING.search(rest)
    end = stop[0] if stop else ""
    core = rest.removesuffix(end)
    if core.endswith(")") and "(" not in core:
        core, end = core[:-1], f"){end}"
    if not core or (first and core.isdigit() and end):  # a number with a dot or a bracket begins a list
        return code(word)
    plain = _PLAIN_WORD.fullmatch(core) and not _COMMIT_LIKE.fullmatch(core)
    return f"{opening}{core if plain else code(core)}{end}"

"""Phrases as HTML. Every name, message and path is escaped; nothing of a manifest becomes markup, an address or a style."""

from __future__ import annotations

from html import escape

from analyzers.reports.context import Context
from analyzers.reports.escape import LONGEST_NAME, printable, shortened
from analyzers.reports.phrases import Folded, Name, Phrase, Piece, Place, Prose

LONGEST_PROSE = 400
"""Characters shown of a message that quotes manifests."""


def inline(phrase: Phrase, context: Context) -> str:
    """The phrase as HTML that fits in a paragraph or a cell."""
    return "".join(_piece(piece, context) for piece in phrase)


def text(said: str) -> str:
    """Text without markup."""
    return escape(printable(said), quote=True)


def code(name: str) -> str:
    """A name; one that is shortened can be read whole by pointing at it."""
    shown = printable(name) or '""'
    short = shortened(shown, LONGEST_NAME)
    title = f' title="{escape(shown[:_LONGEST_TITLE], quote=True)}"' if short != shown else ""
    return f"<code{title}>{escape(short, quote=True)}</code>"


_LONGEST_TITLE = 2_000


def linked(label: str, url: str | None) -> str:
    """A link around HTML of our own; the bare label where there is no usable URL."""
    if url is None or not url.startswith(("https://", "http://")):
        return label
    return f'<a href="{escape(printable(url), quote=True)}" rel="noopener noreferrer">{label}</a>'


def _piece(piece: Piece, context: Context) -> str:
    if isinstance(piece, str):
        return escape(piece, quote=True)
    if isinstance(piece, Name):
        return code(piece.text)
    if isinstance(piece, Prose):
        return text(shortened(printable(piece.text), LONGEST_PROSE))
    if isinstance(piece, Place):
        return linked(code(str(piece.location)), context.link(piece.side, piece.location)) + (" at base" if piece.side == "base" else "")
    return _fold(piece, context)


def _fold(fold: Folded, context: Context) -> str:
    members = "".join(f"<li>{inline(member, context)}</li>" for member in fold.members)
    more = f"<li>and {fold.more:,} more</li>" if fold.more else ""
    return f"<details><summary>{inline(fold.summary, context)}</summary><ul>{members}{more}</ul></details>"

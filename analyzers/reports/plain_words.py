"""Phrases as plain text, without markup and without anything that a screen would obey, hide or reorder."""

from __future__ import annotations

from analyzers.reports.escape import printable, shortened
from analyzers.reports.phrases import Folded, Name, Phrase, Piece, Place, Prose

LONGEST = 400
"""Characters of one name or message."""

MOST_FOLDED = 5
"""Members named behind a count, as plain text cannot fold."""


def plain(phrase: Phrase) -> str:
    """The phrase as text of one line."""
    return "".join(map(_piece, phrase))


def _piece(piece: Piece) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Name):
        return shortened(printable(piece.text), LONGEST) or '""'
    if isinstance(piece, Prose):
        return shortened(printable(piece.text), LONGEST)
    if isinstance(piece, Place):
        return printable(str(piece.location)) + (" at base" if piece.side == "base" else "")
    return _fold(piece)


def _fold(fold: Folded) -> str:
    """A count with its first members."""
    shown = ", ".join(map(plain, fold.members[:MOST_FOLDED]))
    rest = fold.more + len(fold.members[MOST_FOLDED:])
    return f"{plain(fold.summary)}: {shown}" + (f" and {rest:,} more" if rest else "")

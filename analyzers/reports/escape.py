"""Making hostile text safe to show: names, paths and messages may hold terminal codes, bidirectional marks or nothing visible."""

from __future__ import annotations

from itertools import chain

LONGEST_NAME = 80
"""Characters of one name or path that a report for people shows."""

_SELECTORS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_FILLERS = (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
_INVISIBLE = frozenset(chain(_FILLERS, *_SELECTORS))
"""Characters that count as printable and show as nothing."""


def printable(text: str) -> str:
    """The text with everything that a screen would obey, hide or reorder shown as a backslash escape; the result is one line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def shortened(text: str, most: int = LONGEST_NAME) -> str:
    """The text, its middle left out where it is longer than `most` characters: the start and the end tell names apart."""
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail - 1]}…{text[len(text) - tail :]}"


def _shown(character: str) -> str:
    if character.isprintable() and ord(character) not in _INVISIBLE:
        return character
    return character.encode("unicode_escape").decode("ascii")

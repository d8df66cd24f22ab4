"""Text in lines for a terminal: broken between words, and measured in the columns that it takes there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from unicodedata import east_asian_width


def beside(*cells: tuple[str, int], indent: int = 0, gap: int = 0) -> str:
    """Texts beside one another, each wrapped in the columns that stand with it, `gap` columns apart and `indent` from the left."""
    rows = zip_longest(*(wrapped(text, width) for text, width in cells), fillvalue="")
    widths = [width + gap for _, width in cells]
    lines = ("".join(part + " " * (width - columns(part)) for part, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{' ' * indent}{line}".rstrip() + "\n" for line in lines)


def wrapped(text: str, width: int) -> Iterator[str]:
    """The text in lines of at most `width` columns, one at least. A word that is longer begins a line and is folded."""
    line, taken = "", -1  # the first word of a line has no space before it
    for word in text.split(" "):
        size = columns(word)
        if taken + 1 + size > width:
            if line:
                yield line.rstrip()
            *full, word = _folded(word, width)
            yield from full
            line, taken, size = word, -1, columns(word)
        else:
            line = f"{line} {word}" if taken >= 0 else word
        taken += 1 + size
    yield line.rstrip()


def columns(text: str) -> int:
    """How many columns of a terminal it takes: ideographs and most emoji take two."""
    return len(text) if text.isascii() else len(text) + sum(east_asian_width(each) in "WF" for each in text)


def _folded(word: str, width: int) -> Iterator[str]:
    """The word in pieces that fit, the last of them what is left."""
    while columns(word) > width:
        size = width
        while size > 1 and columns(word[:size]) > width:
            size -= 1
        yield word[:size]
        word = word[size:]
    yield word

"""From the bytes of a file to the text of its documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from analyzers.manifests.defects import Defect, Unparsable

_GIT_CRYPT: Final = b"\0GITCRYPT\0"
_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")

_MARKER = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


class Chunk(Struct, frozen=True):
    """The text of one document with the `---` before it, and the line of the file on which it starts."""

    text: str
    line: int


def decode(data: bytes) -> str:
    """The text of a file, its line ends as `\\n` where they were `\\r\\n`. `Unparsable` when it is not UTF-8 or not there to be read."""
    if data.startswith(_GIT_CRYPT):
        raise Unparsable(Defect("encrypted", "the file is encrypted with git-crypt", 1))
    if data.startswith(_LFS_POINTER):
        raise Unparsable(Defect("unreadable-file", "a Git LFS pointer; the content it stands for is not in the tree", 1))
    if data.startswith(_WIDE_MARKS) or data[:4].count(0) >= 2:
        raise Unparsable(Defect("unsupported-encoding", "the file is UTF-16 or UTF-32; manifests must be UTF-8", 1))
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unparsable(Defect("unsupported-encoding", f"byte {data[error.start]:#04x} is not valid UTF-8", line)) from error


def chunks(text: str) -> Iterator[Chunk]:
    """The documents of a text, cut before each `---` line and the directives (`%` lines) that belong to it.

    The cut is exact, because YAML allows no content to begin a line with `---` and a space. It lets one document be broken, or not read at
    all, without a loss to its neighbours.
    """
    has_directives = text.startswith("%") or "\n%" in text
    start, line = 0, 1
    for marker in _MARKER.finditer(text) if "\n---" in text else ():
        end = _before_directives(text, start, marker.start()) if has_directives else marker.start()
        if end > start:
            yield Chunk(text[start:end], line)
        line += text.count("\n", start, end)
        start = end
    yield Chunk(text[start:], line)


def _before_directives(text: str, start: int, marker: int) -> int:
    """Where the directives above a marker begin: `%` lines with nothing but comments and blank lines between them and it."""
    first = position = marker
    while position > start:
        position = max(text.rfind("\n", start, position - 1) + 1, start)
        if text[position] == "%":
            first = position
        elif text[position] not in "#\n \t" or text[position : text.find("\n", position)].lstrip(" \t")[:1] not in ("", "#"):
            break
    return first

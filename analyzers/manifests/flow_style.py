"""The plain part of flow style: collections that stand on one line, as `[a, "b"]` and `{c: {d: 1}}` do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from sys import intern
from typing import Final

from analyzers.manifests.scalars import HINTS, WORDS, plain
from analyzers.model.manifest import YamlList, YamlMap, YamlValue

KEY: Final = r"[A-Za-z_][\w./-]{0,200}+"
"""A plain key. One of more than 1,024 characters is none to the parser."""

QUOTED: Final = r"""(?:"[ !#-[\]-~]*+"|'[ -&(-~]*+')"""
"""A quoted scalar that is as it is written: ASCII without escapes."""

_WORD: Final = r"[A-Za-z0-9_./][\w./-]*+"

FLOW: Final = rf"[\[{{](?:[ ]*+(?:{KEY}:[ ]++)?+(?:[\[{{]|(?:{QUOTED}|{_WORD})?+[ ]*+[\]}},]))*+"
"""What begins like a flow collection and holds nothing but parts of one."""

_PART = re.compile(rf"(?:({KEY}):[ ]++)?+(?:([\[{{])|({QUOTED}|{_WORD})?+[ ]*+([\]}},]))", re.ASCII)

_Part = tuple[str, str, str, str]
"""A key; the start of a collection; a scalar; what ends an entry or its collection. Each may be empty, but one of start and end."""

_NOTHING: Final[_Part] = ("", "", "", "")

NOT_AS_WRITTEN: Final = HINTS | frozenset("\"'[{")
"""What the first character of a value is where the value may be another one than its text."""


class NotPlain(Exception):
    """The text may have another reading, or none: the parser decides."""


def _scalar(text: str) -> YamlValue:
    """What a quoted or plain scalar means."""
    if text[0] not in NOT_AS_WRITTEN:
        return text
    return text[1:-1] if text[0] in "\"'" else plain(text)


def read_flow(text: str, line: int, levels: int) -> tuple[YamlValue, int]:
    """The collection that a text matched by `FLOW` holds, nested at most `levels` deep, and how many values it has, itself included.
    Raises `NotPlain`."""
    parts = _PART.findall(text)
    ahead = iter(parts)
    value = _collection(next(ahead)[1], ahead, line, levels)
    if next(ahead, None) is not None:
        raise NotPlain
    return value, len([True for _, start, text, _ in parts if start or text])


def _collection(start: str, ahead: Iterator[_Part], line: int, levels: int) -> YamlValue:
    if not levels:
        raise NotPlain
    return _sequence(ahead, line, levels - 1) if start == "[" else _mapping(ahead, line, levels - 1)


def _sequence(ahead: Iterator[_Part], line: int, levels: int) -> YamlList:
    items = YamlList(line)
    for name, start, text, end in ahead:
        if text:
            items.append(_scalar(text))
        elif start:
            items.append(_collection(start, ahead, line, levels))
            end = _end(ahead)
        elif end == "]" and not items and not name:
            return items
        else:
            raise NotPlain
        items.lines.append(line)
        if name or end not in ("]", ","):
            raise NotPlain
        if end == "]":
            return items
    raise NotPlain


def _mapping(ahead: Iterator[_Part], line: int, levels: int) -> YamlMap:
    fields = YamlMap(line)
    for name, start, text, end in ahead:
        if name in fields or (name in WORDS and name):
            raise NotPlain
        if text:
            fields[intern(name)] = _scalar(text)
        elif start:
            fields[intern(name)] = _collection(start, ahead, line, levels)
            end = _end(ahead)
        elif end == "}" and not fields and not name:
            return fields
        else:
            raise NotPlain
        fields.lines[intern(name)] = line
        if not name or end not in ("}", ","):
            raise NotPlain
        if end == "}":
            return fields
    raise NotPlain


def _end(ahead: Iterator[_Part]) -> str:
    """What ends an entry that is a collection."""
    name, start, text, end = next(ahead, _NOTHING)
    if name or start or text:
        raise NotPlain
    return end

"""JSON as parser events, for what JSON allows and YAML 1.1 does not.

Nearly all JSON is read by the YAML parser. Surrogate pairs in strings, keys of more than 1,024 characters and a colon on the next line are
not, so a text that fails as YAML and is valid JSON is read through these events, by the same builder, with the same lines and caps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from yaml.events import (
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

_TOKEN = re.compile(r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<open>[{\[])|(?P<close>[}\]])|(?P<word>[-+.\w]+)|(?P<lines>\n[\s]*)')
_PLAIN: Final = (True, False)
_QUOTED: Final = (False, True)


class _Mark(Struct, frozen=True):
    line: int


def is_json(text: str) -> bool:
    """Whether the text is one JSON value (not a bare number or word) within the depth that Python's own reader allows."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def json_events(text: str) -> Iterator[Event]:
    """The events of a text for which `is_json` holds, from its first value to the end of the document; lines count from 0."""
    line = 0
    for token in _TOKEN.finditer(text):
        mark = _Mark(line)
        match token.lastgroup:
            case "lines":
                line += token[0].count("\n")
            case "string":
                yield ScalarEvent(None, None, _QUOTED, _string(token[0]), mark)  # type: ignore[arg-type]  # only the line is read
            case "word":
                yield ScalarEvent(None, None, _PLAIN, token[0], mark)  # type: ignore[arg-type]
            case "open":
                start = MappingStartEvent if token[0] == "{" else SequenceStartEvent
                yield start(None, None, True, mark)  # type: ignore[arg-type]
            case "close":
                yield MappingEndEvent(mark) if token[0] == "}" else SequenceEndEvent(mark)  # type: ignore[arg-type]
    yield DocumentEndEvent()


def _string(token: str) -> str:
    """The text of a JSON string; half a surrogate pair becomes U+FFFD, as in Go."""
    text = str(json.loads(token))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

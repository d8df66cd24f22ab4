"""Lines that survive rendering: a rendered object is matched with the document that it was made from, and every field that is still there
takes the line where it is written. A line that is not known is 0, and never one of the output."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from analyzers.model.diagnostics import SourceLocation
from analyzers.model.manifest import Manifest, YamlList, YamlMap, YamlValue

_UNKNOWN = 0


def matching(rendered: Manifest, written: Sequence[Manifest]) -> Manifest | None:
    """The document of a file that an object was made from: of those of its kind the one with its name, the only one whose name is part of
    the new one, or else the only one there is."""
    alike = [each for each in written if (each.group, each.kind) == (rendered.group, rendered.kind)]
    named = [each for each in alike if each.name == rendered.name]
    if len(named) > 1:
        named = [each for each in named if each.namespace == rendered.namespace] or named
    for found in (named, [each for each in alike if each.name in rendered.name], alike):
        if len(found) == 1:
            return found[0]
    return None


def traced(rendered: Manifest, path: str, written: Manifest | None, line: int = _UNKNOWN) -> Manifest:
    """The rendered object at its place in the source: its fields have the lines of `written`, as far as they stand there unchanged."""
    body = _traced(rendered.body, written.body if written is not None else None)
    assert isinstance(body, YamlMap)
    first = written.location.line if written is not None else line
    body.line = first
    return replace(rendered, body=body, location=SourceLocation(path, first))


def line_in_template(rendered: Manifest, text: str) -> int:
    """The line of a template where an object begins: where its kind is written only once in the file, or else once with its name near."""
    lines = text.splitlines()
    kind = re.compile(rf"kind:\s*[\"']?{re.escape(rendered.kind)}[\"']?\s*(#.*)?")
    found = [number for number, line in enumerate(lines) if kind.fullmatch(line)]
    if len(found) > 1:
        name = re.compile(rf"\s+name:\s*[\"']?{re.escape(rendered.name)}[\"']?\s*(#.*)?")
        found = [number for number in found if any(map(name.fullmatch, lines[number : number + 6]))]
    if len(found) != 1:
        return _UNKNOWN
    (number,) = found
    return number if number > 0 and lines[number - 1].startswith("apiVersion:") else number + 1


def _traced(value: YamlValue, written: YamlValue) -> YamlValue:
    if isinstance(value, YamlMap):
        return _traced_map(value, written if isinstance(written, YamlMap) else None)
    if isinstance(value, YamlList):
        return _traced_list(value, written if isinstance(written, YamlList) else None)
    return value


def _traced_map(value: YamlMap, written: YamlMap | None) -> YamlMap:
    result = YamlMap(written.line if written is not None else _UNKNOWN)
    for key, inner in value.items():
        there = written is not None and key in written
        before = written[key] if written is not None and there else None
        result[key] = _traced(inner, before)
        result.lines[key] = written.lines[key] if written is not None and there and _still(inner, before) else _UNKNOWN
    return result


def _traced_list(value: YamlList, written: YamlList | None) -> YamlList:
    result = YamlList(written.line if written is not None else _UNKNOWN)
    for position, inner in enumerate(value):
        index = _index_of(inner, position, value, written) if written is not None else None
        result.append(_traced(inner, written[index] if written is not None and index is not None else None))
        result.lines.append(written.lines[index] if written is not None and index is not None else _UNKNOWN)
    return result


def _index_of(item: YamlValue, position: int, value: YamlList, written: YamlList) -> int | None:
    """Which item of the source list an item was: one that is equal, one with its name, or where nothing was added or taken the same."""
    if position < len(written) and written[position] == item:
        return position
    equal = [index for index, each in enumerate(written) if each == item]
    if equal:
        return equal[0]
    name = item.get("name") if isinstance(item, YamlMap) else None
    if name is not None:
        named = [index for index, each in enumerate(written) if isinstance(each, YamlMap) and each.get("name") == name]
        return named[0] if len(named) == 1 else None
    return position if len(value) == len(written) and isinstance(item, (YamlMap, YamlList)) else None


def _still(value: YamlValue, before: YamlValue) -> bool:
    """Whether a field is what is written there: the same scalar, or a collection with something else in it."""
    return value == before or (isinstance(value, (YamlMap, YamlList)) and type(value) is type(before))

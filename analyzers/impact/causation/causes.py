"""Causes: which changed objects bear on a change, and which of their fields differ, within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from analyzers.impact.causation.differing import differing
from analyzers.model.manifest import Manifest, YamlList, YamlMap, YamlValue
from analyzers.model.metadata import GENERATED
from analyzers.model.records import ObjectKey, ObjectRecord
from analyzers.model.relevance import relevant

LARGEST_COMPARED = 5_000
"""Values in an object above which its fields are not compared one by one."""

MOST_FIELDS = 20
"""Field changes listed for one object; what is above is folded into their common parent."""

_SHOWN = 240
"""Characters of a value shown in a cause."""


class ChangeKind(StrEnum):
    """What happened to an object or a field."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"


class FieldChange(Struct, frozen=True):
    """One field that differs: `before` and `after` are compact JSON, cut to a readable length; `line` is of the file of `side`."""

    path: str
    kind: ChangeKind
    before: str | None
    after: str | None
    line: int
    side: str


class Cause(Struct, frozen=True):
    """One changed object. `path` and `line` are in the revision named by `side` (`base` or `head`)."""

    object: str
    change: ChangeKind
    fields: tuple[FieldChange, ...]
    path: str
    line: int
    side: str


class ChangedObject(Struct, frozen=True):
    """An object that differs between the revisions; None on the side that lacks it."""

    base: ObjectRecord | None
    head: ObjectRecord | None


Bodies = Callable[[Iterable[str]], Mapping[tuple[ObjectKey, str, int], Manifest]]
"""Reads the documents of the given files of one revision again, by object, path and line."""


def changed_objects(base: Iterable[ObjectRecord], head: Iterable[ObjectRecord]) -> list[ChangedObject]:
    """The objects that are only in one revision or differ in a field that the analysis reads, by identity, in the order of kinds and
    names."""
    # A record that both revisions share is one object: files that do not differ are read once.
    old, new = {id(each): each for each in base}, {id(each): each for each in head}
    before, after = ({_identity(one[key]): one[key] for key in one if key not in other} for one, other in ((old, new), (new, old)))
    pairs = ((before.get(key), after.get(key)) for key in sorted({*before, *after}))
    return [ChangedObject(one, other) for one, other in pairs if one is None or other is None or one.content != other.content]


def causes_of(changed: Sequence[ChangedObject], base_bodies: Bodies, head_bodies: Bodies) -> tuple[Cause, ...]:
    """The cause that each changed object is, with the fields that differ. Only documents of modified objects are read again."""
    modified = [(each.base, each.head) for each in changed if each.base is not None and each.head is not None]
    before = base_bodies({base.location.path for base, _ in modified})
    after = head_bodies({head.location.path for _, head in modified})
    return tuple(_cause(each, before, after) for each in changed)


def _cause(changed: ChangedObject, before: Mapping[Any, Manifest], after: Mapping[Any, Manifest]) -> Cause:
    base, head = changed.base, changed.head
    present = head if head is not None else base
    assert present is not None
    if base is None or head is None:
        kind, side = (ChangeKind.ADDED, "head") if base is None else (ChangeKind.REMOVED, "base")
        return Cause(present.key.title, kind, (), present.location.path, present.location.line, side)
    old, new = before.get(_place(base)), after.get(_place(head))
    fields = tuple(_field_changes(old, new)) if old is not None and new is not None else ()
    first = fields[0] if fields else None
    side, line = (first.side, first.line) if first else ("head", head.location.line)
    path = (base if side == "base" else head).location.path
    return Cause(head.key.title, ChangeKind.MODIFIED, fields, path, line, side)


def _place(record: ObjectRecord) -> tuple[ObjectKey, str, int]:
    return (record.key, record.location.path, record.location.line)


def _identity(record: ObjectRecord) -> tuple[str, str, str, str, str, int]:
    # Objects that share a generated name stay apart by their place.
    place = (record.location.path, record.location.line) if record.key.name.endswith(GENERATED) else ("", 0)
    return (record.key.kind, record.key.group, record.key.namespace, record.key.name, *place)


def _field_changes(base: Manifest, head: Manifest) -> Iterator[FieldChange]:
    before, after = relevant(base.body), relevant(head.body)
    if max(_size(before), _size(after)) > LARGEST_COMPARED:
        paths = [(key,) for key in {**before, **after} if before.get(key) != after.get(key)]
        yield from (_field_change(base, head, path, ChangeKind.MODIFIED) for path in paths)
        return
    kinds = {(False, True): ChangeKind.ADDED, (True, False): ChangeKind.REMOVED, (True, True): ChangeKind.MODIFIED}
    found = [_field_change(base, head, path, kinds[in_base, in_head]) for path, in_base, in_head in differing(before, after)]
    yield from sorted(found, key=lambda each: (each.side == "base", each.line, each.path))[:MOST_FIELDS]


def _field_change(base: Manifest, head: Manifest, path: Sequence[str | int], kind: ChangeKind) -> FieldChange:
    side, body = ("base", base.body) if kind is ChangeKind.REMOVED else ("head", head.body)
    shown = path[:-1] if isinstance(path[-1], int) and kind is not ChangeKind.MODIFIED else path
    before = None if kind is ChangeKind.ADDED else _compact(_value_at(base.body, path))
    after = None if kind is ChangeKind.REMOVED else _compact(_value_at(head.body, path))
    return FieldChange(_dotted(shown), kind, before, after, _line_at(body, path), side)


def _value_at(body: YamlValue, path: Sequence[str | int]) -> YamlValue:
    for step in path:
        inner = _inside(body, step)
        if inner is None:
            return None
        _, body = inner
    return body


def _inside(body: YamlValue, step: str | int) -> tuple[int, YamlValue] | None:
    """The line and value one step further in, if there is one."""
    if isinstance(body, YamlMap) and isinstance(step, str) and step in body:
        return body.lines[step], body[step]
    if isinstance(body, YamlList) and isinstance(step, int) and step < len(body):
        return body.lines[step], body[step]
    return None


def _line_at(body: YamlValue, path: Sequence[str | int]) -> int:
    """The line of the field, or of the nearest field around it."""
    line = body.line if isinstance(body, (YamlMap, YamlList)) else 1
    for step in path:
        inner = _inside(body, step)
        if inner is None:
            break
        line, body = inner
    return line


def _dotted(path: Sequence[str | int]) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").isalnum():
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step)}]"
    return text


def _compact(value: YamlValue) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _size(value: object) -> int:
    """How many values an object holds, counted no further than matters."""
    pending, count = [value], 0
    while pending and count <= LARGEST_COMPARED:
        current = pending.pop()
        count += 1
        if isinstance(current, Mapping):
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
    return count

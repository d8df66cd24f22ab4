"""Causes: which changed objects bear on a change, and which of their fields differ. The only user of DeepDiff, within bounds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from analyzers.model.manifest import Manifest, YamlList, YamlMap, YamlValue
from analyzers.model.metadata import GENERATED

LARGEST_COMPARED = 5_000
"""Values in an object above which its fields are not compared one by one."""

MOST_FIELDS = 20
"""Field changes listed for one object; what is above is folded into their common parent."""

_SHOWN = 80
"""Characters of a value shown in a cause."""

_TOWARDS_PODS = ("template", "jobTemplate", "spec", "metadata", "containers", "initContainers")
_POD_FIELDS = ("labels", "hostNetwork", "ports", "name")


class ChangeKind(StrEnum):
    """What happened to an object or a field."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs: `before` and `after` are compact JSON, cut to a readable length; `line` is of the file of `side`."""

    path: str
    kind: ChangeKind
    before: str | None
    after: str | None
    line: int
    side: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One changed object. `path` and `line` are in the revision named by `side` (`base` or `head`)."""

    object: str
    change: ChangeKind
    fields: tuple[FieldChange, ...]
    path: str
    line: int
    side: str


@dataclass(frozen=True, slots=True, eq=False)
class ChangedObject:
    """An object that differs between the revisions; None on the side that lacks it."""

    base: Manifest | None
    head: Manifest | None

    @property
    def present(self) -> Manifest:
        """The object as head has it, else as base had it."""
        manifest = self.head or self.base
        assert manifest is not None
        return manifest


def changed_objects(base: Iterable[Manifest], head: Iterable[Manifest]) -> list[ChangedObject]:
    """The objects that are only in one revision or whose documents differ, by identity (kind, namespace, name), in that order."""
    before, after = ({_identity(each): each for each in side} for side in (base, head))
    pairs = ((before.get(key), after.get(key)) for key in sorted({*before, *after}))
    return [ChangedObject(one, other) for one, other in pairs if one is None or other is None or one.body != other.body]


def cause_of(changed: ChangedObject) -> Cause:
    """The cause that one changed object is, with the fields that policy or the inventory reads and that differ."""
    base, head = changed.base, changed.head
    if base is None or head is None:
        kind, side, manifest = (ChangeKind.ADDED, "head", head) if base is None else (ChangeKind.REMOVED, "base", base)
        assert manifest is not None
        return Cause(manifest.title, kind, (), manifest.location.path, manifest.location.line, side)
    fields = tuple(_field_changes(base, head))
    first = fields[0] if fields else None
    side, line = (first.side, first.line) if first else ("head", head.location.line)
    path = (base if side == "base" else head).location.path
    return Cause(head.title, ChangeKind.MODIFIED, fields, path, line, side)


def _identity(manifest: Manifest) -> tuple[str, str, str, str, str, int]:
    # Objects that share a generated name stay apart by their place.
    place = (manifest.location.path, manifest.location.line) if manifest.name.endswith(GENERATED) else ("", 0)
    return (manifest.kind, manifest.group, manifest.namespace, manifest.name, *place)


def _field_changes(base: Manifest, head: Manifest) -> Iterator[FieldChange]:
    from deepdiff import DeepDiff  # imported here: half the start-up time of a run that finds no change

    before, after = _relevant(base.body), _relevant(head.body)
    if max(_size(before), _size(after)) > LARGEST_COMPARED:
        paths = [(key,) for key in {**before, **after} if before.get(key) != after.get(key)]
        yield from (_field_change(base, head, path, ChangeKind.MODIFIED) for path in paths)
        return
    found: list[FieldChange] = []
    for report, levels in DeepDiff(before, after, view="tree").items():
        kind = ChangeKind.ADDED if report.endswith("_added") else ChangeKind.REMOVED if report.endswith("_removed") else ChangeKind.MODIFIED
        found += [_field_change(base, head, tuple(level.path(output_format="list")), kind) for level in levels]
    yield from sorted(found, key=lambda each: (each.side == "base", each.line, each.path))[:MOST_FIELDS]


def _relevant(body: YamlMap) -> dict[str, Any]:
    """The parts of an object that the analysis reads: the labels, and the specification less what does not concern the network."""
    metadata = body.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, YamlMap) else None
    spec = body.get("spec")
    kept: dict[str, Any] = {"metadata": {"labels": labels}} if labels is not None and body.get("kind") in {"Namespace", "Pod"} else {}
    if isinstance(spec, YamlMap):
        kept["spec"] = _pod_view(spec) if "template" in spec or "jobTemplate" in spec or "containers" in spec else spec
    return kept


def _pod_view(value: YamlValue) -> Any:
    """A workload's specification less everything but pod labels, host network and container ports, lists kept at their positions."""
    if isinstance(value, YamlList):
        return [_pod_view(item) for item in value]
    if not isinstance(value, YamlMap):
        return value
    view: dict[str, Any] = {}
    for key, inner in value.items():
        if key in _TOWARDS_PODS:
            view[key] = _pod_view(inner)
        elif key in _POD_FIELDS:
            view[key] = inner
    return view


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

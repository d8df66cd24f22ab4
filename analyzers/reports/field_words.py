"""Changed fields in words: `namespaceSelector lost env: prod`, `ingress rule 2: port 80 → 8080`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from analyzers.impact.causation.causes import ChangeKind, FieldChange
from analyzers.reports.phrases import Name, Phrase, joined

_STEP = re.compile(r"""\.?([^.\[\]"]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]""")
_SELECTORS = ("podSelector", "namespaceSelector")
_DIRECTIONS = ("ingress", "egress")
_RULES = {ChangeKind.ADDED: "added", ChangeKind.REMOVED: "removed", ChangeKind.MODIFIED: "changed"}
_DONE = {ChangeKind.ADDED: "gained", ChangeKind.REMOVED: "lost", ChangeKind.MODIFIED: "changed"}

_WORDS = frozenset({"port", "endPort", "protocol", "hostNetwork"})
_SILENT = frozenset({"spec", "template", "jobTemplate", "from", "to", "ports", "matchExpressions"})

Step = str | int
Steps = Sequence[Step]


def field_in_words(change: FieldChange) -> Phrase:
    """What happened to one field of an object."""
    steps = _steps(change.path)
    rule, rest = _rule(steps)
    if not rest and rule is not None:
        return (f"{steps[1]} rule {_RULES[change.kind]}",)
    return (*((f"{rule}: ",) if rule else ()), *_event(rest, change))


def changes_labels_only(changes: Sequence[FieldChange]) -> bool:
    """Whether all that differs are the labels of an object or of its pods."""
    return bool(changes) and all(_labels_at(_steps(each.path)) == "label" for each in changes)


def _event(rest: Steps, change: FieldChange) -> Phrase:
    """What happened, without the rule that it happened in."""
    done, value = _DONE[change.kind], _read(change.after if change.kind is ChangeKind.ADDED else change.before)
    holder = _labels_at(rest)
    if holder:
        return _labels(holder, rest, change, value)
    last = next((step for step in reversed(rest) if isinstance(step, str)), "")
    if change.kind is ChangeKind.MODIFIED:
        return (*_what(rest), " ", _name(_read(change.before)), " → ", _name(_read(change.after)))
    if last in _SELECTORS:
        return (f"{done} {last} ", *_selector(value))
    words = _ITEMS.get(last)
    if _is_cut(value):
        return (f"{done} {words[0]}",) if words is not None and rest[-1] == last else (f"{done} ", *_what(rest))
    if words is not None and rest[-1] == last:
        noun, say = words
        whose = f"{_selector_of(rest)} " if last == "matchExpressions" else ""
        return (f"{whose}{done} {noun} ", *joined([say(each) for each in value] if isinstance(value, list) else [say(value)]))
    return (f"{done} ", *_what(rest), *((" ", _name(value)) if not isinstance(value, (dict, list)) else ()))


def _labels(holder: str, rest: Steps, change: FieldChange, value: Any) -> Phrase:
    """Labels of an object (`label`) or of a selector that change: one of them, or the whole map."""
    plain = holder == "label"
    if change.kind is ChangeKind.MODIFIED:
        before, after = _read(change.before), _read(change.after)
        shown = (_pairs(before), _pairs(after)) if isinstance(before, Mapping) else (f"{rest[-1]}: {_scalar(before)}", _scalar(after))
        return (*(() if plain else (f"{holder} ",)), Name(shown[0]), " → ", Name(shown[1]))
    pairs = value if isinstance(value, Mapping) else {str(rest[-1]): value}
    return ((f"{_DONE[change.kind]} label " if plain else f"{holder} {_DONE[change.kind]} "), Name(_pairs(pairs)))


def _pairs(labels: Any) -> str:
    if not isinstance(labels, Mapping):
        return _scalar(labels)
    return ", ".join(f"{key}: {_scalar(value)}" for key, value in labels.items()) or "{}"


def _labels_at(steps: Steps) -> str:
    """Whose labels a path leads to: the selector's name, `label` for those of an object, nothing for another field."""
    for depth in (1, 2):  # the whole map, or one label of it
        if len(steps) > depth and steps[-depth] == "matchLabels" and steps[-depth - 1] in _SELECTORS:
            return _selector_of(steps)
        if len(steps) > depth and tuple(steps[-depth - 1 : len(steps) - depth + 1]) == ("metadata", "labels"):
            return "label"
    return ""


def _selector_of(steps: Steps) -> str:
    """Which selector a path lies in; that of the policy itself is told from those of peers."""
    found = next((step for step in reversed(steps) if step in _SELECTORS), "selector")
    return f"its own {found}" if tuple(steps[:2]) == ("spec", "podSelector") else str(found)


def _rule(steps: Steps) -> tuple[str | None, Steps]:
    """The rule that a path lies in, in words (nothing for the first, which is the only one of most policies), and the path within it."""
    if len(steps) < 2 or steps[0] != "spec" or steps[1] not in _DIRECTIONS:
        return None, steps
    if len(steps) == 2 or not isinstance(steps[2], int):
        return "", ()
    return (f"{steps[1]} rule {steps[2] + 1}" if steps[2] else ""), steps[3:]


def _what(rest: Steps) -> Phrase:
    """The name of a field, less the steps that say nothing to a person."""
    named = [each for each in rest if isinstance(each, str)]
    kept = [each for each in named if each not in _SILENT][-2:]
    name = ".".join(kept or named) or "object"
    return (name if name in _WORDS else Name(name),)


def _selector(value: Any) -> Phrase:
    if not isinstance(value, Mapping):
        return (_name(value),)
    labels, expressions = value.get("matchLabels") or {}, value.get("matchExpressions") or []
    if not isinstance(labels, Mapping) or not isinstance(expressions, list):
        return (_name(value),)
    said: list[Phrase] = [(Name(f"{key}: {_scalar(inner)}"),) for key, inner in labels.items()]
    return joined(said + [_requirement(each) for each in expressions]) or ("of everything",)


def _requirement(value: Any) -> Phrase:
    if not isinstance(value, Mapping):
        return (_name(value),)
    values = value.get("values")
    listed = f" ({', '.join(map(_scalar, values))})" if isinstance(values, list) and values else ""
    return (Name(f"{_scalar(value.get('key'))} {_scalar(value.get('operator'))}{listed}"),)


def _peer(value: Any) -> Phrase:
    if not isinstance(value, Mapping):
        return (_name(value),)
    block = value.get("ipBlock")
    if isinstance(block, Mapping):
        return ("ipBlock ", Name(_scalar(block.get("cidr"))))
    return joined([(f"{each} ", *_selector(value[each])) for each in reversed(_SELECTORS) if each in value]) or (_name(value),)


def _port(value: Any) -> Phrase:
    if not isinstance(value, Mapping):
        return (_name(value),)
    last = f"-{_scalar(value['endPort'])}" if "endPort" in value else ""
    number = value.get("port", value.get("containerPort", "every port"))
    return (Name(f"{_scalar(value.get('protocol', 'TCP'))} {_scalar(number)}{last}"),)


def _plain(value: Any) -> Phrase:
    return (_name(value),)


_ITEMS = {
    "from": ("peer", _peer),
    "to": ("peer", _peer),
    "ports": ("port", _port),
    "policyTypes": ("policy type", _plain),
    "except": ("exception", _plain),
    "matchExpressions": ("requirement", _requirement),
}
"""Lists whose items people have a word for."""


def _name(value: Any) -> Name:
    return Name(_scalar(value))


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read(text: str | None) -> Any:
    """The value behind compact JSON; what was cut short stays text."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return text


def _is_cut(value: Any) -> bool:
    """Whether a value is the beginning of an object or a list that was too long: half of it tells nobody anything."""
    return isinstance(value, str) and value[:1] in ("{", "[") and value.endswith("…")


def _steps(path: str) -> tuple[Step, ...]:
    found = (match.groups() for match in _STEP.finditer(path))
    return tuple(int(index) if index else str(_read(quoted)) if quoted else name for name, index, quoted in found)

"""Values from parser events, with the line of every field.

PyYAML's C *loader* recurses without bound and accepts duplicate keys, self-references and alias bombs in silence. This builder takes the C
parser's events instead, so depth, size and aliases are under its control, and it builds what Kubernetes builds from the same text.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from analyzers.manifests.defects import Defect, Unparsable
from analyzers.manifests.document import Document
from analyzers.manifests.limits import Limits, NodeBudget
from analyzers.manifests.scalars import HINTS, NUMBER_HINTS, WORDS, Undecodable, key, plain, plain_key, tagged
from analyzers.model.manifest import YamlList, YamlMap, YamlValue

_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_IDENTITY: Final = frozenset({"apiVersion", "kind"})
_SPECIAL_KEYS: Final = WORDS | {"<<"}
_LONGEST_MESSAGE: Final = 300
"""Characters; keys and anchors are quoted from the input and may be of any length."""


class _Anchor(Struct):
    """What an alias stands for. `nodes` and `height` are its expanded size; it is `open` while its own content is being read."""

    line: int
    value: YamlValue = None
    nodes: int = 1
    height: int = 0
    open: bool = True


class Builder:
    """Builds one document from its events, which must be well formed. `events()` gives the next; its line 0 is the file's `first_line`."""

    __slots__ = ("_anchors", "_budget", "_defect", "_events", "_first_line", "_limits", "_peak")

    def __init__(self, events: Callable[[], Any], first_line: int, limits: Limits, budget: NodeBudget) -> None:
        self._events, self._first_line, self._limits, self._budget = events, first_line, limits, budget
        self._anchors: dict[str, _Anchor] = {}
        self._defect: Defect | None = None
        self._peak = 0

    def document(self) -> Document:
        """The document whose start event was taken last; takes its end event as well."""
        event = self._events()
        value = self._value(event, 1)
        self._events()
        return Document(value, self._line(event), self._defect)

    def _line(self, event: Any) -> int:
        return int(event.start_mark.line) + self._first_line

    def _fail(self, code: str, message: str, line: int, *, identity: bool = False) -> None:
        """Keep the first defect, and whether any of them leaves it open which kind of object this is."""
        if self._defect is None:
            self._defect = Defect(code, message[:_LONGEST_MESSAGE], line, identity)
        elif identity and not self._defect.identity:
            self._defect = replace(self._defect, identity=True)

    def _exhausted(self, event: Any) -> Unparsable:
        what = f"holds more than {self._budget.limit} values, aliases counted as what they stand for; the rest is left out"
        return Unparsable(Defect("limit-exceeded", what, self._line(event)))

    def _value(self, event: Any, depth: int) -> YamlValue:
        if event.__class__ is AliasEvent:
            return self._alias(event, depth)
        if event.anchor is not None:
            return self._anchored(event, depth)
        return self._scalar(event) if event.__class__ is ScalarEvent else self._collection(event, depth)

    def _anchored(self, event: Any, depth: int) -> YamlValue:
        """A value with an anchor, which an alias inside the value may name already."""
        anchor = self._anchors[event.anchor] = _Anchor(self._line(event))
        if event.__class__ is ScalarEvent:
            anchor.value = self._scalar(event)
        else:
            left, peak, self._peak = self._budget.left, self._peak, depth
            anchor.value = self._collection(event, depth)
            anchor.nodes, anchor.height = left - self._budget.left, self._peak - depth + 1
            self._peak = max(peak, self._peak)
        anchor.open = False
        return anchor.value

    def _alias(self, event: Any, depth: int) -> YamlValue:
        """The value that an alias stands for: the same object, counted as a copy."""
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            self._fail("syntax-error", f"alias *{event.anchor} has no anchor before it", self._line(event))
            return None
        if anchor.open:
            self._fail("cyclic-alias", f"alias *{event.anchor} stands inside its own anchor (line {anchor.line})", self._line(event))
            return None
        self._budget.left -= anchor.nodes
        if self._budget.left < 0:
            raise self._exhausted(event)
        self._reach(depth + anchor.height - 1, event)
        return anchor.value

    def _reach(self, depth: int, event: Any) -> None:
        if depth > self._limits.depth:
            raise Unparsable(Defect("limit-exceeded", f"nested deeper than {self._limits.depth} levels", self._line(event)))
        if depth > self._peak:
            self._peak = depth

    def _scalar(self, event: Any) -> YamlValue:
        self._budget.left -= 1
        text: str = event.value
        if event.tag is None:
            return plain(text) if event.implicit[0] and text[:1] in HINTS else text
        try:
            return tagged(text, event.tag)
        except Undecodable as error:
            self._fail("syntax-error", str(error), self._line(event))
            return text

    def _collection(self, event: Any, depth: int) -> YamlValue:
        self._budget.left -= 1
        self._reach(depth, event)
        return self._mapping(event, depth) if event.__class__ is MappingStartEvent else self._sequence(event, depth)

    # The two loops below see every value of every file, so they take the usual scalar, without anchor and tag, in line.

    def _sequence(self, start: Any, depth: int) -> YamlList:
        first_line, events, budget = self._first_line, self._events, self._budget
        items = YamlList(start.start_mark.line + first_line)
        lines = items.lines
        while (event := events()).__class__ is not SequenceEndEvent:
            lines.append(event.start_mark.line + first_line)
            if event.__class__ is ScalarEvent and event.anchor is None and event.tag is None:
                budget.left -= 1
                text = event.value
                items.append(plain(text) if event.implicit[0] and text[:1] in HINTS else text)
            else:
                items.append(self._value(event, depth + 1))
            if budget.left < 0:
                raise self._exhausted(event)
        return items

    def _mapping(self, start: Any, depth: int) -> YamlMap:
        first_line, events, budget = self._first_line, self._events, self._budget
        fields = YamlMap(start.start_mark.line + first_line)
        name: str | None
        value: YamlValue
        merged: set[str] | None = None
        while (event := events()).__class__ is not MappingEndEvent:
            line = event.start_mark.line + first_line
            if (
                event.__class__ is ScalarEvent
                and (text := event.value)[:1] not in NUMBER_HINTS
                and text not in _SPECIAL_KEYS
                and event.anchor is None
                and event.tag is None
            ):
                name = intern(text)
            elif _is_merge(event):
                merged = self._merge(fields, events(), line, depth, merged)
                continue
            else:
                name = self._key(event, depth)
            event = events()
            if event.__class__ is ScalarEvent and event.anchor is None and event.tag is None:
                budget.left -= 1
                text = event.value
                value = plain(text) if event.implicit[0] and text[:1] in HINTS else text
            else:
                value = self._value(event, depth + 1)
            if budget.left < 0:
                raise self._exhausted(event)
            if name in fields or name is None:
                self._put_again(fields, name, value, line, depth, merged)
            else:
                fields[name] = value
                fields.lines[name] = line
        return fields

    def _key(self, event: Any, depth: int) -> str | None:
        """The key as JSON has it; None, and a defect, where there is no such key."""
        value = self._value(event, depth + 1)
        try:
            if event.__class__ is ScalarEvent and event.tag is None and event.implicit[0]:
                return intern(plain_key(event.value))
            return intern(key(value))
        except Undecodable as error:
            self._fail("syntax-error", str(error), self._line(event))
            return None

    def _put_again(self, fields: YamlMap, name: str | None, value: YamlValue, line: int, depth: int, merged: set[str] | None) -> None:
        """Set a key that is already there: right if it came by a merge before, wrong if the same mapping spells it twice."""
        if name is None:
            return
        if merged is None or name not in merged:
            self._duplicate(name, fields.lines[name], line, depth)
            return
        merged.remove(name)
        fields[name] = value
        fields.lines[name] = line

    def _duplicate(self, name: str, first: int, line: int, depth: int) -> None:
        message = f"key {name!r} of line {first} stands here again"
        self._fail("duplicate-key", message, line, identity=depth == 1 and name in _IDENTITY)

    def _merge(self, fields: YamlMap, event: Any, line: int, depth: int, merged: set[str] | None) -> set[str]:
        """Take over the fields of the mappings under `<<`; of several, the first that has a key counts.

        Fields that stand before `<<` and in a merged mapping too are read either way by different programs, so they are duplicates.
        """
        value = self._value(event, depth + 1)
        sources = value if isinstance(value, YamlList) and event.__class__ is not AliasEvent else [value]
        if merged is not None:
            self._duplicate("<<", line, line, depth)
        taken: set[str] = set()
        for source in sources:
            if not isinstance(source, YamlMap):
                self._fail("syntax-error", "<< needs a mapping or a list of mappings", line, identity=depth == 1)
                continue
            for name in source:
                if name in taken:
                    continue
                if name in fields:
                    self._duplicate(name, fields.lines[name], line, depth)
                    continue
                fields[name] = source[name]
                fields.lines[name] = source.lines[name]
                taken.add(name)
        return taken | (merged or set())


def _is_merge(event: Any) -> bool:
    return event.__class__ is ScalarEvent and event.value == "<<" and (event.implicit[0] or event.tag == _MERGE_TAG)

"""Manifests: Kubernetes objects as read from a tree, with the line of every field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from analyzers.model.diagnostics import SourceLocation


class YamlMap(dict[str, "YamlValue"]):
    """A mapping that knows its lines: `line` is where it starts, `lines[key]` where the key stands (both from 1)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 0) -> None:
        self.line = line
        self.lines: dict[str, int] = {}


class YamlList(list["YamlValue"]):
    """A sequence that knows its lines: `line` is where it starts, `lines[i]` where item i starts (both from 1)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 0) -> None:
        self.line = line
        self.lines: list[int] = []


YamlValue = bool | int | float | str | YamlMap | YamlList | None


class Manifest(Struct, frozen=True, eq=False):
    """One Kubernetes object as written. `namespace` is what the document says ("" when it says none); `group` is "" for core kinds.

    `name` is `metadata.name`, or `metadata.generateName` followed by `*`. `location.line` is the line of the document's first key.
    """

    group: str
    version: str
    kind: str
    namespace: str
    name: str
    body: YamlMap
    location: SourceLocation

    @property
    def title(self) -> str:
        """How messages name the object: `NetworkPolicy shop/cart`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class InvalidObject(Exception):
    """The API server would reject this field. Caught once per object and turned into a diagnostic."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


class Field(Struct, frozen=True, eq=False):
    """A typed reader over one value of a manifest; every failure is an `InvalidObject` that names the field's path and line.

    A missing field and an explicit null read the same, as in the API. `place` is the path from the top of the document, or a field and the
    step from it to this one.
    """

    value: YamlValue
    place: str | tuple[Field, str | int]
    line: int

    @property
    def path(self) -> str:
        """Which field this is; put together when it is asked for, since few fields of few objects are wrong."""
        if isinstance(self.place, str):
            return self.place
        outer, step = self.place[0].path, self.place[1]
        if isinstance(step, int):
            return f"{outer}[{step}]"
        return f"{outer}.{step}" if outer else step

    def __bool__(self) -> bool:
        """Whether the field is present and not null (an empty list is present)."""
        return self.value is not None

    def fail(self, problem: str) -> InvalidObject:
        """The exception that says what is wrong with this field."""
        return InvalidObject(f"{self.path or 'document'}: {problem}", self.line)

    def _mapping(self) -> YamlMap:
        if self.value is None:
            return YamlMap(self.line)
        if not isinstance(self.value, YamlMap):
            raise self.fail(f"must be an object, not {_type_name(self.value)}")
        return self.value

    def __getitem__(self, key: str) -> Field:
        """The field `key` of this object."""
        value = self.value
        if value is None:
            return Field(None, (self, key), self.line)
        mapping = value if isinstance(value, YamlMap) else self._mapping()
        return Field(mapping.get(key), (self, key), mapping.lines.get(key, self.line))

    def fields(self) -> Iterable[tuple[str, Field]]:
        """Each field of this object."""
        return () if self.value is None else [(key, self[key]) for key in self._mapping()]

    def others(self, known: Collection[str]) -> Iterable[Field]:
        """The fields of this object that are not among those known."""
        return () if self.value is None else [self[key] for key in self._mapping() if key not in known]

    def only(self, *known: str) -> None:
        """Refuse fields of this object that are not known, where a misspelt one must not be passed over."""
        for inner in self.others(known):
            raise inner.fail(f"there is no such field; known are {', '.join(known)}")

    def items(self) -> Iterator[Field]:
        """Each item of this list; nothing when it is missing."""
        if self.value is None:
            return
        if not isinstance(self.value, YamlList):
            raise self.fail(f"must be a list, not {_type_name(self.value)}")
        for index, item in enumerate(self.value):
            yield Field(item, (self, index), self.value.lines[index])

    def text(self, default: str | None = None) -> str:
        """The string; `default` when missing."""
        if self.value is None:
            if default is None:
                raise self.fail("is required")
            return default
        if not isinstance(self.value, str):
            raise self.fail(f"must be a string, not {_type_name(self.value)} (quote it: {_shown(self.value)})")
        return self.value

    def flag(self) -> bool:
        """The boolean; false when missing."""
        if self.value is None:
            return False
        if not isinstance(self.value, bool):
            raise self.fail(f"must be true or false, not {_type_name(self.value)}")
        return self.value

    def number(self) -> int:
        """The integer."""
        if self.value is None:
            raise self.fail("is required")
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.fail(f"must be an integer, not {_type_name(self.value)}")
        return self.value

    def is_text(self) -> bool:
        """Whether the value is a string (an IntOrString that holds a name)."""
        return isinstance(self.value, str)


def root(manifest: Manifest) -> Field:
    """The reader over a whole manifest."""
    return Field(manifest.body, "", manifest.location.line)


def _type_name(value: YamlValue) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, YamlList) else "an object"


def _shown(value: YamlValue) -> str:
    """A short rendering of a scalar, so that the message shows what YAML made of it."""
    if isinstance(value, bool):
        return f"YAML reads it as {'true' if value else 'false'}"
    if isinstance(value, (int, float)):
        return f"YAML reads it as {value}"
    return "it is not a scalar"

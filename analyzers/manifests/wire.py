"""Values as bytes and back: plain JSON, so that reading what was kept runs no code but constructors, and costs little.

The shape follows the types, so it carries whatever they gain: a struct is a list of its fields (`array_like`), led by its name where it is
a member of a union (`tag`). Whoever keeps values must forget them when the code that makes them changes.
"""

from __future__ import annotations

from functools import cached_property
from typing import Generic, TypeVar

from msgspec import DecodeError, json

from analyzers.manifests.shelf import FileReading
from analyzers.model.records import ObjectRecord

Value = TypeVar("Value")


class Wire(Generic[Value]):
    """Writes and reads values of one type. What is needed for it is made when the first value is read."""

    def __init__(self, of: type[Value]) -> None:
        self._of = of

    def encode(self, value: Value) -> bytes:
        """The bytes of a value. Raises ValueError for one that holds a text that is no Unicode: half a surrogate pair."""
        return json.encode(value)

    def decode(self, data: bytes) -> Value:
        """The value. Raises ValueError for bytes that `encode` did not write."""
        try:
            return self._decoder.decode(data)
        except DecodeError as error:
            raise ValueError(str(error)) from error

    @cached_property
    def _decoder(self) -> json.Decoder[Value]:
        return json.Decoder(self._of)


READINGS = Wire(FileReading[ObjectRecord])

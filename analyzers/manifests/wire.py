"""Readings as bytes and back: plain JSON lists, so that reading a kept one runs no code and costs little.

The shape follows the types of the records (`plain.py`), so it carries whatever they gain. Whoever keeps readings must forget them when the
code that makes them changes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from analyzers.manifests.plain import Codec, Convert, from_bytes, to_bytes
from analyzers.manifests.shelf import FileReading
from analyzers.model.cluster import PodShape
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.policy import Peer, PodPeer, PortMatch
from analyzers.model.records import ObjectRecord

_SHARED = (Peer, PodPeer, PortMatch, PodShape)


class _Shape:
    """The codecs of what a reading holds; made once, when the first reading is kept or recalled."""

    def __init__(self) -> None:
        codec = Codec(_SHARED)
        self.write_records, self.read_records = _both(codec, tuple[ObjectRecord, ...])
        self.write_notes, self.read_notes = _both(codec, tuple[Diagnostic, ...])


def _both(codec: Codec, of: Any) -> tuple[Convert, Convert]:
    return codec.writer(of), codec.reader(of)


@cache
def _shape() -> _Shape:
    return _Shape()


def encode(reading: FileReading[ObjectRecord]) -> bytes:
    """The bytes of a reading of one file. Raises ValueError for one that holds a text that is no Unicode."""
    shape = _shape()
    found, notes = shape.write_records(reading.found), shape.write_notes(reading.diagnostics)
    return to_bytes([found, notes, reading.template_line, reading.nodes, reading.size])


def decode(data: bytes) -> FileReading[ObjectRecord]:
    """The reading. Raises ValueError, KeyError, TypeError or IndexError for bytes that `encode` did not write."""
    shape = _shape()
    found, notes, template_line, nodes, size = from_bytes(data)
    return FileReading(shape.read_records(found), shape.read_notes(notes), template_line, nodes, size)

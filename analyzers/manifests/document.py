"""One document, as values with the line of every field."""

from __future__ import annotations

from msgspec import Struct

from analyzers.manifests.defects import Defect
from analyzers.model.manifest import YamlValue


class Document(Struct, frozen=True):
    """One document: its value, its first line, and the first defect that did not keep it from being read to its end."""

    value: YamlValue
    line: int
    defect: Defect | None

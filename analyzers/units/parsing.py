"""From the text of a file to its mappings, within caps. What cannot be read is told, and never guessed at."""

from __future__ import annotations

from typing import Final

from analyzers.manifests.defects import Defect, Unparsable
from analyzers.manifests.documents import read_documents
from analyzers.manifests.limits import Limits, NodeBudget
from analyzers.manifests.source import chunks, decode
from analyzers.model.manifest import YamlMap

_LIMITS: Final = Limits(depth=40, nodes=200_000, documents=1_000)


def mappings(data: bytes) -> tuple[YamlMap, ...]:
    """Every mapping of a file, with lines. Raises `Unparsable` where a part cannot be read."""
    if len(data) > _LIMITS.file_bytes:
        raise Unparsable(Defect("limit-exceeded", f"larger than {_LIMITS.file_bytes} bytes", 1))
    budget, found = NodeBudget(_LIMITS.nodes), []
    for number, chunk in enumerate(chunks(decode(data))):
        if number == _LIMITS.documents:
            raise Unparsable(Defect("limit-exceeded", f"more than {_LIMITS.documents} documents", chunk.line))
        for document in read_documents(chunk, _LIMITS, budget):
            if document.defect is not None:
                raise Unparsable(document.defect)
            if isinstance(document.value, YamlMap):
                found.append(document.value)
    return tuple(found)


def first_line(body: YamlMap) -> int:
    """The line of the first field of a mapping."""
    return min(body.lines.values(), default=body.line)

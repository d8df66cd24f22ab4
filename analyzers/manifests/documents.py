"""The documents of a piece of text, be it YAML or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.manifests.block_style import read_block_style
from analyzers.manifests.document import Document
from analyzers.manifests.limits import Limits, NodeBudget
from analyzers.manifests.source import Chunk


def read_documents(chunk: Chunk, limits: Limits, budget: NodeBudget) -> Iterator[Document]:
    """The documents of a chunk, as a stream: one, but for odd line breaks. `Unparsable` when it is no YAML or JSON, or exceeds a cap."""
    plain = read_block_style(chunk, limits, budget)
    if plain is not None:
        return iter((plain,))
    from analyzers.manifests.any_style import read_any_style  # imported here: PyYAML takes as long to load as a small change to read

    return read_any_style(chunk, limits, budget)

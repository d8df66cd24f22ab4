"""Answers: what a comparison of two commits printed, kept so that the same question costs next to nothing.

Everything that an answer depends on is part of its name: what both commits hold, how they are called, the options, the programs that
render, the libraries that are installed, and the code. Answers that are incomplete are not kept, since what was missing may be there the
next time; nor are those that depend on more than the repository, as inventories do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from msgspec import DecodeError, Struct, json

from service.analysis.programs import tools
from service.checkout import GitTree
from service.kept_entries import KeptEntries
from service.local.options import Shared
from service.local.revisions import Side
from service.own_code import digest_of_analysis, digest_of_reports, installed

MOST_KEPT: Final = 2 * 2**20
"""Characters of a report that is kept."""


class Answer(Struct, frozen=True, array_like=True):
    """A report as printed, what was remarked on stderr beside it, and whether any flow changes."""

    text: str
    remarks: tuple[str, ...]
    differs: bool


class Answers:
    """The answers to one question, of which there is one at most."""

    def __init__(self, entries: KeptEntries, name: bytes) -> None:
        self._entries, self._name = entries, name

    @staticmethod
    def to(entries: KeptEntries | None, sides: tuple[Side, Side], shared: Shared) -> Answers | None:
        """The answers to what changes between two sides; None where they cannot be told by name. Raises `AnalysisError`."""
        trees = [side.tree for side in sides]
        if entries is None or shared.inventories or not all(isinstance(tree, GitTree) for tree in trees):
            return None
        options = shared.format_name, shared.host_network, sorted(shared.namespaces), shared.cluster
        held = [(tree.name, side.revision) for tree, side in zip(trees, sides, strict=True) if isinstance(tree, GitTree)]
        asked = f"{held!r} {options!r} {tools()!r} {installed()} {digest_of_analysis()} {digest_of_reports()}"
        return Answers(entries, hashlib.blake2b(asked.encode("utf-8", "surrogateescape"), digest_size=20, person=b"answer").digest())

    def recall(self) -> Answer | None:
        """The answer that is kept and believed."""
        content = self._entries.recall([self._name]).get(self._name)
        try:
            return json.decode(content, type=Answer) if content is not None else None
        except DecodeError:
            return None  # what another program wrote

    def keep(self, answer: Answer) -> None:
        """Keep an answer."""
        with suppress(UnicodeEncodeError):  # the name of a branch that is no Unicode
            self._entries.keep([(self._name, json.encode(answer))])


class Copied:
    """Passes a text on and keeps a copy of it, up to `MOST_KEPT` characters: `text` is None where there were more, or it was not read to
    its end."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = chunks
        self.text: str | None = None

    def __iter__(self) -> Iterator[str]:
        copy: list[str] = []
        length = 0
        for chunk in self._chunks:
            length += len(chunk)
            if length <= MOST_KEPT:
                copy.append(chunk)
            else:
                copy.clear()
            yield chunk
        self.text = "".join(copy) if length <= MOST_KEPT else None

"""Undoing part of a change: head with some documents as base has them, and what is left of each pair's change."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tests.oracle.evaluator import Cell, End
from tests.oracle.reading import ADMIN_GROUP, Document, group_kind, namespace_of
from tests.oracle.tables import Name, Revision, difference, match

NO_MATTER = {"example.com"}
"""API groups whose kinds look as if they decided something."""


def title(document: Document) -> str:
    """How a report names the object that a document describes; one that decides nothing has its group beside its kind."""
    (group, kind), name = group_kind(document), document["metadata"]["name"]
    if group in NO_MATTER:
        kind = f"{kind}.{group}"
    return f"{kind} {name}" if kind == "Namespace" or group == ADMIN_GROUP else f"{kind} {namespace_of(document)}/{name}"


def changed(base: Iterable[Document], head: Iterable[Document]) -> list[str]:
    """The titles of the objects that differ."""
    before, after = ({title(document): document for document in documents} for documents in (base, head))
    return [each for each in sorted({*before, *after}) if before.get(each) != after.get(each)]


def mixed(base: Iterable[Document], head: Iterable[Document], undone: Collection[str]) -> list[Document]:
    """Head, with some objects as base has them."""
    return [*(d for d in head if title(d) not in undone), *(d for d in base if title(d) in undone)]


def left(base: Revision, other: Revision, source: Name, destination: Name) -> int:
    """The points at which the answers for a pair of ends differ between two revisions."""
    sources, destinations = (_matched(base, other, end) for end in (source, destination))
    cells: list[tuple[Cell, Cell]] = [(base.cell(s[0], d[0]), other.cell(s[1], d[1])) for s in sources for d in destinations]
    found = difference(cells)
    return found.opened | found.closed | found.may


def _matched(base: Revision, other: Revision, end: Name) -> list[tuple[End | None, End | None]]:
    if not isinstance(end, str):
        return [(end, end)]
    return match(base.cluster.workloads.get(end, ()), other.cluster.workloads.get(end, ()))

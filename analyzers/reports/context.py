"""What a report is rendered for: links, filters and limits. Reports read no files and know no forge."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from analyzers.model.diagnostics import SourceLocation
from analyzers.reports.phrases import Phrase

Link = Callable[[str, SourceLocation], str | None]
"""The URL of a line in `base` or `head`; None where there is none."""


def no_link(side: str, location: SourceLocation) -> str | None:
    """Lines of folders have no URL."""
    return None


class Context(Struct, frozen=True):
    """How to render. `namespaces` filters the rows shown by either end; `budget` caps markdown, in characters; `note` is Markdown that the
    comment shows under its headline (a merge conflict, say); `report_url` is where the full report can be read; `seconds` is how long the
    analysis took; `heading` is what the first line begins with, in place of the name of the product."""

    namespaces: frozenset[str] = frozenset()
    link: Link = no_link
    budget: int = 60_000
    note: str = ""
    report_url: str | None = None
    seconds: float | None = None
    heading: Phrase = ()

    def shows(self, *endpoint_ids: str) -> bool:
        """Whether the filter lets a row with these ends through. The namespace of an endpoint is what stands before the slash."""
        return not self.namespaces or any(each.partition("/")[0] in self.namespaces for each in endpoint_ids if each.endswith("]"))

"""The options that the analysis commands share, as given."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct


class Shared(Struct, frozen=True):
    """The options, as given."""

    format_name: str
    output: Path | None
    host_network: str
    namespaces: tuple[str, ...]
    no_cache: bool
    strict: bool
    quiet: bool
    cluster: str | None = None
    inventories: tuple[str, ...] = ()

    @property
    def remarks(self) -> bool:
        """Whether stderr says what could not be analysed: the text does so itself."""
        return not self.quiet and (self.output is not None or self.format_name != "text")

    @property
    def cache_folder(self) -> Path | None:
        """Where what is kept between runs is, by the XDG rule; None where nothing is, as for a user without a home."""
        if self.no_cache:
            return None
        chosen = os.environ.get("XDG_CACHE_HOME", "")
        if chosen.startswith("/"):
            return Path(chosen) / "flowdelta"
        try:
            return Path.home() / ".cache" / "flowdelta"
        except RuntimeError:
            return None

"""What is analysed, by name."""

from __future__ import annotations

from msgspec import Struct


class Revision(Struct, frozen=True):
    """What was analysed: `label` is what a person calls it (a branch, a folder); `commit` is the full commit id where there is one."""

    label: str
    commit: str | None = None

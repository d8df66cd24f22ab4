"""Forges: one file each behind one port. `RECEIVERS` and `connect` are the whole registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.forges.github_events import GITHUB
from service.forges.port import Forge, Receiver

if TYPE_CHECKING:
    from service.settings import Settings

RECEIVERS: tuple[Receiver, ...] = (GITHUB,)


def connect(settings: Settings) -> Forge:
    """The forge that the settings name."""
    from service.forges.github import GitHub

    return GitHub.from_settings(settings)

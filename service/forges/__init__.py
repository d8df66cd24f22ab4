"""Forges: one file each behind one port. `connect` is the whole registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.forges.port import Forge, Receiver

if TYPE_CHECKING:
    from service.settings import ForgeSettings, Settings


@dataclass(frozen=True, slots=True)
class Connected:
    """One forge of the settings: what asks it, and what reads its deliveries, which come to /webhooks/<its name>."""

    settings: ForgeSettings
    forge: Forge
    receiver: Receiver


def connect(settings: Settings) -> Mapping[str, Connected]:
    """Every forge that the settings name, by name. Nothing is asked yet. Raises `SettingsError` for a key or a secret that is none."""
    return {known.name: Connected(known, *_built(known, settings)) for known in settings.forges}


def _built(known: ForgeSettings, settings: Settings) -> tuple[Forge, Receiver]:
    # Each client is imported where it is used: a service of one forge does not pay for the others.
    if known.kind == "github":
        from service.forges.github import GitHub
        from service.forges.github_events import GitHubReceiver

        return GitHub.from_settings(known, settings), GitHubReceiver(known.webhook_secrets)
    if known.kind == "gitlab":
        from service.forges.gitlab import GitLab
        from service.forges.gitlab_events import GitLabReceiver

        return GitLab.from_settings(known, settings), GitLabReceiver(known.webhook_secrets, known.variable)
    from service.forges.gitea import Gitea
    from service.forges.gitea_events import GiteaReceiver

    return Gitea.from_settings(known, settings), GiteaReceiver(known.kind, known.webhook_secrets)

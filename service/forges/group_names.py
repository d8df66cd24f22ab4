"""Names of groups as people write them in guardrails, before they become part of a request."""

from __future__ import annotations

import re
from collections.abc import Collection

from service.forges.port import ForgeError

_PART = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}")


def team_of(repository: str, group: str) -> tuple[str, str]:
    """Owner and name of a team, `owner/team` or the `team` of the repository's owner, in lower case. Raises `ForgeError`."""
    owner, _, name = group.rpartition("/")
    parts = (owner or repository.partition("/")[0], name)
    if not all(_PART.fullmatch(part) for part in parts):
        raise ForgeError("a group is no team: it is written owner/team, or team", retry=False)
    return parts[0].lower(), parts[1].lower()


def teams_of_owner(repository: str, groups: Collection[str]) -> list[str]:
    """The names of those teams that belong to the repository's owner, each once; no other can be asked for a review."""
    owner = repository.partition("/")[0].lower()
    return list(dict.fromkeys(name for holder, name in (team_of(repository, group) for group in groups) if holder == owner))

"""Teams of an organisation on Gitea: who is in one, and asking one for a review."""

from __future__ import annotations

from collections.abc import Collection

from service.forges.connection import Refused
from service.forges.gitea_api import GiteaApi
from service.forges.port import ForgeError


def members(api: GiteaApi, owner: str, team: str, wanted: Collection[str]) -> frozenset[str]:
    """Those of the ids that are in a team now. Raises `ForgeError` for a team that is not shown."""
    number = _number(api, owner, team)
    found: set[str] = set()
    for member in api.members(number):
        found.add(str(int(member["id"])))
        if found.issuperset(wanted):
            break
    return frozenset(wanted) & found


def request(api: GiteaApi, repository: str, number: int, teams: Collection[str]) -> None:
    """Ask teams for a review that were never asked on this pull request: one that answered, or that someone took off the list, is left
    alone."""
    requests = (event for event in api.timeline(repository, number) if event["type"] == "review_request")
    asked = {str(event["assignee_team"]["name"]).lower() for event in requests if event.get("assignee_team")}
    if missing := [team for team in teams if team not in asked]:
        api.post(repository, f"pulls/{number}/requested_reviewers", {"team_reviewers": missing})


def _number(api: GiteaApi, owner: str, team: str) -> int:
    """The id of a team; Gitea ignores case in names."""
    try:
        found = next((int(each["id"]) for each in api.teams(owner) if str(each["name"]).lower() == team), None)
    except Refused as refused:
        if refused.status != 404:
            raise
        found = None
    if found is None:
        raise ForgeError(f"Gitea shows no team {owner}/{team} to the account of the token", retry=False)
    return found

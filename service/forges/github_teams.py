"""Teams of an organisation on GitHub: who is in one, and asking one for a review."""

from __future__ import annotations

from collections.abc import Collection

from github.GithubException import GithubException
from github.Repository import Repository

from service.forges.github_errors import is_missing
from service.forges.github_pages import items
from service.forges.port import ForgeError


def members(known: Repository, owner: str, team: str, wanted: Collection[str]) -> frozenset[str]:
    """Those of the ids that are in a team now, or in one below it, as GitHub counts; an invitation that is not accepted is no membership.

    The whole list is read, because it holds ids and one answer tells a team that is not there from one that someone is not in.
    """
    found: set[str] = set()
    try:
        for member in items(known.requester, f"/orgs/{owner}/teams/{team}/members"):
            found.add(str(member["id"]))
            if found.issuperset(wanted):
                break
    except GithubException as error:
        if is_missing(error):
            raise ForgeError(
                f"GitHub shows no team {owner}/{team}; it needs the right to read the organisation's members", retry=False
            ) from None
        raise
    return frozenset(wanted) & found


def request(known: Repository, number: int, teams: Collection[str]) -> None:
    """Ask teams for a review that were never asked on this pull request: one that answered, or that someone took off the list, is left
    alone."""
    events = items(known.requester, f"{known.url}/issues/{number}/events")
    asked = {
        event["requested_team"]["slug"].lower() for event in events if event["event"] == "review_requested" and event.get("requested_team")
    }
    if missing := [team for team in teams if team not in asked]:
        known.requester.requestJsonAndCheck("POST", f"{known.url}/pulls/{number}/requested_reviewers", input={"team_reviewers": missing})

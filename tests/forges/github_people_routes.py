"""The calls of GitHub's REST API that are about people: whose commits and pushes, whose reviews, who is in a team; and labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from tests.forges import github_resources as give
from tests.forges.answering import Answer
from tests.forges.github_routes import REPOSITORY, Route, page, pull_of, repository_of, shown_pull
from tests.forges.github_state import BOT, BOT_ID, Call, Commit, Pull, Push, Refused, Repository, Review, Signed

if TYPE_CHECKING:
    from tests.forges.github_fake import GitHubFake

_LABEL_IDS = 9_000_000


def _compare(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    """GitHub compares two commits that it knows, page after page; it counts all of them on each."""
    repository = repository_of(fake, where)
    base, _, head = where["basehead"].partition("...")
    pull = next((pull for pull in repository.pulls.values() if pull.head_sha == head), None)
    if pull is None or base not in repository.branches.values():
        raise Refused(404, "Not Found")
    _, shown, link = page(fake, call, where, pull.commits, lambda commit: _commit(fake, repository, commit))
    nobody = Signed("Alice", "alice@work.example")
    bottom = _commit(fake, repository, Commit(base, nobody, nobody))
    url = f"{fake.url}/repos/{repository.name}/compare/{where['basehead']}"
    links = dict.fromkeys(("url", "html_url", "permalink_url", "diff_url", "patch_url"), url)
    counts = {"ahead_by": len(pull.commits), "behind_by": 0, "total_commits": len(pull.commits)}
    return 200, {**links, **counts, "base_commit": bottom, "merge_base_commit": bottom, "status": "ahead", "commits": shown}, link


def _commit(fake: GitHubFake, repository: Repository, commit: Commit) -> give.Resource:
    url = f"{fake.url}/repos/{repository.name}/commits/{commit.sha}"
    written = {
        **{role: {"name": signed.name, "email": signed.email, "date": give.WHEN} for role, signed in _roles(commit)},
        "comment_count": 0,
        "message": commit.message,
        "tree": {"sha": "d" * 40, "url": url},
        "url": url,
    }
    accounts = {role: fake.author(signed.user) for role, signed in _roles(commit)}
    links = dict.fromkeys(("url", "html_url", "comments_url"), url)
    return {**links, "sha": commit.sha, "node_id": f"C_{commit.sha}", "commit": written, **accounts, "parents": []}


def _roles(commit: Commit) -> list[tuple[str, Signed]]:
    return [("author", commit.author), ("committer", commit.committer)]


def _activity(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    """The newest first. GitHub pages it by cursors, not by numbers."""
    every = [push for push in reversed(repository_of(fake, where).pushes) if push.ref == where.get("ref", push.ref)]
    size, start = min(100, int(where.get("per_page", "30"))), int(where.get("after", "0"))
    query = urlencode({**{name: where[name] for name in call.query}, "after": start + size})
    link = {"Link": f'<{fake.url}{call.path}?{query}>; rel="next"'} if start + size < len(every) else {}
    return 200, [_push(fake, push) for push in every[start : start + size]], link


def _push(fake: GitHubFake, push: Push) -> give.Resource:
    ends = {"before": push.before, "after": push.after, "ref": push.ref, "timestamp": give.WHEN}
    return {"id": 1, "node_id": "PSH_1", **ends, "activity_type": push.kind, "actor": fake.author(push.actor)}


def _members(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    team = fake.teams.get(f"{where['org']}/{where['team']}")
    if team is None:
        raise Refused(404, "Not Found")
    return page(fake, call, where, team, lambda member: give.user(fake.url, *member))


def _reviews(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository, pull = pull_of(fake, where)
    return page(fake, call, where, pull.reviews, lambda review: _review(fake, repository, pull, review))


def _review(fake: GitHubFake, repository: Repository, pull: Pull, review: Review) -> give.Resource:
    url = f"{fake.url}/repos/{repository.name}/pulls/{pull.number}"
    known = {"id": review.number, "node_id": f"PRR_{review.number}", "body": "", "state": review.state, "commit_id": review.commit}
    links = {"html_url": url, "pull_request_url": url, "_links": {"html": {"href": url}, "pull_request": {"href": url}}}
    return {**known, **links, "user": fake.author(review.user), "submitted_at": give.WHEN, "author_association": "MEMBER"}


def _ask(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    """A team of the owner that may see the repository; a second time is a second event."""
    repository, pull = pull_of(fake, where)
    for team in call.body["team_reviewers"]:
        if f"{where['owner']}/{team}" not in fake.teams:
            raise Refused(422, "Reviews may only be requested from collaborators.")
        pull.asked.append(team)
    return 201, {**shown_pull(fake, repository, pull), **_SIMPLE}, {}


_SIMPLE: dict[str, Any] = {"assignees": [], "requested_reviewers": [], "requested_teams": []}


def _events(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    """What happened to a pull request: labels, and teams that were asked for a review."""
    repository, pull = pull_of(fake, where)
    url, us = f"{fake.url}/repos/{repository.name}/issues/events/1", give.user(fake.url, BOT, BOT_ID)
    known = {"id": 1, "node_id": "E_1", "url": url, "actor": us, "commit_id": None, "commit_url": None, "created_at": give.WHEN}
    known["performed_via_github_app"] = None
    every: list[give.Resource] = [{**known, "event": "labeled", "label": {"name": name, "color": "ededed"}} for name in pull.labels]
    for team in pull.asked:
        every.append({**known, "event": "review_requested", "review_requester": us, "requested_team": _team(fake, where["owner"], team)})
    return page(fake, call, where, every, lambda event: event)


def _team(fake: GitHubFake, owner: str, team: str) -> give.Resource:
    url = f"{fake.url}/orgs/{owner}/teams/{team}"
    links = dict.fromkeys(("url", "html_url", "members_url", "repositories_url"), url)
    known = {"id": 1, "node_id": "T_1", "name": team.title(), "slug": team, "description": None, "permission": "pull", "parent": None}
    return {**links, **known, "type": "organization", "organization_id": 1}


def _labels(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    _, pull = pull_of(fake, where)
    return page(fake, call, where, pull.labels, lambda name: _label(fake, name))


def _add_labels(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    _, pull = pull_of(fake, where)
    shown = {name.lower() for name in pull.labels}
    pull.labels += [name for name in call.body["labels"] if name.lower() not in shown]
    return 200, [_label(fake, name) for name in pull.labels], {}


def _remove_label(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    _, pull = pull_of(fake, where)
    name = unquote(where["name"]).lower()
    if name not in {label.lower() for label in pull.labels}:
        raise Refused(404, "Label does not exist")
    pull.labels = [label for label in pull.labels if label.lower() != name]
    return 200, [_label(fake, name) for name in pull.labels], {}


def _label(fake: GitHubFake, name: str) -> give.Resource:
    known = {"id": _LABEL_IDS, "node_id": "LA_1", "url": f"{fake.url}/labels", "name": name}
    return {**known, "description": None, "color": "ededed", "default": False}


PEOPLE_ROUTES: list[tuple[str, re.Pattern[str], Route]] = [
    ("GET", re.compile(REPOSITORY + "/compare/(?P<basehead>[^/]+)"), _compare),
    ("GET", re.compile(REPOSITORY + "/activity"), _activity),
    ("GET", re.compile("/orgs/(?P<org>[^/]+)/teams/(?P<team>[^/]+)/members"), _members),
    ("GET", re.compile(REPOSITORY + r"/pulls/(?P<number>\d+)/reviews"), _reviews),
    ("POST", re.compile(REPOSITORY + r"/pulls/(?P<number>\d+)/requested_reviewers"), _ask),
    ("GET", re.compile(REPOSITORY + r"/issues/(?P<number>\d+)/events"), _events),
    ("GET", re.compile(REPOSITORY + r"/issues/(?P<number>\d+)/labels"), _labels),
    ("POST", re.compile(REPOSITORY + r"/issues/(?P<number>\d+)/labels"), _add_labels),
    ("DELETE", re.compile(REPOSITORY + r"/issues/(?P<number>\d+)/labels/(?P<name>[^/]+)"), _remove_label),
]

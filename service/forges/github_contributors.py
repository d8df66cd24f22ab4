"""Who had a hand in a pull request on GitHub: by its commits, and by the pushes to its branch.

The list of a pull request's commits ends at 250, so the two ends are compared, which GitHub does for up to 10,000 commits.
https://docs.github.com/en/rest/commits/commits#compare-two-commits
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from github.GithubException import GithubException
from github.Repository import Repository

from service.forges.git_names import branch_ref, commit_id
from service.forges.github_errors import is_limited
from service.forges.github_pages import items, pages
from service.forges.port import Contributors, ForgeError
from service.forges.signers import Signer, co_authors, contributors

_MOST = 10_000
# GitHub itself commits what people do on its pages; they are the authors of it.
_GITHUB = "web-flow"

Json = Mapping[str, Any]


def find(known: Repository, number: int, given_out: Callable[[str], str]) -> Contributors:
    """See `Forge.contributors`. `given_out` reads the id from an email that GitHub gave to an account."""
    _, pull = known.requester.requestJsonAndCheck("GET", f"{known.url}/pulls/{number}")
    tip = known.get_git_ref(branch_ref(pull["base"]["ref"]).removeprefix("refs/")).object.sha
    commits = _commits(known, commit_id(tip), commit_id(pull["head"]["sha"]))
    pushers = set(_pushers(known, pull, {commit["sha"] for commit in commits}))
    return contributors((signer for commit in commits for signer in _signers(commit)), pushers, given_out)


def _commits(known: Repository, base: str, head: str) -> list[Json]:
    """Every commit of `head` that `base` has not."""
    found: list[Json] = []
    total = 0
    for page in pages(known.requester, f"{known.url}/compare/{base}...{head}"):
        total = int(page["total_commits"])
        if total > _MOST:
            raise ForgeError(
                f"the pull request has {total} commits; GitHub lists {_MOST} at most, so not all contributors are known", retry=False
            )
        found += page["commits"]
    if len(found) != total:
        raise ForgeError(f"GitHub listed {len(found)} of {total} commits", retry=True)
    return found


def _signers(commit: Json) -> Iterator[Signer]:
    written = commit["commit"]
    yield _signer(written["author"], commit["author"])
    if (commit["committer"] or {}).get("login") != _GITHUB:
        yield _signer(written["committer"], commit["committer"])
    yield from co_authors(written["message"])


def _signer(written: Json | None, account: Json | None) -> Signer:
    """Whom git names, and whom GitHub takes them for: null or an empty object where it knows nobody."""
    names = written or {}
    return Signer(str(names.get("email") or ""), str(names.get("name") or ""), str((account or {}).get("id") or ""))


def _pushers(known: Repository, pull: Json, commits: set[str]) -> Iterator[str]:
    """Who pushed to the branch, back to the push before which it held nothing of the pull request: a long-lived branch was pushed to
    by many who have no hand in this. The branch of a fork that may not be seen tells nothing."""
    head = pull["head"]
    if head["repo"] is None:
        return
    try:
        for push in items(known.requester, f"/repos/{quote(head['repo']['full_name'])}/activity", ref=f"refs/heads/{head['ref']}"):
            if push["actor"] is not None:
                yield str(push["actor"]["id"])
            if push["activity_type"] != "force_push" and push["before"] not in commits:
                return
    except GithubException as error:
        foreign = head["repo"]["id"] != pull["base"]["repo"]["id"]
        if not foreign or error.status not in (403, 404) or is_limited(error):
            raise

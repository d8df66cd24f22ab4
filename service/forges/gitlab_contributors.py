"""Who had a hand in a merge request on GitLab: by its commits, by its notes of pushes, and by what GraphQL knows of the emails.

The REST API gives a commit's emails and no account, and tells only an administrator whose an email is. GraphQL gives the author's account
for each commit, and the committers' accounts without saying which email is whose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gitlab import Gitlab
from gitlab.v4.objects import ProjectMergeRequest

from service.forges.connection import cut
from service.forges.port import Contributors, ForgeError
from service.forges.signers import Signer, co_authors, contributors

_QUERY = """
query($project: ID!, $number: String!, $after: String) {
  project(fullPath: $project) {
    mergeRequest(iid: $number) {
      committers(first: 100) { pageInfo { hasNextPage } nodes { id } }
      commits(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { authorEmail author { id } } }
    }
  }
}
"""
_USER = re.compile(r"gid://gitlab/User/([1-9][0-9]{0,18})")
# GitLab writes such a note in the name of whoever pushed; it does not translate it.
_PUSHED = re.compile(r"added [0-9]+ commits?\b")

Json = Mapping[str, Any]


def find(client: Gitlab, repository: str, number: int, given_out: Callable[[str], str]) -> Contributors:
    """See `Forge.contributors`. `given_out` reads the id from an email that GitLab gave to an account."""
    merges = client.projects.get(repository, lazy=True).mergerequests
    head, merge = merges.get(number).attributes["sha"], merges.get(number, lazy=True)
    commits = [commit.attributes for commit in merge.commits()]
    # GitLab takes a while to list what was pushed, and the list is empty before.
    if head not in {commit["id"] for commit in commits}:
        raise ForgeError("GitLab does not list the head among the commits of the merge request yet", retry=True)
    accounts, committers = _known(client, repository, number)
    accounts |= _remaining(commits, accounts, committers, given_out)
    signers = (signer for commit in commits for signer in _signers(commit, accounts))
    return contributors(signers, committers | set(_pushers(merge)), given_out)


def _known(client: Gitlab, repository: str, number: int) -> tuple[dict[str, str], set[str]]:
    """The accounts of the authors' emails, and those of all committers."""
    accounts: dict[str, str] = {}
    committers: set[str] = set()
    for merge in _answers(client, {"project": repository, "number": str(number)}):
        if merge["committers"]["pageInfo"]["hasNextPage"]:
            raise ForgeError("the merge request has more than 100 committers, so not all contributors are known", retry=False)
        committers |= {_id(user) for user in merge["committers"]["nodes"]}
        accounts |= {str(each["authorEmail"]).lower(): _id(each["author"]) for each in merge["commits"]["nodes"] if each["author"]}
    return accounts, committers


def _answers(client: Gitlab, variables: dict[str, str]) -> Iterator[Json]:
    after: str | None = None
    while True:
        body = {"query": _QUERY, "variables": {**variables, "after": after}}
        answer = client.http_post(f"{client.url}/api/graphql", post_data=body)
        if not isinstance(answer, dict):
            raise TypeError("not an object")
        if answer.get("errors"):
            raise ForgeError(f"GitLab refused to name the authors: {cut(str(answer['errors'][0].get('message')), 200)}", retry=False)
        merge = answer["data"]["project"]["mergeRequest"]
        yield merge
        if not merge["commits"]["pageInfo"]["hasNextPage"]:
            return
        after = merge["commits"]["pageInfo"]["endCursor"]


def _remaining(commits: Iterable[Json], accounts: Json, committers: set[str], given_out: Callable[[str], str]) -> dict[str, str]:
    """Accounts for the committers' emails that no author has. Each account that is left has at least one of them; so where there are as
    many accounts as emails, every email is one of theirs, and which is whose makes no difference. Else somebody is a stranger."""
    emails = {str(commit["committer_email"]).lower() for commit in commits}
    known = {email: account for email in emails if (account := accounts.get(email) or given_out(email))}
    unknown, left = sorted(emails - known.keys()), sorted(committers - set(known.values()))
    return dict(zip(unknown, left, strict=True)) if len(unknown) == len(left) else {}


def _signers(commit: Json, accounts: Json) -> Iterator[Signer]:
    for role in ("author", "committer"):
        email = str(commit[f"{role}_email"])
        yield Signer(email, str(commit[f"{role}_name"]), accounts.get(email.lower(), ""))
    yield from co_authors(str(commit["message"]))


def _pushers(merge: ProjectMergeRequest) -> Iterator[str]:
    for note in merge.notes.list(iterator=True, order_by="created_at", sort="asc"):
        said = note.attributes
        if said["system"] is True and said["author"] is not None and _PUSHED.match(str(said["body"])):
            yield str(int(said["author"]["id"]))


def _id(user: Json) -> str:
    match = _USER.fullmatch(user["id"])
    if match is None:
        raise ValueError("not a user")
    return match[1]

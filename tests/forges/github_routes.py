"""The calls of GitHub's REST API that the stand-in answers, each a function of what it keeps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.forges import github_resources as give
from tests.forges.github_state import BOT, BOT_ID, PERSON, PERSON_ID, Call, Comment, Pull, Refused, Repository

if TYPE_CHECKING:
    from tests.forges.github_fake import GitHubFake

LONGEST_COMMENT = 65_536

Answer = tuple[int, Any, dict[str, str]]
Route = Callable[["GitHubFake", Call, dict[str, str]], Answer]


def _repository(fake: GitHubFake, where: dict[str, str]) -> Repository:
    known = fake.repositories.get(f"{where['owner']}/{where['repo']}")
    if known is None:
        raise Refused(404, "Not Found")
    return known


def _pull(fake: GitHubFake, where: dict[str, str]) -> tuple[Repository, Pull]:
    repository = _repository(fake, where)
    pull = repository.pulls.get(int(where["number"]))
    if pull is None:
        raise Refused(404, "Not Found")
    return repository, pull


def _user(fake: GitHubFake, _call: Call, _where: dict[str, str]) -> Answer:
    return 200, give.authenticated_user(fake.url, BOT, BOT_ID), {}


def _get_repository(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    repository = _repository(fake, where)
    return 200, give.repository(fake.url, repository.name, repository.number, repository.default_branch), {}


def _shown_pull(fake: GitHubFake, repository: Repository, pull: Pull) -> give.Resource:
    person = give.user(fake.url, PERSON, PERSON_ID)
    base_repository = give.repository(fake.url, repository.name, repository.number, repository.default_branch)
    head_repository: give.Resource | None = base_repository
    if pull.head_repository is None:
        head_repository = None
    elif pull.head_repository:
        head_repository = give.repository(fake.url, pull.head_repository, repository.number + 500, repository.default_branch)
    base = give.end(f"{PERSON}:{pull.base}", pull.base, pull.base_sha, base_repository, person)
    head = give.end(f"{PERSON}:change", "change", pull.head_sha, head_repository, person)
    return give.pull(fake.url, repository.name, pull.number, state=pull.state, base=base, head=head, author=person)


def _get_pull(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    return 200, _shown_pull(fake, *_pull(fake, where)), {}


def _shown_comment(fake: GitHubFake, repository: Repository, comment: Comment) -> give.Resource:
    return give.comment(fake.url, repository.name, comment.issue, comment.number, fake.author(comment.author), comment.body)


def _list_comments(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository, pull = _pull(fake, where)
    size, page = min(100, int(where.get("per_page", "30"))), int(where.get("page", "1"))
    every = [comment for comment in repository.comments if comment.issue == pull.number]
    shown = [_shown_comment(fake, repository, comment) for comment in every[(page - 1) * size : page * size]]
    link = {"Link": f'<{fake.url}{call.path}?per_page={size}&page={page + 1}>; rel="next"'} if page * size < len(every) else {}
    return 200, shown, link


def _text(call: Call) -> str:
    body = call.body.get("body") if isinstance(call.body, dict) else None
    if not isinstance(body, str) or not body or len(body) > LONGEST_COMMENT:
        raise Refused(422, "Validation Failed")
    return body


def _create_comment(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository, pull = _pull(fake, where)
    comment = Comment(fake.next_number(), pull.number, (BOT, BOT_ID), _text(call))
    repository.comments.append(comment)
    return 201, _shown_comment(fake, repository, comment), {}


def _own_comment(fake: GitHubFake, where: dict[str, str]) -> tuple[Repository, Comment]:
    """A comment that the token may change. GitHub would let a maintainer's token change others'; that it is tried at all is an error."""
    repository = _repository(fake, where)
    comment = next((comment for comment in repository.comments if comment.number == int(where["id"])), None)
    if comment is None:
        raise Refused(404, "Not Found")
    if comment.author != (BOT, BOT_ID):
        fake.violations.append(f"comment {comment.number} belongs to {comment.author}")
        raise Refused(403, "Forbidden")
    return repository, comment


def _edit_comment(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository, comment = _own_comment(fake, where)
    comment.body = _text(call)
    return 200, _shown_comment(fake, repository, comment), {}


def _delete_comment(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    repository, comment = _own_comment(fake, where)
    repository.comments.remove(comment)
    return 204, None, {}


def _create_status(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository = _repository(fake, where)
    known = call.body.get("state") in ("error", "failure", "pending", "success")
    if not known or not re.fullmatch("[0-9a-f]{40}", where["sha"]) or len(call.body.get("description", "")) > 140:
        raise Refused(422, "Validation Failed")
    author = give.user(fake.url, BOT, BOT_ID)
    status = give.status(fake.url, repository.name, where["sha"], fake.next_number(), author, call.body)
    repository.statuses.append(status)
    return 201, status, {}


def _pulls_of_commit(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    repository = _repository(fake, where)
    return 200, [_shown_pull(fake, repository, pull) for pull in repository.pulls.values() if pull.head_sha == where["sha"]], {}


def _branches_of_commit(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    repository = _repository(fake, where)
    named = [name for name, commit in repository.branches.items() if commit == where["sha"]]
    commit = {"sha": where["sha"], "url": f"{fake.url}/repos/{repository.name}/commits/{where['sha']}"}
    return 200, [{"name": name, "commit": commit, "protected": False} for name in named], {}


_REPOSITORY = r"/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)"
ROUTES: list[tuple[str, re.Pattern[str], Route]] = [
    ("GET", re.compile("/user"), _user),
    ("GET", re.compile(_REPOSITORY), _get_repository),
    ("GET", re.compile(_REPOSITORY + r"/pulls/(?P<number>\d+)"), _get_pull),
    ("GET", re.compile(_REPOSITORY + r"/issues/(?P<number>\d+)/comments"), _list_comments),
    ("POST", re.compile(_REPOSITORY + r"/issues/(?P<number>\d+)/comments"), _create_comment),
    ("PATCH", re.compile(_REPOSITORY + r"/issues/comments/(?P<id>\d+)"), _edit_comment),
    ("DELETE", re.compile(_REPOSITORY + r"/issues/comments/(?P<id>\d+)"), _delete_comment),
    ("POST", re.compile(_REPOSITORY + r"/statuses/(?P<sha>[^/]+)"), _create_status),
    ("GET", re.compile(_REPOSITORY + r"/commits/(?P<sha>[^/]+)/pulls"), _pulls_of_commit),
    ("GET", re.compile(_REPOSITORY + r"/commits/(?P<sha>[^/]+)/branches-where-head"), _branches_of_commit),
]

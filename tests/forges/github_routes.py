"""The calls of GitHub's REST API that the stand-in answers, each a function of what it keeps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlencode

from tests.forges import github_resources as give
from tests.forges.answering import Answer
from tests.forges.github_state import PERSON, PERSON_ID, Call, Comment, Pull, Refused, Repository

if TYPE_CHECKING:
    from tests.forges.github_fake import GitHubFake

LONGEST_COMMENT = 65_536

Item = TypeVar("Item")
Route = Callable[["GitHubFake", Call, dict[str, str]], Answer]


def repository_of(fake: GitHubFake, where: dict[str, str]) -> Repository:
    """The repository that a path names."""
    known = fake.repositories.get(f"{where['owner']}/{where['repo']}")
    if known is None:
        raise Refused(404, "Not Found")
    return known


def pull_of(fake: GitHubFake, where: dict[str, str]) -> tuple[Repository, Pull]:
    """The pull request that a path names, and its repository."""
    repository = repository_of(fake, where)
    pull = repository.pulls.get(int(where["number"]))
    if pull is None:
        raise Refused(404, "Not Found")
    return repository, pull


def _user(fake: GitHubFake, call: Call, _where: dict[str, str]) -> Answer:
    if call.caller.kind != "user":
        raise Refused(403, "Resource not accessible by integration")
    return 200, give.authenticated_user(fake.url, *call.caller.user), {}


def _get_repository(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    repository = repository_of(fake, where)
    return 200, give.repository(fake.url, repository.name, repository.number, repository.default_branch), {}


def shown_pull(fake: GitHubFake, repository: Repository, pull: Pull) -> give.Resource:
    """A pull request as a resource."""
    person = give.user(fake.url, PERSON, PERSON_ID)
    base_repository = give.repository(fake.url, repository.name, repository.number, repository.default_branch)
    head_repository: give.Resource | None = base_repository
    if pull.head_repository is None:
        head_repository = None
    elif pull.head_repository:
        head_repository = give.repository(fake.url, pull.head_repository, repository.number + 500, repository.default_branch)
    base = give.end(f"{PERSON}:{pull.base}", pull.base, pull.base_sha, base_repository, person)
    head = give.end(f"{PERSON}:change", "change", pull.head_sha, head_repository, person)
    author = fake.author(pull.author)
    return give.pull(fake.url, repository.name, pull.number, state=pull.state, draft=pull.draft, base=base, head=head, author=author)


def _list_pulls(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository, state = repository_of(fake, where), where.get("state", "open")
    every = [pull for _, pull in sorted(repository.pulls.items()) if state in ("all", pull.state)]
    if where.get("direction", "desc") == "desc":
        every.reverse()
    return page(fake, call, where, every, lambda pull: shown_pull(fake, repository, pull))


def _get_pull(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    return 200, shown_pull(fake, *pull_of(fake, where)), {}


def _shown_comment(fake: GitHubFake, repository: Repository, comment: Comment) -> give.Resource:
    return give.comment(fake.url, repository.name, comment.issue, comment.number, fake.author(comment.author), comment.body)


def _list_comments(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository, pull = pull_of(fake, where)
    every = [comment for comment in repository.comments if comment.issue == pull.number]
    return page(fake, call, where, every, lambda comment: _shown_comment(fake, repository, comment))


def page(fake: GitHubFake, call: Call, where: dict[str, str], every: list[Item], show: Callable[[Item], give.Resource]) -> Answer:
    """One page of a list, and the way to the next."""
    size, number = min(100, int(where.get("per_page", "30"))), int(where.get("page", "1"))
    shown = [show(item) for item in every[(number - 1) * size : number * size]]
    query = urlencode({name: where[name] for name in call.query if name != "page"} | {"page": number + 1})
    link = {"Link": f'<{fake.url}{call.path}?{query}>; rel="next"'} if number * size < len(every) else {}
    return 200, shown, link


def _text(call: Call) -> str:
    body = call.body.get("body") if isinstance(call.body, dict) else None
    if not isinstance(body, str) or not body or len(body) > LONGEST_COMMENT:
        raise Refused(422, "Validation Failed")
    return body


def _create_comment(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository, pull = pull_of(fake, where)
    comment = Comment(fake.next_number(), pull.number, call.caller.user, _text(call))
    repository.comments.append(comment)
    return 201, _shown_comment(fake, repository, comment), {}


def _comment(fake: GitHubFake, where: dict[str, str]) -> tuple[Repository, Comment]:
    repository = repository_of(fake, where)
    comment = next((comment for comment in repository.comments if comment.number == int(where["id"])), None)
    if comment is None:
        raise Refused(404, "Not Found")
    return repository, comment


def _own_comment(fake: GitHubFake, call: Call, where: dict[str, str]) -> tuple[Repository, Comment]:
    """A comment that the token may change. GitHub would let a maintainer's token change others'; that it is tried at all is an error."""
    repository, comment = _comment(fake, where)
    if comment.author != call.caller.user:
        fake.violations.append(f"comment {comment.number} belongs to {comment.author}")
        raise Refused(403, "Forbidden")
    return repository, comment


def _edit_comment(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository, comment = _own_comment(fake, call, where)
    comment.body = _text(call)
    return 200, _shown_comment(fake, repository, comment), {}


def _delete_comment(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository, comment = _own_comment(fake, call, where)
    repository.comments.remove(comment)
    return 204, None, {}


def _react(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    """GitHub keeps one reaction of a kind for each user, and says by its status whether it is new."""
    _, comment = _comment(fake, where)
    made = (call.caller.user, str(call.body.get("content")))
    new = made not in comment.reactions
    if new:
        comment.reactions.append(made)
    number = comment.number + comment.reactions.index(made)
    return 201 if new else 200, give.reaction(number, give.user(fake.url, *made[0]), made[1]), {}


def _create_status(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository = repository_of(fake, where)
    known = call.body.get("state") in ("error", "failure", "pending", "success")
    if not known or not re.fullmatch("[0-9a-f]{40}", where["sha"]) or len(call.body.get("description", "")) > 140:
        raise Refused(422, "Validation Failed")
    author = give.user(fake.url, *call.caller.user)
    status = give.status(fake.url, repository.name, where["sha"], fake.next_number(), author, call.body)
    repository.statuses.append(status)
    return 201, status, {}


def _pulls_of_commit(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    repository = repository_of(fake, where)
    return 200, [shown_pull(fake, repository, pull) for pull in repository.pulls.values() if pull.head_sha == where["sha"]], {}


def _branches_of_commit(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    repository = repository_of(fake, where)
    named = [name for name, commit in repository.branches.items() if commit == where["sha"]]
    commit = {"sha": where["sha"], "url": f"{fake.url}/repos/{repository.name}/commits/{where['sha']}"}
    return 200, [{"name": name, "commit": commit, "protected": False} for name in named], {}


def _git_ref(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    repository, name = repository_of(fake, where), unquote(where["ref"])
    commit = repository.branches.get(name.removeprefix("heads/")) if name.startswith("heads/") else None
    if commit is None:
        raise Refused(404, "Not Found")
    return 200, give.ref(fake.url, repository.name, name, commit), {}


def _permission(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    """Who is no collaborator has no permission; who is no user at all is not found."""
    repository, login = repository_of(fake, where), unquote(where["login"])
    known = repository.permissions.get(login)
    if known is None:
        raise Refused(404, f"{login} is not a user")
    return 200, give.permission(give.user(fake.url, login, known[0]), known[1]), {}


REPOSITORY = r"/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)"
ROUTES: list[tuple[str, re.Pattern[str], Route]] = [
    ("GET", re.compile("/user"), _user),
    ("GET", re.compile(REPOSITORY), _get_repository),
    ("GET", re.compile(REPOSITORY + r"/collaborators/(?P<login>[^/]+)/permission"), _permission),
    ("GET", re.compile(REPOSITORY + r"/git/ref/(?P<ref>.+)"), _git_ref),
    ("GET", re.compile(REPOSITORY + r"/pulls"), _list_pulls),
    ("GET", re.compile(REPOSITORY + r"/pulls/(?P<number>\d+)"), _get_pull),
    ("GET", re.compile(REPOSITORY + r"/issues/(?P<number>\d+)/comments"), _list_comments),
    ("POST", re.compile(REPOSITORY + r"/issues/(?P<number>\d+)/comments"), _create_comment),
    ("PATCH", re.compile(REPOSITORY + r"/issues/comments/(?P<id>\d+)"), _edit_comment),
    ("DELETE", re.compile(REPOSITORY + r"/issues/comments/(?P<id>\d+)"), _delete_comment),
    ("POST", re.compile(REPOSITORY + r"/issues/comments/(?P<id>\d+)/reactions"), _react),
    ("POST", re.compile(REPOSITORY + r"/statuses/(?P<sha>[^/]+)"), _create_status),
    ("GET", re.compile(REPOSITORY + r"/commits/(?P<sha>[^/]+)/pulls"), _pulls_of_commit),
    ("GET", re.compile(REPOSITORY + r"/commits/(?P<sha>[^/]+)/branches-where-head"), _branches_of_commit),
]

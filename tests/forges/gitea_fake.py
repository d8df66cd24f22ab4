"""A stand-in for the REST API of Gitea and Forgejo: it keeps pull requests with their commits, reviews, events and labels, comments,
reactions, collaborators, teams, branches and statuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from tests.forges.answering import Answer
from tests.forges.described import Asked, DescribedServer, Description, Refusal, paged

BOT_ID, WHEN = 4242, "2024-05-01T12:00:00Z"
REPOSITORY_ID, FORK_ID = 77, 78
EVENT = {"html_url": "", "body": "", "created_at": WHEN, "updated_at": WHEN, "assignee_team": None, "user": BOT_ID}


@dataclass
class Pull:
    """A pull request. A `head_repository` of None is a fork that was deleted; `agit` one that was pushed to refs/for/… Of a review,
    `user` is an id, and so it is of an event."""

    number: int
    author: int
    sha: str
    base: str = "main"
    state: str = "open"
    title: str = "A change"
    draft: bool | None = False
    head_repository: int | None = REPOSITORY_ID
    agit: bool = False
    commits: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any] | None] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)


@dataclass
class Comment:
    """A comment on a pull request."""

    id: int
    number: int
    author: int
    body: str
    reactions: list[tuple[int, str]] = field(default_factory=list)


class GiteaFake(DescribedServer):
    """One server with one repository."""

    description = Description("gitea_openapi.yaml")

    def __init__(self, token: str, repository: str) -> None:
        super().__init__(token)
        self.repository = repository
        self.users: dict[int, str] = {BOT_ID: "flowdelta-bot", -2: "gitea-actions"}
        self.pulls: dict[int, Pull] = {}
        self.comments: list[Comment] = []
        self.permissions: dict[int, str] = {}
        self.branches: dict[str, str] = {}
        self.statuses: list[dict[str, Any]] = []
        self.administrates = True
        self.emails: dict[str, int] = {}
        self.teams: dict[str, list[int]] = {}
        self.labels: dict[int, str] = {}
        self.shared_labels: dict[int, str] = {}
        self._ids: Iterator[int] = iter(range(1_000, 1_000_000))

    def next_id(self) -> int:
        """A fresh id."""
        return next(self._ids)

    def authorized(self, headers: Message) -> bool:
        """The header as Gitea wants it."""
        return headers.get("Authorization") == f"token {self.token}"

    def handle(self, asked: Asked, operation: str) -> Answer:
        """See `DescribedServer`."""
        if "/repos/" in asked.path and f"{asked.where['owner']}/{asked.where['repo']}" != self.repository:
            raise Refusal(404, "The target couldn't be found.")
        answer: Answer = getattr(self, f"_{operation}")(asked)
        return answer

    def _current_user(self, _asked: Asked) -> Answer:
        return 200, self._shown_user(BOT_ID), {}

    def _repository(self, _asked: Asked) -> Answer:
        return 200, self._shown_repository(REPOSITORY_ID), {}

    def _pulls(self, asked: Asked) -> Answer:
        wanted = [pull for pull in self.pulls.values() if asked.query.get("state", "open") in ("all", pull.state)]
        return self._page([self._shown_pull(pull) for pull in wanted], asked)

    def _pull(self, asked: Asked) -> Answer:
        return 200, self._shown_pull(self._known(asked)), {}

    def _commits(self, asked: Asked) -> Answer:
        return self._page([self._shown_commit(commit) for commit in reversed(self._known(asked).commits)], asked)

    def _reviews(self, asked: Asked) -> Answer:
        every = [{**review, "user": self._shown_user(review["user"])} for review in self._known(asked).reviews]
        status, found, _ = self._page(every, asked)
        return status, found, {"X-Total-Count": str(len(every))}  # a list that counts, and links nothing

    def _timeline(self, asked: Asked) -> Answer:
        """All of it; null where nothing happened, and null for an event that cannot be read."""
        events = self._known(asked).events
        return 200, [event and {**event, "user": self._shown_user(event["user"])} for event in events] or None, {}

    def _request_reviewers(self, asked: Asked) -> Answer:
        pull = self._known(asked)
        for name in asked.body["team_reviewers"]:
            if name not in self.teams:
                raise Refusal(404, "team does not exist")
            pull.events.append({**EVENT, "id": self.next_id(), "type": "review_request", "assignee_team": self._shown_team(name)})
        return 201, [], {}

    def _teams(self, asked: Asked) -> Answer:
        if asked.where["org"] != self.repository.partition("/")[0]:
            raise Refusal(404, "The target couldn't be found.")
        others = [f"team-{number}" for number in range(60)]
        status, found, _ = self._page([self._shown_team(name) for name in (*others, *self.teams)], asked)
        return status, found, {"X-Total-Count": str(len(others) + len(self.teams))}

    def _team_members(self, asked: Asked) -> Answer:
        (members,) = self.teams.values()
        return self._page([self._shown_user(member) for member in members], asked)

    def _labels(self, asked: Asked) -> Answer:
        return self._page([self._shown_label(number) for number in self.labels], asked)

    def _shared_labels(self, asked: Asked) -> Answer:
        return self._page([self._shown_label(number) for number in self.shared_labels], asked)

    def _create_label(self, asked: Asked) -> Answer:
        number = self.next_id()
        self.labels[number] = asked.body["name"]
        return 201, self._shown_label(number), {}

    def _labels_of_pull(self, asked: Asked) -> Answer:
        return 200, [self._shown_label(number) for number in self._known(asked).labels], {}

    def _add_labels(self, asked: Asked) -> Answer:
        pull = self._known(asked)
        if not self.labels.keys() | self.shared_labels.keys() >= set(asked.body["labels"]):
            raise Refusal(404, "label does not exist")
        pull.labels = list(dict.fromkeys([*pull.labels, *asked.body["labels"]]))
        return 200, [self._shown_label(number) for number in pull.labels], {}

    def _remove_label(self, asked: Asked) -> Answer:
        self._known(asked).labels.remove(int(asked.where["id"]))
        return 204, None, {}

    def _comments(self, asked: Asked) -> Answer:
        number = self._known(asked).number
        return 200, [self._shown_comment(comment) for comment in self.comments if comment.number == number], {}

    def _create_comment(self, asked: Asked) -> Answer:
        comment = Comment(self.next_id(), self._known(asked).number, BOT_ID, asked.body["body"])
        self.comments.append(comment)
        return 201, self._shown_comment(comment), {}

    def _edit_comment(self, asked: Asked) -> Answer:
        comment = self._own_comment(asked)
        comment.body = asked.body["body"]
        return 200, self._shown_comment(comment), {}

    def _delete_comment(self, asked: Asked) -> Answer:
        self.comments.remove(self._own_comment(asked))
        return 204, None, {}

    def _create_reaction(self, asked: Asked) -> Answer:
        comment, given = self._comment(asked), (BOT_ID, asked.body["content"])
        shown = {"content": given[1], "user": self._shown_user(BOT_ID), "created_at": WHEN}
        if given in comment.reactions:
            return 200, shown, {}
        comment.reactions.append(given)
        return 201, shown, {}

    def _branches(self, asked: Asked) -> Answer:
        return self._page([self._shown_branch(name) for name in self.branches], asked)

    def _branch(self, asked: Asked) -> Answer:
        if asked.where["branch"] not in self.branches:
            raise Refusal(404, "The target couldn't be found.")
        return 200, self._shown_branch(asked.where["branch"]), {}

    def _create_status(self, asked: Asked) -> Answer:
        body = asked.body
        said = {
            "description": body.get("description", ""),
            "target_url": body.get("target_url", ""),
            "context": body.get("context", "default"),
        }
        known = {"id": self.next_id(), "status": body["state"], "url": f"{self.url}{asked.path}", "creator": self._shown_user(BOT_ID)}
        status = {**known, **said, "created_at": WHEN, "updated_at": WHEN}
        self.statuses.append({**status, "sha": asked.where["sha"]})
        return 201, status, {}

    def _permission(self, asked: Asked) -> Answer:
        name = asked.where["collaborator"].lower()
        if not self.administrates:
            raise Refusal(403, "Only admins can query all permissions, repo admins can query all repo permissions")
        user = next((number for number, known in self.users.items() if known.lower() == name), None)
        if user is None:
            raise Refusal(404, "user does not exist")
        permission = self.permissions.get(user, "none")
        return 200, {"permission": permission, "role_name": permission, "user": self._shown_user(user)}, {}

    def _page(self, found: list[Any], asked: Asked) -> Answer:
        return paged(found, asked, self.url, "limit", 30, 50)

    def _known(self, asked: Asked) -> Pull:
        pull = self.pulls.get(int(asked.where["index"]))
        if pull is None:
            raise Refusal(404, "The target couldn't be found.")
        return pull

    def _comment(self, asked: Asked) -> Comment:
        comment = next((comment for comment in self.comments if comment.id == int(asked.where["id"])), None)
        if comment is None:
            raise Refusal(404, "The target couldn't be found.")
        return comment

    def _own_comment(self, asked: Asked) -> Comment:
        """A comment that may be changed. Whoever may write here could change others'; that it is tried at all is an error."""
        comment = self._comment(asked)
        if comment.author != BOT_ID:
            self.violations.append(f"comment {comment.id} belongs to {comment.author}")
            raise Refusal(403, "Forbidden")
        return comment

    def _shown_user(self, number: int) -> dict[str, Any]:
        name = self.users[number]
        return {
            "id": number,
            "login": name,
            "username": name,
            "full_name": "",
            "email": "",
            "avatar_url": "",
            "is_admin": False,
            "active": True,
        }

    def _shown_commit(self, commit: dict[str, Any]) -> dict[str, Any]:
        """With the accounts that have the emails."""
        signed = {role: self.emails.get(commit["commit"][role]["email"].lower()) for role in ("author", "committer")}
        return {**commit, **{role: None if user is None else self._shown_user(user) for role, user in signed.items()}}

    def _shown_team(self, name: str) -> dict[str, Any]:
        return {"id": 61, "name": name, "description": "", "permission": "read", "units": [], "can_create_org_repo": False}

    def _shown_label(self, number: int) -> dict[str, Any]:
        known = {**self.labels, **self.shared_labels}
        flags = {"exclusive": False, "is_archived": False}
        return {"id": number, "name": known[number], "color": "ededed", "description": "", "url": "", **flags}

    def _shown_repository(self, number: int) -> dict[str, Any]:
        owner, _, name = self.repository.partition("/")
        shown_owner = {**self._shown_user(BOT_ID), "id": 9, "login": owner}
        known = {"id": number, "name": name, "full_name": self.repository, "owner": shown_owner, "private": True, "fork": number == FORK_ID}
        return {**known, "default_branch": "main", "html_url": f"{self.url}/{self.repository}"}

    def _shown_pull(self, pull: Pull) -> dict[str, Any]:
        base = {
            "label": pull.base,
            "ref": pull.base,
            "sha": "b" * 40,
            "repo_id": REPOSITORY_ID,
            "repo": self._shown_repository(REPOSITORY_ID),
        }
        known = {"id": pull.number + 5_000, "number": pull.number, "title": pull.title, "body": "", "state": pull.state, "is_locked": False}
        flags = {"mergeable": True, "merged": False, "merge_base": "b" * 40, "created_at": WHEN, "updated_at": WHEN}
        draft = {} if pull.draft is None else {"draft": pull.draft}
        page = {"html_url": f"{self.url}/{self.repository}/pulls/{pull.number}", "user": self._shown_user(pull.author)}
        return {**known, **flags, **draft, **page, "base": base, "head": self._shown_head(pull)}

    def _shown_head(self, pull: Pull) -> dict[str, Any]:
        own = f"refs/pull/{pull.number}/head"
        if pull.agit:
            return {"label": "", "ref": own, "sha": pull.sha, "repo_id": REPOSITORY_ID, "repo": self._shown_repository(REPOSITORY_ID)}
        if pull.head_repository is None:
            return {"label": "change", "ref": own, "sha": pull.sha, "repo_id": -1, "repo": None}
        number = pull.head_repository
        return {"label": "change", "ref": "change", "sha": pull.sha, "repo_id": number, "repo": self._shown_repository(number)}

    def _shown_comment(self, comment: Comment) -> dict[str, Any]:
        page = f"{self.url}/{self.repository}/pulls/{comment.number}"
        places = {"html_url": f"{page}#issuecomment-{comment.id}", "issue_url": "", "pull_request_url": page}
        times = {"created_at": WHEN, "updated_at": WHEN}
        return {"id": comment.id, "body": comment.body, "user": self._shown_user(comment.author), **places, **times}

    def _shown_branch(self, name: str) -> dict[str, Any]:
        return {"name": name, "protected": False, "commit": {"id": self.branches[name], "message": "", "url": ""}}

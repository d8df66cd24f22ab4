"""Gitea and Forgejo over REST, authenticated by an access token; one adapter for both, since their APIs agree in what a review needs.

It speaks HTTP itself: the API is small, and no synchronous client of it is well kept. https://docs.gitea.com/api/ and the
`/swagger.v1.json` of every server describe it. The token's account must administrate the repository: Gitea tells nobody else what
another account may do there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from service.forges import gitea_contributors, gitea_labels, gitea_reviews, gitea_teams, thread
from service.forges.connection import Refused, cut
from service.forges.counted import counted
from service.forges.git_names import HEADS, branch_ref, commit_id
from service.forges.gitea_api import GiteaApi, account
from service.forges.group_names import team_of, teams_of_owner
from service.forges.port import (
    Account,
    Check,
    Command,
    Contributors,
    Credential,
    ForgeError,
    GivenReview,
    Permission,
    PullRequest,
    Reaction,
    State,
    marker,
)
from service.secret import Secret

if TYPE_CHECKING:
    from service.settings import ForgeSettings, Settings

# Gitea's own is larger and depends on its database; nobody reads more.
COMMENT_LIMIT = 65_536
_DESCRIPTION_LIMIT = 140
_EMOJI = {Reaction.SEEN: "eyes", Reaction.REFUSED: "confused"}
# Nobody may merge past a failure; Gitea has no word for a check that someone must act on.
_STATE = {State.ACTION_REQUIRED: "failure"}
_PERMISSION = {"read": Permission.READ, "write": Permission.WRITE, "admin": Permission.ADMIN, "owner": Permission.ADMIN}
_DRAFT = ("WIP:", "[WIP]")

Answer = TypeVar("Answer")


class Gitea:
    """The forge at one base URL. One instance serves all threads of a process and asks one thing at a time."""

    def __init__(self, api_url: str, git_url: str, token: Secret, *, context: str, timeout: float, write_interval: float) -> None:
        self._git_url, self._token, self._context = git_url, token, context
        self._api = GiteaApi(api_url, token, timeout=timeout, write_interval=write_interval)
        self._me: int | None = None

    @classmethod
    def from_settings(cls, known: ForgeSettings, settings: Settings) -> Gitea:
        """The forge of the settings."""
        return cls(
            known.api_url,
            known.git_url,
            known.token,
            context=settings.status_context,
            timeout=settings.forge_timeout,
            write_interval=settings.write_interval,
        )

    @property
    def comment_limit(self) -> int:
        """See `Forge`."""
        return COMMENT_LIMIT

    def credential(self, repository: str) -> Credential | None:
        """See `Forge`: any name goes with a token as the password."""
        return None if self._git_url.startswith("file:") else Credential("oauth2", self._token)

    def clone_url(self, repository: str) -> str:
        """See `Forge`."""
        return f"{self._git_url}/{quote(repository)}.git"

    def source_url(self, repository: str) -> str:
        """See `Forge`."""
        return "" if self._git_url.startswith("file:") else f"{self._git_url}/{quote(repository)}/src/commit/{{commit}}/{{path}}#L{{line}}"

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        return self._ask(lambda: _pull(repository, self._api.get(repository, f"pulls/{number}")))

    def open_pull_requests(self, repository: str) -> Iterator[PullRequest]:
        """See `Forge`. One whose names git would not take is left out: it must not hide the others."""
        for found in self._ask(lambda: list(self._api.pages(repository, "pulls", state="open"))):
            try:
                with _translated():
                    pull = _pull(repository, found)
            except ForgeError as error:
                if error.retry:
                    raise
                continue
            yield pull

    def tip(self, repository: str, ref: str) -> str:
        """See `Forge`."""
        branch = branch_ref(ref.removeprefix(HEADS)).removeprefix(HEADS)
        return self._ask(lambda: commit_id(self._api.get(repository, f"branches/{quote(branch)}")["commit"]["id"]))

    def refs_near(self, repository: str, commit: str) -> Iterator[str]:
        """See `Forge`: the default branch, the open pull requests with this head, the branches with this tip."""
        wanted = commit_id(commit)
        yield self._ask(lambda: branch_ref(self._api.get(repository)["default_branch"]))
        pulls = self._ask(lambda: list(self._api.pages(repository, "pulls", state="open")))
        yield from self._ask(lambda: [_head_ref(pull["number"]) for pull in pulls if pull["head"]["sha"] == wanted])
        branches = self._ask(lambda: list(self._api.pages(repository, "branches")))
        yield from self._ask(lambda: [branch_ref(branch["name"]) for branch in branches if branch["commit"]["id"] == wanted])

    def put_check(self, repository: str, check: Check) -> None:
        """See `Forge`: a commit status. Gitea shows the last one of a context, so setting it again changes nothing."""
        status = {
            "state": _STATE.get(check.state, check.state.value),
            "context": self._context,
            "description": cut(check.line, _DESCRIPTION_LIMIT),
            "target_url": check.url,
        }
        self._ask(lambda: self._api.post(repository, f"statuses/{commit_id(check.sha)}", status))

    def put_comment(self, repository: str, number: int, body: str) -> None:
        """See `Forge`."""
        if len(body) + len(marker(self._context)) + 1 > COMMENT_LIMIT:
            raise ForgeError(f"the comment has {len(body)} characters, Gitea gets {COMMENT_LIMIT} at most", retry=False)
        self._ask(lambda: thread.put(self._thread(repository, number), marker(self._context), body))

    def permission(self, repository: str, account: Account) -> Permission:
        """See `Forge`. Gitea asks by name; who has taken over the name of another is told apart by the id."""
        return self._ask(lambda: self._permission(repository, account))

    def answer(self, repository: str, command: Command, reaction: Reaction, reply: str = "") -> None:
        """See `Forge`. Gitea keeps one reaction of a kind for each account."""
        place = f"issues/comments/{int(command.comment)}/reactions"
        self._ask(lambda: self._api.post(repository, place, {"content": _EMOJI[reaction]}))
        if reply:
            marker = thread.reply_marker(command.comment)
            self._ask(lambda: thread.put(self._thread(repository, command.number), marker, reply))

    def contributors(self, repository: str, number: int) -> Contributors:
        """See `Forge`: by the commits, and by the pushes since the pull request was opened."""
        return self._ask(lambda: gitea_contributors.find(self._api, repository, number))

    def members(self, repository: str, group: str, accounts: Collection[Account]) -> frozenset[str]:
        """See `Forge`. Nothing is kept: who left the team a second ago is not in it. The token's account must own the organisation, or
        be in the team."""
        owner, team = team_of(repository, group)
        return self._ask(lambda: gitea_teams.members(self._api, owner, team, {known.id for known in accounts}))

    def reviews(self, repository: str, number: int) -> tuple[GivenReview, ...]:
        """See `Forge`."""
        return self._ask(lambda: gitea_reviews.standing(self._api, repository, number))

    def request_review(self, repository: str, number: int, groups: Collection[str]) -> None:
        """See `Forge`. A team is asked once on a pull request, however it ended; teams of other owners cannot be asked."""
        if teams := teams_of_owner(repository, groups):
            self._ask(lambda: gitea_teams.request(self._api, repository, number, teams))

    def put_labels(self, repository: str, number: int, present: Collection[str], absent: Collection[str]) -> None:
        """See `Forge`."""
        self._ask(lambda: gitea_labels.put(self._api, repository, number, present, absent))

    def _permission(self, repository: str, account: Account) -> Permission:
        try:
            found = self._api.get(repository, f"collaborators/{quote(account.name, safe='')}/permission")
        except Refused as refused:
            if refused.status != 404:
                raise
            return Permission.NONE
        if str(found["user"]["id"]) != account.id:
            return Permission.NONE
        return _PERMISSION.get(found["permission"], Permission.NONE)

    def _thread(self, repository: str, number: int) -> _Comments:
        if self._me is None:
            self._me = int(self._api.me()["id"])
        return _Comments(self._api, repository, number, self._me)

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        with self._api.turn, counted("gitea"), _translated():
            return call()


class _Comments:
    """The comments of a pull request; see `Thread`."""

    def __init__(self, api: GiteaApi, repository: str, number: int, me: int) -> None:
        self._api, self._repository, self._place, self._me = api, repository, f"issues/{number}/comments", me

    def own(self) -> Iterator[thread.Remark]:
        for comment in self._api.pages(self._repository, self._place):
            if comment["user"] is not None and comment["user"]["id"] == self._me:
                yield thread.Remark(int(comment["id"]), str(comment["body"]))

    def create(self, body: str) -> None:
        self._api.post(self._repository, self._place, {"body": body})

    def edit(self, remark: thread.Remark, body: str) -> None:
        self._api.patch(self._repository, f"issues/comments/{remark.id}", {"body": body})

    def delete(self, remark: thread.Remark) -> None:
        self._api.delete(self._repository, f"issues/comments/{remark.id}")


def is_draft_title(title: object) -> bool:
    """Whether a title makes a draft, by the prefixes that are the default."""
    return isinstance(title, str) and title.lstrip().upper().startswith(_DRAFT)


def _pull(repository: str, pull: Mapping[str, Any]) -> PullRequest:
    number = int(pull["number"])
    return PullRequest(
        repository=repository,
        number=number,
        open=pull["state"] == "open",
        draft=pull.get("draft") is True or is_draft_title(pull["title"]),
        base_ref=branch_ref(pull["base"]["ref"]),
        head_ref=_head_ref(number),
        head_sha=commit_id(pull["head"]["sha"]),
        fork=_is_foreign(pull["base"], pull["head"]),
        author=account(pull["user"]),
    )


def _is_foreign(base: Mapping[str, Any], head: Mapping[str, Any]) -> bool:
    """Whether the head may come from someone who cannot push here: from a fork, a deleted one too, or by AGit, where whoever may read
    pushes to refs/for/… and the head, which is no branch, counts as the base repository's own."""
    return head["repo"] is None or head["repo_id"] != base["repo_id"] or str(head["ref"]).startswith("refs/")


def _head_ref(number: object) -> str:
    return f"refs/pull/{int(str(number))}/head"


@contextmanager
def _translated() -> Iterator[None]:
    """What an answer lacks as `ForgeError`."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Answers that are not Gitea's: a proxy's page, a field that is missing.
        raise ForgeError(f"the forge gave an answer that is not its API's ({type(error).__name__})", retry=True) from None

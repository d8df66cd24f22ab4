"""GitLab, gitlab.com or self-managed, over REST through python-gitlab, authenticated by a project, group or personal access token.

A merge request is a pull request here, and a note a comment. https://docs.gitlab.com/api/rest/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from gitlab import Gitlab
from gitlab.exceptions import GitlabError
from gitlab.v4.objects import Project, ProjectMergeRequest

from service.forges import gitlab_approvals, gitlab_contributors, gitlab_groups, gitlab_labels, gitlab_status, thread
from service.forges.connection import Connection, Refused
from service.forges.counted import counted
from service.forges.git_names import HEADS, branch_ref, commit_id
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
    marker,
)
from service.forges.signers import numbered_address
from service.secret import Secret

if TYPE_CHECKING:
    from service.settings import ForgeSettings, Settings

COMMENT_LIMIT = 1_000_000
_EMOJI = {Reaction.SEEN: "eyes", Reaction.REFUSED: "confused"}
_DEVELOPER, _MAINTAINER = 30, 40
_QUICK_ACTION = re.compile(r"^(\s*)/", re.MULTILINE)

Answer = TypeVar("Answer")


class GitLab:
    """The forge at one base URL. One instance serves all threads of a process and asks one thing at a time."""

    def __init__(self, api_url: str, git_url: str, token: Secret, *, context: str, timeout: float, write_interval: float) -> None:
        self._git_url, self._token, self._context = git_url, token, context
        self._connection = Connection("GitLab", api_url, token, timeout=timeout, write_interval=write_interval)
        self._client = Gitlab(
            api_url,
            private_token=token.reveal(),
            timeout=timeout,
            per_page=100,
            user_agent="flowdelta",
            keep_base_url=True,  # pages are asked for where the settings say, whatever a Link header names
            session=self._connection,
        )
        self._given_out = numbered_address("-", [urlsplit(api_url).hostname or "gitlab.com"])
        self._me: int | None = None
        self._bots: dict[int, bool] = {}

    @classmethod
    def from_settings(cls, known: ForgeSettings, settings: Settings) -> GitLab:
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
        """See `Forge`: any name goes with a token over git's HTTP; GitLab's pages use this one."""
        return None if self._git_url.startswith("file:") else Credential("oauth2", self._token)

    def clone_url(self, repository: str) -> str:
        """See `Forge`."""
        return f"{self._git_url}/{quote(repository)}.git"

    def source_url(self, repository: str) -> str:
        """See `Forge`."""
        return "" if self._git_url.startswith("file:") else f"{self._git_url}/{quote(repository)}/-/blob/{{commit}}/{{path}}#L{{line}}"

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        return self._ask(lambda: self._pull(repository, self._project(repository).mergerequests.get(number).attributes))

    def open_pull_requests(self, repository: str) -> Iterator[PullRequest]:
        """See `Forge`. One whose names git would not take, or that is not prepared yet, is left out: it must not hide the others."""
        project = self._project(repository)
        for merge in self._ask(lambda: [each.attributes for each in project.mergerequests.list(state="opened", iterator=True)]):
            if (pull := self._usable(repository, merge)) is not None:
                yield pull

    def tip(self, repository: str, ref: str) -> str:
        """See `Forge`."""
        branch = branch_ref(ref.removeprefix(HEADS)).removeprefix(HEADS)
        return self._ask(lambda: commit_id(self._project(repository).branches.get(branch).attributes["commit"]["id"]))

    def refs_near(self, repository: str, commit: str) -> Iterator[str]:
        """See `Forge`: the default branch, the merge requests of the commit, the first hundred branches that hold it."""
        yield self._ask(lambda: branch_ref(self._client.projects.get(repository).attributes["default_branch"]))
        near = self._project(repository).commits.get(commit_id(commit), lazy=True)
        yield from self._ask(lambda: [_head_ref(merge["iid"]) for merge in _listed(lambda: near.merge_requests(get_all=True))])
        yield from self._ask(lambda: [branch_ref(ref["name"]) for ref in _listed(lambda: near.refs("branch", get_all=False))])

    def put_check(self, repository: str, check: Check) -> None:
        """See `Forge`: a commit status, in the pipeline of the merge request's head where there is one."""
        self._ask(lambda: gitlab_status.put(self._project(repository), check, self._context))

    def put_comment(self, repository: str, number: int, body: str) -> None:
        """See `Forge`."""
        text = without_quick_actions(body)
        if len(text) + len(marker(self._context)) + 1 > COMMENT_LIMIT:
            raise ForgeError(f"the comment has {len(text)} characters, GitLab holds {COMMENT_LIMIT}", retry=False)
        self._ask(lambda: thread.put(self._thread(repository, number), marker(self._context), text))

    def permission(self, repository: str, account: Account) -> Permission:
        """See `Forge`: by membership, inherited or shared ones included. Who is no member of a public project may read it all the
        same; here that is none, since nothing is decided by it."""
        if not account.id.isdecimal():
            return Permission.NONE
        return self._ask(lambda: _permission(self._project(repository), int(account.id)))

    def answer(self, repository: str, command: Command, reaction: Reaction, reply: str = "") -> None:
        """See `Forge`: an emoji on the note, and a note with a hidden marker."""
        self._ask(lambda: self._react(self._thread(repository, command.number), command, _EMOJI[reaction]))
        if reply:
            marker = thread.reply_marker(command.comment)
            self._ask(lambda: thread.put(self._thread(repository, command.number), marker, without_quick_actions(reply)))

    def contributors(self, repository: str, number: int) -> Contributors:
        """See `Forge`: by the commits, and by the pushes since the merge request was opened."""
        return self._ask(lambda: gitlab_contributors.find(self._client, repository, number, self._given_out))

    def members(self, repository: str, group: str, accounts: Collection[Account]) -> frozenset[str]:
        """See `Forge`: by the group's path, and its direct members alone. Nothing is kept: who left a second ago is not in it."""
        return self._ask(lambda: gitlab_groups.members(self._client, group, {account.id for account in accounts}))

    def reviews(self, repository: str, number: int) -> tuple[GivenReview, ...]:
        """See `Forge`: the approvals, each for the head at the time that it was given, where GitLab tells the time."""
        merges = self._project(repository).mergerequests
        return self._ask(lambda: gitlab_approvals.standing(merges.get(number, lazy=True), self._account))

    def request_review(self, repository: str, number: int, groups: Collection[str]) -> None:
        """See `Forge`: GitLab asks accounts and no groups, so nobody is asked; the comment says who may approve."""

    def put_labels(self, repository: str, number: int, present: Collection[str], absent: Collection[str]) -> None:
        """See `Forge`."""
        self._ask(lambda: gitlab_labels.put(self._project(repository), number, present, absent))

    def _react(self, notes: _Notes, command: Command, emoji: str) -> None:
        awards = notes.merge.notes.get(int(command.comment), lazy=True).awardemojis
        given = [award.attributes for award in awards.list(iterator=True)]
        if not any(award["name"] == emoji and award["user"]["id"] == notes.me for award in given):
            awards.create({"name": emoji})

    def _thread(self, repository: str, number: int) -> _Notes:
        if self._me is None:
            self._client.auth()
            assert self._client.user is not None
            self._me = int(self._client.user.attributes["id"])
        return _Notes(self._project(repository).mergerequests.get(number, lazy=True), self._me)

    def _project(self, repository: str) -> Project:
        """Nothing is asked yet; the client encodes the path, slashes of subgroups included."""
        return self._client.projects.get(repository, lazy=True)

    def _usable(self, repository: str, merge: Mapping[str, Any]) -> PullRequest | None:
        if merge.get("sha") is None:
            return None
        try:
            return self._ask(lambda: self._pull(repository, merge))
        except ForgeError as error:
            if error.retry:
                raise
            return None

    def _pull(self, repository: str, merge: Mapping[str, Any]) -> PullRequest:
        if merge["sha"] is None:
            raise ForgeError("GitLab has not prepared the merge request yet", retry=True)
        number = int(merge["iid"])
        return PullRequest(
            repository=repository,
            number=number,
            open=merge["state"] == "opened",
            draft=merge["draft"] is True,
            base_ref=branch_ref(merge["target_branch"]),
            head_ref=_head_ref(number),
            head_sha=commit_id(merge["sha"]),
            # The source project is null once a fork has been deleted.
            fork=merge["source_project_id"] != merge["target_project_id"],
            author=self._account(merge["author"]),
        )

    def _account(self, author: Mapping[str, Any] | None) -> Account:
        if author is None:
            return Account("0", "ghost", bot=True)
        return Account(str(int(author["id"])), str(author["username"]), self._is_bot(int(author["id"])))

    def _is_bot(self, number: int) -> bool:
        """Only the user itself says so; it never changes. An account that nobody may look at counts as a person."""
        if number not in self._bots:
            try:
                self._bots[number] = self._client.users.get(number).attributes.get("bot") is True
            except Refused as refused:
                if refused.retry:
                    raise
                return False
        return self._bots[number]

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        with self._connection.turn, counted("gitlab"), _translated():
            return call()


class _Notes:
    """The notes of a merge request; see `Thread`."""

    def __init__(self, merge: ProjectMergeRequest, me: int) -> None:
        self.merge, self.me = merge, me

    def own(self) -> Iterator[thread.Remark]:
        for note in self.merge.notes.list(iterator=True, order_by="created_at", sort="asc"):
            said = note.attributes
            if said["author"] is not None and said["author"]["id"] == self.me and not said["system"]:
                yield thread.Remark(int(said["id"]), str(said["body"]))

    def create(self, body: str) -> None:
        self.merge.notes.create({"body": body})

    def edit(self, remark: thread.Remark, body: str) -> None:
        self.merge.notes.update(remark.id, {"body": body})

    def delete(self, remark: thread.Remark) -> None:
        self.merge.notes.delete(remark.id)


def without_quick_actions(body: str) -> str:
    """The text, where no line begins with a slash: GitLab would carry out `/merge`, `/approve` and their like with our rights."""
    return _QUICK_ACTION.sub(r"\1\\/", body)


def _head_ref(number: object) -> str:
    return f"refs/merge-requests/{int(str(number))}/head"


def _listed(call: Callable[[], Any]) -> Iterable[Mapping[str, Any]]:
    """What a commit is part of; nothing where GitLab does not know the commit."""
    try:
        return list(call())
    except Refused as refused:
        if refused.status != 404:
            raise
        return []


def _permission(project: Project, user: int) -> Permission:
    try:
        member = project.members_all.get(user).attributes
    except Refused as refused:
        if refused.status != 404:
            raise
        return Permission.NONE
    if member["id"] != user or member["state"] != "active" or member.get("membership_state", "active") != "active":
        return Permission.NONE
    level = int(member["access_level"])
    if level >= _DEVELOPER:
        return Permission.ADMIN if level >= _MAINTAINER else Permission.WRITE
    return Permission.READ if level > 0 else Permission.NONE


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of the client as `ForgeError`, without anything that the request carried."""
    try:
        yield
    except (GitlabError, AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        # The client raises these for answers that are not GitLab's: a proxy's page, a field that is missing.
        raise ForgeError(f"GitLab gave an answer that is not its API's ({type(error).__name__})", retry=True) from None

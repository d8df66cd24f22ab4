"""GitHub and GitHub Enterprise Server over REST, through PyGithub, as a GitHub App or with a token."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit

from github.GithubException import BadCredentialsException, GithubException
from github.Issue import Issue
from github.IssueComment import IssueComment
from github.NamedUser import NamedUser
from github.Organization import Organization
from github.PullRequest import PullRequest as GithubPullRequest
from github.Repository import Repository

from service.forges import github_contributors, github_labels, github_reviews, github_teams
from service.forges.counted import counted
from service.forges.git_names import branch_ref, commit_id
from service.forges.github_access import Access, Api, AppAccess, TokenAccess
from service.forges.github_checks import put_run, put_status
from service.forges.github_errors import is_missing, translated
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
    marker,
)
from service.forges.signers import numbered_address
from service.forges.thread import Remark, put, reply_marker
from service.settings.readers import SettingsError

if TYPE_CHECKING:
    from service.settings import ForgeSettings, Settings

log = logging.getLogger(__name__)
COMMENT_LIMIT = 65_536
_REACTIONS = {Reaction.SEEN: "eyes", Reaction.REFUSED: "confused"}
_PERMISSIONS = {"admin": Permission.ADMIN, "write": Permission.WRITE, "read": Permission.READ}
# Whom GitHub shows in place of an account that was deleted.
_GHOST = Account("10137", "ghost")

Answer = TypeVar("Answer")


class GitHub:
    """The forge behind one API URL.

    One instance serves all threads of a process and asks one thing at a time: GitHub wants requests in series, and a connection of
    PyGithub keeps the request it is about to send where a second thread would overwrite it.
    """

    def __init__(self, access: Access, git_url: str, *, context: str) -> None:
        self._access, self._git_url, self._context = access, git_url, context
        self._local = git_url.startswith("file:")
        self._given_out = numbered_address("+", {"github.com", urlsplit(git_url).hostname or "github.com"})
        self._asking = threading.Lock()

    @classmethod
    def from_settings(cls, known: ForgeSettings, settings: Settings) -> GitHub:
        """The forge of the settings. Raises `SettingsError` for a private key that is none."""
        api = Api(known.api_url, settings.forge_timeout, settings.write_interval)
        try:
            access = AppAccess(api, known.app_id, known.app_key) if known.app_id else TokenAccess(api, known.token)
        except ValueError as error:
            raise SettingsError(f"{known.variable}APP_KEY: {error}") from None
        return cls(access, known.git_url, context=settings.status_context)

    @property
    def comment_limit(self) -> int:
        """See `Forge`."""
        return COMMENT_LIMIT

    def credential(self, repository: str) -> Credential | None:
        """See `Forge`: the token, the way GitHub takes it over git's HTTP; None for local repositories."""
        if self._local:
            return None
        return Credential("x-access-token", self._ask(repository, lambda _: self._access.git_token(repository)))

    def clone_url(self, repository: str) -> str:
        """See `Forge`."""
        return f"{self._git_url}/{quote(repository)}.git"

    def source_url(self, repository: str) -> str:
        """See `Forge`."""
        return "" if self._local else f"{self._git_url}/{quote(repository)}/blob/{{commit}}/{{path}}#L{{line}}"

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        return self._ask(repository, lambda known: _pull_request(repository, known.get_pull(number)))

    def open_pull_requests(self, repository: str) -> Iterator[PullRequest]:
        """See `Forge`. One that git would not take is left out here; asking for it by its number says why."""
        yield from self._ask(repository, lambda known: list(_usable(repository, known)))

    def tip(self, repository: str, ref: str) -> str:
        """See `Forge`."""
        return commit_id(self._ask(repository, lambda known: known.get_git_ref(ref.removeprefix("refs/")).object.sha))

    def refs_near(self, repository: str, commit: str) -> Iterator[str]:
        """See `Forge`: the default branch, the pull requests of the commit, the branches that it is the head of."""
        yield f"refs/heads/{self._ask(repository, lambda known: known.default_branch)}"
        for number in self._ask(repository, lambda known: [pull.number for pull in known.get_commit(commit).get_pulls()]):
            yield f"refs/pull/{number}/head"
        for name in self._ask(repository, lambda known: [each.name for each in known.get_commit(commit).get_branches_where_head()]):
            yield f"refs/heads/{name}"

    def put_check(self, repository: str, check: Check) -> None:
        """See `Forge`: a check run of the App, a commit status with a token."""

        def report(known: Repository) -> None:
            app = self._access.app()
            put_status(known, check, self._context) if app is None else put_run(known, check, self._context, app)

        self._ask(repository, report)

    def put_comment(self, repository: str, number: int, body: str) -> None:
        """See `Forge`."""
        self._put(repository, number, marker(self._context), body)

    def permission(self, repository: str, account: Account) -> Permission:
        """See `Forge`. GitHub is asked by name; a name that has passed to another account gives nothing."""

        def ask(known: Repository) -> Permission:
            path = f"{known.url}/collaborators/{quote(account.name, safe='')}/permission"
            try:
                _, found = known.requester.requestJsonAndCheck("GET", path)
            except GithubException as error:
                if is_missing(error):
                    return Permission.NONE
                raise
            same = isinstance(found["user"], dict) and str(found["user"]["id"]) == account.id
            return _PERMISSIONS.get(found["permission"], Permission.NONE) if same else Permission.NONE

        return self._ask(repository, ask)

    def answer(self, repository: str, command: Command, reaction: Reaction, reply: str = "") -> None:
        """See `Forge`. GitHub keeps one reaction of a kind; the reply is found by a marker that holds the comment's id."""
        if not re.fullmatch(r"[0-9]{1,19}", command.comment):
            raise ForgeError("the command has no comment of GitHub", retry=False)
        comment = int(command.comment)
        self._ask(repository, lambda known: _react(known.get_issue(command.number).get_comment(comment), reaction))
        if reply:
            self._put(repository, command.number, reply_marker(command.comment), reply)

    def contributors(self, repository: str, number: int) -> Contributors:
        """See `Forge`: by the commits and by the pushes to the branch. GitHub keeps no pushes to a fork that has been deleted, and
        shows none to a private one where nobody let us in; who pushed there is not known, who committed is."""
        return self._ask(repository, lambda known: github_contributors.find(known, number, self._given_out))

    def members(self, repository: str, group: str, accounts: Collection[Account]) -> frozenset[str]:
        """See `Forge`. Nothing is kept: who left the team a second ago is not in it."""
        owner, team = team_of(repository, group)
        return self._ask(repository, lambda known: github_teams.members(known, owner, team, {account.id for account in accounts}))

    def reviews(self, repository: str, number: int) -> tuple[GivenReview, ...]:
        """See `Forge`."""
        return self._ask(repository, lambda known: github_reviews.standing(known, number))

    def request_review(self, repository: str, number: int, groups: Collection[str]) -> None:
        """See `Forge`. A team is asked once on a pull request, however it ended; teams of other owners cannot be asked."""
        if teams := teams_of_owner(repository, groups):
            self._ask(repository, lambda known: github_teams.request(known, number, teams))

    def put_labels(self, repository: str, number: int, present: Collection[str], absent: Collection[str]) -> None:
        """See `Forge`."""
        self._ask(repository, lambda known: github_labels.put(known, number, present, absent))

    def _put(self, repository: str, number: int, marker: str, body: str) -> None:
        if len(marker) + 1 + len(body) > COMMENT_LIMIT:
            raise ForgeError(f"the comment has more than {COMMENT_LIMIT} characters, which is what GitHub holds", retry=False)
        self._ask(repository, lambda known: put(_Issue(known.get_issue(number), self._access.author(repository)), marker, body))

    def _ask(self, repository: str, call: Callable[[Repository], Answer]) -> Answer:
        """The result of a call. It is made once more with new credentials where GitHub takes back those of an App."""
        with self._asking, counted("github"), translated():
            try:
                return call(self._access.client(repository).get_repo(repository))
            except BadCredentialsException:
                if not self._access.forget(repository):
                    raise
                return call(self._access.client(repository).get_repo(repository))


class _Issue:
    """The comments of a pull request, and the account that is us."""

    def __init__(self, issue: Issue, author: int) -> None:
        self._issue, self._author = issue, author

    def own(self) -> Iterator[Remark]:
        """See `Thread`."""
        return (Remark(each.id, each.body or "") for each in self._issue.get_comments() if _author_id(each) == self._author)

    def create(self, body: str) -> None:
        """See `Thread`."""
        self._issue.create_comment(body)

    def edit(self, remark: Remark, body: str) -> None:
        """See `Thread`."""
        self._issue.get_comment(remark.id).edit(body)

    def delete(self, remark: Remark) -> None:
        """See `Thread`."""
        self._issue.get_comment(remark.id).delete()


def _react(comment: IssueComment, reaction: Reaction) -> None:
    try:
        comment.create_reaction(_REACTIONS[reaction])
    except GithubException as error:
        if not is_missing(error):
            raise
        log.info("the comment of a command is gone, so it gets no reaction")


def _usable(repository: str, known: Repository) -> Iterator[PullRequest]:
    for pull in known.get_pulls(state="open", sort="created", direction="asc"):
        try:
            yield _pull_request(repository, pull)
        except ForgeError as error:
            log.warning("%s#%d: %s", repository, pull.number, error.message)


def _pull_request(repository: str, pull: GithubPullRequest) -> PullRequest:
    head_repository: Repository | None = pull.head.repo  # null once a fork has been deleted, whatever PyGithub's types say
    return PullRequest(
        repository=repository,
        number=pull.number,
        open=pull.state == "open",
        draft=bool(pull.draft),
        base_ref=branch_ref(pull.base.ref),
        head_ref=f"refs/pull/{pull.number}/head",
        head_sha=commit_id(pull.head.sha),
        fork=head_repository is None or head_repository.id != pull.base.repo.id,
        author=_account(pull.user),
    )


def _account(user: NamedUser | None) -> Account:
    return _GHOST if user is None else Account(str(user.id), user.login, user.type == "Bot")


def _author_id(comment: IssueComment) -> int | None:
    user: NamedUser | Organization | None = comment.user  # null where an account was deleted
    return None if user is None else user.id

"""GitHub and GitHub Enterprise Server over REST, through PyGithub, authenticated by a token."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import requests
from github import Auth, Github
from github.GithubException import GithubException
from github.GithubObject import NotSet
from github.Issue import Issue
from github.IssueComment import IssueComment
from github.NamedUser import NamedUser
from github.Organization import Organization
from github.PullRequest import PullRequest as GithubPullRequest
from github.Repository import Repository

from service.forges.port import Credential, ForgeError, PullRequest, Status
from service.secret import Secret

if TYPE_CHECKING:
    from service.settings import Settings

# Finds the comment again. It goes in front of the text, where cutting or editing the end of a comment cannot lose it.
MARKER = "<!-- flowdelta:report -->"
COMMENT_LIMIT = 65_536
_API_VERSION = "2022-11-28"
_DESCRIPTION_LIMIT = 140
_BRANCH = re.compile(r"(?!/|-|.*(?:\.\.|//|@\{|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]{1,255}(?<![./])")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

Answer = TypeVar("Answer")


class GitHub:
    """The forge behind one API URL.

    One instance serves all threads of a process and asks one thing at a time: GitHub wants requests in series, and a connection of
    PyGithub keeps the request it is about to send where a second thread would overwrite it.
    """

    def __init__(self, api_url: str, git_url: str, token: Secret, *, context: str, timeout: float, write_interval: float) -> None:
        self._git_url, self._token, self._context = git_url, token, context
        self._client = Github(
            auth=Auth.Token(token.reveal()),
            base_url=api_url,
            timeout=max(1, round(timeout)),
            per_page=100,
            user_agent="flowdelta",
            retry=None,  # the job retries, durably and by what the forge says; a second loop below it would multiply the tries
            seconds_between_requests=None,
            seconds_between_writes=write_interval or None,
            lazy=True,
            api_version=_API_VERSION,
        )
        self._asking = threading.Lock()
        self._author: int | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> GitHub:
        """The forge of the settings."""
        return cls(
            settings.github_api_url,
            settings.github_git_url,
            settings.github_token,
            context=settings.status_context,
            timeout=settings.forge_timeout,
            write_interval=settings.write_interval,
        )

    @property
    def credential(self) -> Credential | None:
        """The token, the way GitHub takes it over git's HTTP; None for local repositories."""
        return None if self._git_url.startswith("file:") else Credential("x-access-token", self._token)

    def clone_url(self, repository: str) -> str:
        """See `Forge`."""
        return f"{self._git_url}/{quote(repository)}.git"

    def browse_url(self, repository: str) -> str:
        """See `Forge`."""
        return "" if self._git_url.startswith("file:") else f"{self._git_url}/{quote(repository)}"

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        return self._ask(lambda: _pull_request(repository, self._client.get_repo(repository).get_pull(number)))

    def refs_near(self, repository: str, commit: str) -> Iterator[str]:
        """See `Forge`: the default branch, the pull requests of the commit, the branches that it is the head of."""
        known = self._client.get_repo(repository)
        yield f"refs/heads/{self._ask(lambda: known.default_branch)}"
        yield from self._ask(lambda: [f"refs/pull/{pull.number}/head" for pull in known.get_commit(commit).get_pulls()])
        yield from self._ask(lambda: [f"refs/heads/{branch.name}" for branch in known.get_commit(commit).get_branches_where_head()])

    def put_status(self, repository: str, sha: str, status: Status) -> None:
        """See `Forge`. GitHub keeps every status and shows the last one of a context, so setting it again changes nothing."""
        commit = self._client.get_repo(repository).get_commit(sha)
        text = _cut(status.description, _DESCRIPTION_LIMIT)
        self._ask(lambda: commit.create_status(status.state.value, status.url or NotSet, text, self._context))

    def put_comment(self, repository: str, number: int, body: str) -> None:
        """See `Forge`. Of several comments of ours, which two creations at once could leave, the oldest is kept."""
        text = f"{MARKER}\n{body}"
        if len(text) > COMMENT_LIMIT:
            raise ForgeError(f"the comment has {len(text)} characters, GitHub holds {COMMENT_LIMIT}", retry=False)
        self._ask(lambda: self._upsert(self._client.get_repo(repository).get_issue(number), text))

    def _upsert(self, thread: Issue, text: str) -> None:
        own = list(self._own_comments(thread))
        if not own:
            thread.create_comment(text)
        elif own[0].body != text:
            own[0].edit(text)
        for double in own[1:]:
            double.delete()

    def _own_comments(self, thread: Issue) -> Iterator[IssueComment]:
        """Our comments, oldest first: by author, because anyone can copy a marker, and by marker, because the author may write by hand."""
        if self._author is None:
            self._author = self._client.get_user().id
        return (comment for comment in thread.get_comments() if _author_id(comment) == self._author and comment.body.startswith(MARKER))

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        with self._asking, _translated():
            return call()


def _pull_request(repository: str, pull: GithubPullRequest) -> PullRequest:
    base_ref, head_sha = pull.base.ref, pull.head.sha
    if not _BRANCH.fullmatch(base_ref) or not _SHA.fullmatch(head_sha):
        raise ForgeError("GitHub named a base branch or a head commit that git would not take", retry=False)
    head_repository: Repository | None = pull.head.repo  # null once a fork has been deleted, whatever PyGithub's types say
    fork = head_repository is None or head_repository.id != pull.base.repo.id
    return PullRequest(
        repository=repository,
        number=pull.number,
        open=pull.state == "open",
        base_ref=f"refs/heads/{base_ref}",
        head_ref=f"refs/pull/{pull.number}/head",
        head_sha=head_sha,
        fork=fork,
    )


def _author_id(comment: IssueComment) -> int | None:
    user: NamedUser | Organization | None = comment.user  # null where an account was deleted
    return None if user is None else user.id


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of the client as `ForgeError`, without anything that the request carried."""
    try:
        yield
    except GithubException as error:
        raise _from_answer(error) from None
    except requests.RequestException as error:
        raise ForgeError(f"GitHub could not be reached ({type(error).__name__})", retry=True) from None
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        # PyGithub raises these for answers that are not GitHub's: a proxy's error page, a redirect to another host.
        raise ForgeError(f"GitHub gave an answer that is not its API's ({type(error).__name__})", retry=True) from error


def _from_answer(error: GithubException) -> ForgeError:
    headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
    said = _cut(str(error.data.get("message")) if isinstance(error.data, dict) else "no message", 200)
    wait = _wait(headers)
    limited = error.status == 429 or (error.status == 403 and (wait is not None or "rate limit" in said.lower()))
    if limited:
        return ForgeError(f"GitHub limits the rate of requests ({error.status})", retry=True, retry_after=wait or 60.0)
    return ForgeError(f"GitHub answered {error.status}: {said}", retry=error.status >= 500 or error.status == 408, retry_after=wait)


def _wait(headers: dict[str, str]) -> float | None:
    """Seconds to wait by `Retry-After`, or by `X-RateLimit-Reset` where nothing remains; None where neither says."""
    after = headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,6}", after):
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(r"[0-9]{1,12}", reset):
        return max(1.0, int(reset) - time.time())
    return None


def _cut(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"

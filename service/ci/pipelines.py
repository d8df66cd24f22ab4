"""Jobs of GitLab CI, with a token of the API or with the job's own, which can fetch and no more."""

from __future__ import annotations

from collections.abc import Mapping

from service.ci.job import Job, wanted
from service.exits import BadInput
from service.forges.git_names import branch_ref, commit_id
from service.forges.gitlab import GitLab
from service.forges.port import Account, Check, Credential, ForgeError, Look, PullRequest
from service.secret import Secret
from service.settings import ForgeSettings, Kind, Settings

_TOKEN = "FLOWDELTA_GITLAB_TOKEN"
_NO_TOKEN = f"a job's own token cannot write to merge requests; set {_TOKEN}"


def is_job(environ: Mapping[str, str]) -> bool:
    """Whether it is a job of GitLab CI."""
    return environ.get("GITLAB_CI") == "true"


def read(environ: Mapping[str, str]) -> Job:
    """The job. Raises `BadInput`."""
    server = wanted(environ, "CI_SERVER_URL")
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    if number and not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise BadInput(f"CI_MERGE_REQUEST_IID: {number[:20]!r} is no number of a merge request")
    # A pipeline of a fork runs there; its merge request is in the project that it wants to be merged into.
    repository = wanted(environ, "CI_MERGE_REQUEST_PROJECT_PATH", "CI_PROJECT_PATH")
    asked = any(environ.get(name) for name in (_TOKEN, f"{_TOKEN}_FILE"))
    told = _told(environ, repository, int(number)) if number and not asked else None
    call = Look(int(number)) if number else None
    event = environ.get("CI_PIPELINE_SOURCE", "unknown")
    token = Secret("" if asked else wanted(environ, "CI_JOB_TOKEN"))
    return Job(Kind.GITLAB, event, repository, call, server, server, token, told)


def _told(environ: Mapping[str, str], repository: str, number: int) -> PullRequest:
    """The merge request as the job knows it. In a pipeline of merged results the job's commit is not the head."""
    try:
        head = commit_id(wanted(environ, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"))
        base = branch_ref(wanted(environ, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"))
    except ForgeError as error:
        raise BadInput(f"CI_MERGE_REQUEST_…: {error.message}") from error
    draft = environ.get("CI_MERGE_REQUEST_DRAFT") == "true"
    fork = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != environ.get("CI_MERGE_REQUEST_PROJECT_ID")
    ref = f"refs/merge-requests/{number}/head"
    return PullRequest(repository, number, True, draft, base, ref, head, fork, Account("0", "unknown"))


class Unasked(GitLab):
    """A GitLab whose API is not asked, for want of a token: git fetches with the job's, and nothing is written."""

    def __init__(self, known: ForgeSettings, settings: Settings, told: PullRequest) -> None:
        context, timeout = settings.status_context, settings.forge_timeout
        super().__init__(known.api_url, known.git_url, known.token, context=context, timeout=timeout, write_interval=0)
        self._told = told

    def credential(self, repository: str) -> Credential | None:
        """See `Forge`: the name that goes with a job's token."""
        found = super().credential(repository)
        return None if found is None else Credential("gitlab-ci-token", found.password)

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """See `Forge`: what the job was told. Where the head has moved on since, git says so."""
        return self._told

    def put_check(self, repository: str, check: Check) -> None:
        """See `Forge`."""
        raise ForgeError(_NO_TOKEN, retry=False, denied=True)

    def put_comment(self, repository: str, number: int, body: str) -> None:
        """See `Forge`."""
        raise ForgeError(_NO_TOKEN, retry=False, denied=True)

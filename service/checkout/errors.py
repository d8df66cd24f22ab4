"""Why a revision could not be had. `REASONS` is the whole vocabulary; callers branch on it, people read the message."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "access-denied": "The forge refused the credential, or wants one.",
    "ambiguous-revision": "A revision names more than one thing.",
    "empty-repository": "The repository has no commit.",
    "fetch-failed": "The forge could not be reached, or what it sent was refused.",
    "git-failed": "A git command failed in a way that has no reason of its own.",
    "git-missing": "git is not installed or cannot be started.",
    "git-too-old": "git is older than 2.38, which cannot merge without a work tree.",
    "invalid-folder": "The folder to compare is not a path inside a repository.",
    "invalid-ref": "Not a ref name that may be fetched.",
    "invalid-revision": "Not the name of one revision.",
    "invalid-tree": "The revision holds paths that no checkout could have.",
    "invalid-url": "Not a repository URL that may be fetched from.",
    "locked": "Another process kept the mirror locked for too long.",
    "missing-object": "The repository lacks an object that is needed (a partial or damaged clone).",
    "not-a-commit": "A revision names something that is not a commit.",
    "not-a-repository": "The path holds no git repository.",
    "redirected": "The forge answered with a redirect, which is never followed.",
    "shallow-repository": "The history that is needed was cut off by a shallow clone.",
    "timeout": "git did not finish in time and was stopped.",
    "too-large": "The repository or tree exceeds a cap.",
    "unknown-folder": "The revision has no such folder.",
    "unknown-ref": "The forge has no such ref.",
    "unknown-repository": "The forge has no such repository, or hides it from us.",
    "unknown-revision": "The repository has no such revision.",
    "unrelated-histories": "The two revisions have no commit in common.",
}


class CheckoutError(Exception):
    """A revision could not be had. `reason` is a key of `REASONS`; `message` is for people and holds no secret."""

    def __init__(self, reason: str, message: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"undocumented reason {reason!r}")
        super().__init__(message)
        self.reason, self.message = reason, message


class GitFailed(CheckoutError):
    """A git command ended with an unexpected status. `complaint` is what it said, without secrets or control characters."""

    def __init__(self, command: str, status: int, complaint: str) -> None:
        super().__init__("git-failed", f"git {command} failed (status {status}): {complaint or 'it gave no reason'}")
        self.status, self.complaint = status, complaint

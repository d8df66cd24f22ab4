"""One fetch: refs of a forge into a bare repository of ours, and what its failure means."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from service.checkout.command import GitRunner
from service.checkout.disk import SizeWatch, sweep
from service.checkout.errors import CheckoutError, GitFailed
from service.checkout.names import object_id
from service.checkout.remote import Remote

_OPTIONS = (
    *("--quiet", "--force", "--atomic", "--no-tags", "--refmap="),
    *("--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"),
)
_UNUSABLE = re.compile(
    r"not a git repository|bad object refs/flowdelta/|object file .* is empty|loose object .* is corrupt"
    r"|packfile .* (is far too short|cannot be|index unavailable|.* not match)|index file .* (is too small|is corrupt|is non-monotonic)"
)
_EXPLANATIONS = (
    ("unknown-ref", r"couldn't find remote ref"),
    ("redirected", r"returned error: 30\d"),
    ("access-denied", r"could not read (Username|Password)|Authentication failed|returned error: 40[13]|terminal prompts disabled"),
    ("unknown-repository", r"repository '.*' not found|returned error: 404|does not appear to be a git repository|does not exist"),
)


class UnusableMirror(CheckoutError):
    """Nothing can be fetched into this repository: it is damaged, or the forge's repository has the other object format."""


class OtherFormat(UnusableMirror):
    """The forge's repository has the other object format: SHA-256 where this has SHA-1, or the reverse."""


def create(git: GitRunner, object_format: str) -> None:
    """Makes the bare repository that `git` is to run in."""
    git.git_dir.mkdir()
    git.run("init", "--bare", "--quiet", "--template=", "--initial-branch=main", f"--object-format={object_format}")


def fetch(git: GitRunner, place: Remote, refs: Iterable[str], max_bytes: int) -> None:
    """Fetches checked ref names, all or none. Raises `CheckoutError`, and leaves nothing half-written behind."""
    watch = SizeWatch(git.git_dir, max_bytes)
    refspecs = [f"+{ref}:{_private(ref)}" for ref in refs]
    try:
        git.run("fetch", *_OPTIONS, "--", place.url, *refspecs, watch=watch)
        watch.check()
    except GitFailed as error:
        sweep(git.git_dir)
        raise _explained(error, place) from error
    except CheckoutError:
        sweep(git.git_dir)
        raise


def fetched_commit(git: GitRunner, ref: str) -> str:
    """The commit that a fetched ref names. Raises `CheckoutError` (`not-a-commit`)."""
    try:
        return object_id(git.run("rev-parse", "--verify", "--end-of-options", f"{_private(ref)}^{{commit}}").line)
    except GitFailed as error:
        raise CheckoutError("not-a-commit", f"{ref} does not name a commit") from error


def _private(ref: str) -> str:
    """Where a fetched ref is kept: flat, so that neither `a` and `a/b` nor `A` and `a` ever stand in each other's way."""
    return f"refs/flowdelta/{hashlib.sha256(ref.encode()).hexdigest()}"


def _explained(error: GitFailed, place: Remote) -> CheckoutError:
    message = f"fetching from {place.origin} failed: {error.complaint}"
    if "mismatched algorithms" in error.complaint:
        return OtherFormat("fetch-failed", message)
    if _UNUSABLE.search(error.complaint):
        return UnusableMirror("fetch-failed", message)
    reason = next((reason for reason, pattern in _EXPLANATIONS if re.search(pattern, error.complaint)), "fetch-failed")
    return CheckoutError(reason, message)

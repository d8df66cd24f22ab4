"""Takes GitHub's description and example webhooks from the npm registry into `.cache/github`: `python -m tests.forges.fetch_openapi`.

Both packages are pinned by version and by the hash of their archive; what is cached for the same pins is not fetched again.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.forges.openapi import CACHE, DESCRIPTION, EXAMPLES, trimmed


@dataclass(frozen=True)
class Package:
    """A package of the npm registry and the file in it that is used. `integrity` is the base64 SHA-512 of its archive."""

    name: str
    version: str
    integrity: str
    member: str


OPENAPI = Package(
    "@octokit/openapi",
    "23.0.2",
    "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
    "package/generated/api.github.com.json",
)
WEBHOOKS = Package(
    "@octokit/webhooks-examples",
    "7.6.1",
    "De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ==",
    "package/api.github.com/index.json",
)
# Every call that Flowdelta makes; one that is not listed here fails in the tests.
OPERATIONS = [
    ("GET", "/app"),
    ("GET", "/apps/{app_slug}"),
    ("POST", "/app/installations/{installation_id}/access_tokens"),
    ("GET", "/user"),
    ("GET", "/users/{username}"),
    ("GET", "/repos/{owner}/{repo}"),
    ("GET", "/repos/{owner}/{repo}/installation"),
    ("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission"),
    ("GET", "/repos/{owner}/{repo}/git/ref/{ref}"),
    ("GET", "/repos/{owner}/{repo}/pulls"),
    ("GET", "/repos/{owner}/{repo}/pulls/{pull_number}"),
    ("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments"),
    ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments"),
    ("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
    ("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
    ("POST", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions"),
    ("POST", "/repos/{owner}/{repo}/statuses/{sha}"),
    ("POST", "/repos/{owner}/{repo}/check-runs"),
    ("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}"),
    ("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations"),
    ("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs"),
    ("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls"),
    ("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/branches-where-head"),
    ("GET", "/repos/{owner}/{repo}/compare/{basehead}"),
    ("GET", "/repos/{owner}/{repo}/activity"),
    ("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"),
    ("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"),
    ("GET", "/repos/{owner}/{repo}/issues/{issue_number}/events"),
    ("GET", "/repos/{owner}/{repo}/issues/{issue_number}/labels"),
    ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels"),
    ("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}"),
    ("GET", "/orgs/{org}/teams/{team_slug}/members"),
]
EVENTS = (
    *("ping", "pull_request", "pull_request_review", "issue_comment", "push"),
    *("check_run", "check_suite", "merge_group"),
)
_SHAPE = 2  # of what is cached; moves when `trimmed` keeps something else
_PINS = json.dumps([OPENAPI.integrity, WEBHOOKS.integrity, OPERATIONS, EVENTS, _SHAPE])


class Unavailable(Exception):
    """The packages cannot be had here."""


def fetch() -> None:
    """Fill the cache unless it holds what the pins name. Raises `Unavailable`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pins = CACHE / "pins.json"
        if pins.exists() and pins.read_text() == _PINS and DESCRIPTION.exists() and EXAMPLES.exists():
            return
        _write(DESCRIPTION, trimmed(member_of(OPENAPI), OPERATIONS))
        _write(EXAMPLES, {event["name"]: event["examples"] for event in member_of(WEBHOOKS) if event["name"] in EVENTS})
        pins.write_text(_PINS)


def member_of(package: Package) -> Any:
    """The JSON file that a package holds. Raises `Unavailable`, and RuntimeError for an archive that is not the pinned one."""
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"{package.name}@{package.version}", "--silent", "--pack-destination", folder]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300, cwd=folder)
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(f"npm pack {package.name}@{package.version} failed ({type(error).__name__})") from error
        (archive,) = Path(folder).glob("*.tgz")
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != package.integrity:
            raise RuntimeError(f"{package.name}@{package.version} has SHA-512 {found}, not the pinned one")
        with tarfile.open(archive) as packed:
            member = packed.extractfile(package.member)
            if member is None:
                raise RuntimeError(f"{package.name}@{package.version} has no {package.member}")
            return json.load(member)


def _write(path: Path, value: Any) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value), encoding="utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    try:
        fetch()
    except Unavailable as reason:
        sys.exit(f"not fetched: {reason}")

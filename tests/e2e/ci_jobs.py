"""CI jobs as forges start them, for the tests: `flowdelta ci` as a process of its own, with a job's environment and no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.forges.origin import Origin
from tests.service.site import HEAD, NUMBER, SHOP, Site

ROOT = Path(__file__).resolve().parents[2]
PULL = {"action": "synchronize", "number": NUMBER, "pull_request": {"number": NUMBER}}
_IMPATIENT = {"ALLOW_LOCAL_GIT": "true", "WRITE_INTERVAL": "0", "RETRY_FIRST": "0.01", "RETRY_LONGEST": "0.05"}


def run(environ: Mapping[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """`flowdelta ci` in this environment."""
    command = [sys.executable, "-m", "service", "ci", *options]
    bare = {"PATH": os.environ["PATH"], "HOME": os.devnull, **environ}
    return subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False, timeout=120)


def actions(folder: Path, site: Site, token: str, *, event: str = "pull_request", payload: Mapping[str, Any] = PULL) -> dict[str, str]:
    """The environment of a job of GitHub Actions; its page is `folder`/page.md."""
    file = folder / "event.json"
    file.write_text(json.dumps(payload), encoding="utf-8")
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_REPOSITORY": SHOP,
        "GITHUB_API_URL": site.github.url,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_STEP_SUMMARY": str(folder / "page.md"),
        "GITHUB_TOKEN": token,
        **impatient("github", site.origin),
    }


def pipeline(origin: Origin, project: str, server: str, commit: str) -> dict[str, str]:
    """The environment of a job of GitLab CI, in a pipeline of a merge request."""
    return {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_SERVER_URL": server,
        "CI_PROJECT_PATH": project,
        "CI_PROJECT_ID": "77",
        "CI_MERGE_REQUEST_IID": str(NUMBER),
        "CI_MERGE_REQUEST_PROJECT_PATH": project,
        "CI_MERGE_REQUEST_PROJECT_ID": "77",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "77",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_COMMIT_SHA": commit,
        "CI_JOB_TOKEN": "job-token-1f2e3d",
        **impatient("gitlab", origin),
    }


def impatient(kind: str, origin: Origin) -> dict[str, str]:
    """Settings for a job that fetches from a folder and waits for nobody."""
    known = {**_IMPATIENT, f"{kind.upper()}_GIT_URL": origin.url}
    return {f"FLOWDELTA_{name}": value for name, value in known.items()}


__all__ = ["HEAD", "NUMBER", "PULL", "SHOP", "actions", "impatient", "pipeline", "run"]

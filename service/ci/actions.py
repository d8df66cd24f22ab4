"""Jobs of GitHub Actions, and of Gitea's and Forgejo's, which speak as GitHub's do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.ci.job import Job, wanted
from service.exits import BadInput
from service.forges.github_calls import READERS
from service.forges.payload import LARGEST, number
from service.forges.port import Look, Queued, WebhookError
from service.secret import Secret
from service.settings import Kind

_MARKS = {Kind.FORGEJO: "FORGEJO_ACTIONS", Kind.GITEA: "GITEA_ACTIONS", Kind.GITHUB: "GITHUB_ACTIONS"}
_QUEUE = "merge_group"


def kind_of(environ: Mapping[str, str]) -> Kind | None:
    """Whose job it is; None where it is none of these. Gitea and Forgejo set GitHub's mark beside their own."""
    return next((kind for kind, mark in _MARKS.items() if environ.get(mark) == "true"), None)


def read(environ: Mapping[str, str], kind: Kind) -> Job:
    """The job. Raises `BadInput`."""
    event = wanted(environ, "GITHUB_EVENT_NAME")
    server = wanted(environ, "GITHUB_SERVER_URL")
    summary = environ.get("GITHUB_STEP_SUMMARY")
    return Job(
        kind,
        event,
        wanted(environ, "GITHUB_REPOSITORY"),
        _call(environ, event),
        wanted(environ, "GITHUB_API_URL") if kind is Kind.GITHUB else server,  # the others' adapter adds the path itself
        server,
        Secret(next((environ[name] for name in ("INPUT_TOKEN", "GITHUB_TOKEN", "GITEA_TOKEN") if environ.get(name)), "")),
        summary=Path(summary) if summary else None,
        commands=True,
    )


def _call(environ: Mapping[str, str], event: str) -> Look | Queued | None:
    """What the job is about: a pull request by its number, a commit of the merge queue, or nothing of ours."""
    if not event.startswith("pull_request") and event != _QUEUE:
        return None
    path = Path(wanted(environ, "GITHUB_EVENT_PATH"))
    try:
        payload = _event(path)
        if event == _QUEUE:
            (queued,) = READERS[_QUEUE](payload, "checks_requested", 0.0)  # a job that runs is one that was asked for
            assert isinstance(queued, Queued)
            return queued
        return Look(number(payload, "pull_request", "number"))
    except WebhookError as error:
        raise BadInput(f"GITHUB_EVENT_PATH: {path}: {error.message}") from error


def _event(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            payload = json.loads(file.read(LARGEST))
    except OSError as error:
        raise BadInput(f"GITHUB_EVENT_PATH: {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise BadInput(f"GITHUB_EVENT_PATH: {path} does not hold an event as JSON")
    return payload

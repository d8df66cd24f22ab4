"""The CI job that this process runs in, as its environment tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.exits import BadInput
from service.forges.port import Look, PullRequest, Queued
from service.secret import Secret
from service.settings import Kind


@dataclass(frozen=True, slots=True)
class Job:
    """Where to look, and with what. All of it is a hint: what is reviewed is what the forge says of it.

    `call` is None where the job is of nothing that can be reviewed, such as a push; `event` is its word for that. `told` is what a job
    without a token of the API knows of its pull request. `summary` is a file of Markdown that the job's page shows; with `commands`, lines
    of its output may be commands to whoever runs it.
    """

    kind: Kind
    event: str
    repository: str
    call: Look | Queued | None
    api_url: str
    git_url: str
    token: Secret
    told: PullRequest | None = None
    summary: Path | None = None
    commands: bool = False


def wanted(environ: Mapping[str, str], *names: str) -> str:
    """The first of these variables that says something. Raises `BadInput` where none does."""
    found = next((environ[name] for name in names if environ.get(name)), None)
    if found is None:
        raise BadInput(f"{' or '.join(names)}: is not set; `flowdelta ci` runs inside a CI job, which sets it")
    return found

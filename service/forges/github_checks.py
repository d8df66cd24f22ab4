"""The check of a commit on GitHub: a check run where an App writes it, else a commit status.

A check run that is completed stays as it is: GitHub opens none again and takes no remark back. What comes after it is a new run of the
same name, and GitHub shows the newest. GitHub tells nobody which buttons a run has, so they belong to what it says: a check with other
buttons says so in its line or its summary, or it counts as the same.
"""

from __future__ import annotations

import re
from typing import Any

from github.CheckRun import CheckRun
from github.GithubApp import GithubApp
from github.GithubObject import NotSet
from github.Repository import Repository

from service.forges.github_errors import cut
from service.forges.port import Annotation, Button, Check, ForgeError, State

_CONCLUSIONS = {
    State.SUCCESS: "success",
    State.FAILURE: "failure",
    State.ERROR: "failure",
    State.ACTION_REQUIRED: "action_required",
}
# A status knows no action that is required; what does not let a merge pass is its failure.
_STATUSES = {state: state.value for state in State} | {State.ACTION_REQUIRED: "failure"}
_DESCRIPTION, _TITLE = 140, 255
_TEXT = 65_535  # bytes of a summary and of a remark
_CALL = 50  # remarks in one call
_MOST = 500  # remarks on a commit: nobody reads more, and each fifty take a call
_BUTTONS, _LABEL, _EXPLANATION = 3, 20, 40
_ACTION = re.compile(r"[A-Za-z0-9:_-]{1,20}")


def put_status(repository: Repository, check: Check, name: str) -> None:
    """Set the commit status. GitHub keeps every status and shows the last one of a name, so setting it again changes nothing."""
    line = cut(check.line, _DESCRIPTION)
    repository.get_commit(check.sha).create_status(_STATUSES[check.state], check.url or NotSet, line, name)


def put_run(repository: Repository, check: Check, name: str, app: int) -> None:
    """Make the newest check run of the App on the commit say what `check` says."""
    run = _newest(repository, check.sha, name, app)
    if run is not None and run.status == "completed":
        if _says(run, check):
            return
        run = None
    wanted = [] if check.state is State.PENDING else [_remark(each) for each in check.annotations[:_MOST]]
    sent = [] if run is None else _remarks(run)
    if run is not None and any(remark not in wanted for remark in sent):
        run.edit(status="completed", conclusion="cancelled")
        run, sent = None, []
    _write(repository, run, check, name, [remark for remark in wanted if remark not in sent])


def _write(repository: Repository, run: CheckRun | None, check: Check, name: str, remarks: list[dict[str, Any]]) -> None:
    """Send everything, the end last: a run that was cut off in the middle is still open and can be gone on with."""
    parts = [remarks[start : start + _CALL] for start in range(0, len(remarks), _CALL)] or [[]]
    for number, part in enumerate(parts, 1):
        values = _values(check, part, last=number == len(parts))
        if run is None:
            run = repository.create_check_run(name, check.sha, **values)
        else:
            run.edit(**values)


def _values(check: Check, remarks: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    output: dict[str, Any] = {"title": cut(check.line, _TITLE), "summary": _summary(check)}
    if remarks:
        output["annotations"] = remarks
    ended = last and check.state is not State.PENDING
    return {
        "status": "completed" if ended else "in_progress",
        "output": output,
        **({"conclusion": _CONCLUSIONS[check.state]} if ended else {}),
        **({"actions": [_button(each) for each in check.buttons[:_BUTTONS]]} if ended and check.buttons else {}),
        **({"details_url": check.url} if check.url else {}),
        **({"external_id": check.subject} if check.subject else {}),
    }


def _button(button: Button) -> dict[str, str]:
    if not _ACTION.fullmatch(button.action):
        raise ForgeError("a button has an action that GitHub does not hold", retry=False)
    label, description = cut(button.label, _LABEL), cut(button.description, _EXPLANATION)
    return {"label": label, "description": description, "identifier": button.action}


def _newest(repository: Repository, sha: str, name: str, app: int) -> CheckRun | None:
    """Our last run on the commit: by name, and by App, because any App may use the name."""
    runs = repository.get_commit(sha).get_check_runs(check_name=name, filter="all")
    return max((run for run in runs if _app_id(run) == app), key=lambda run: run.id, default=None)


def _app_id(run: CheckRun) -> int | None:
    app: GithubApp | None = run.app  # null where the App was deleted, whatever PyGithub's types say
    return None if app is None else app.id


def _says(run: CheckRun, check: Check) -> bool:
    """Whether a completed run is this check already, written by a call whose answer was lost."""
    output = run.output
    return (
        (run.conclusion, output.title) == (_CONCLUSIONS.get(check.state), cut(check.line, _TITLE))
        and (output.summary or "").split() == _summary(check).split()
        and (run.external_id or "") == check.subject
        and check.url in ("", run.details_url)
    )


def _remarks(run: CheckRun) -> list[dict[str, Any]]:
    if not run.output.annotations_count:
        return []
    return [_shown(each.path, each.start_line, each.title, each.message) for each in run.get_annotations()]


def _remark(annotation: Annotation) -> dict[str, Any]:
    message = _short(annotation.message.strip() or annotation.title, _TEXT)
    return _shown(annotation.path, max(1, annotation.line), cut(annotation.title, _TITLE), message)


def _shown(path: str, line: int, title: str, message: str) -> dict[str, Any]:
    return {"path": path, "start_line": line, "end_line": line, "annotation_level": "warning", "title": title, "message": message}


def _summary(check: Check) -> str:
    return _short(check.summary or check.line, _TEXT)


def _short(text: str, limit: int) -> str:
    """The text, cut to so many bytes."""
    raw = text.encode()
    return text if len(raw) <= limit else f"{raw[: limit - 3].decode(errors='ignore')}…"

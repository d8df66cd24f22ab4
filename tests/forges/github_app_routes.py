"""The calls of GitHub's REST API that are about Apps: who one is, where it is installed, its tokens, and its check runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.forges import github_resources as give
from tests.forges.answering import Answer
from tests.forges.github_app import App, written
from tests.forges.github_routes import REPOSITORY, Route, page, repository_of
from tests.forges.github_state import BOT, BOT_ID, PERSON, PERSON_ID, Call, CheckRun, Refused, Repository

if TYPE_CHECKING:
    from tests.forges.github_fake import GitHubFake

_OWNER = ("acme", 1_001)


def _as_app(fake: GitHubFake, call: Call) -> App:
    if call.caller.kind != "app":
        raise Refused(401, "A JSON web token could not be decoded")
    return fake.app


def _shown_app(fake: GitHubFake, app: App) -> give.Resource:
    return give.app(fake.url, app.number, app.slug, give.user(fake.url, *_OWNER))


def _get_app(fake: GitHubFake, call: Call, _where: dict[str, str]) -> Answer:
    return 200, _shown_app(fake, _as_app(fake, call)), {}


def _get_app_of_slug(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    app = next((app for app in (fake.app, fake.actions) if app.slug == unquote(where["slug"])), None)
    if app is None:
        raise Refused(404, "Not Found")
    return 200, _shown_app(fake, app), {}


def _get_installation(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    number = _as_app(fake, call).installations.get(f"{where['owner']}/{where['repo']}")
    if number is None:
        raise Refused(404, "Not Found")
    return 200, give.installation(fake.url, number, fake.app.number, fake.app.slug, give.user(fake.url, *_OWNER)), {}


def _give_token(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    rights = (call.body or {}).get("permissions", {})
    token, given = _as_app(fake, call).give(int(where["id"]), rights)
    return 201, {"token": token, "expires_at": written(given.expires), "permissions": rights, "repository_selection": "selected"}, {}


def _get_user(fake: GitHubFake, _call: Call, where: dict[str, str]) -> Answer:
    known = dict([(BOT, BOT_ID), (PERSON, PERSON_ID), fake.app.user, fake.actions.user])
    login = unquote(where["login"])
    if login not in known:
        raise Refused(404, "Not Found")
    return 200, give.authenticated_user(fake.url, login, known[login]), {}


def _shown(fake: GitHubFake, repository: Repository, run: CheckRun) -> give.Resource:
    app = next((app for app in (fake.app, fake.actions) if app.number == run.app), None)
    holder = {**_shown_app(fake, fake.app), "id": run.app, "slug": "other"} if app is None else _shown_app(fake, app)
    output = {"title": None, "summary": None, **run.output, "annotations_count": len(run.annotations)}
    return give.check_run(fake.url, repository.name, run.number, run.name, run.head_sha, holder, {**run.values, "output": output})


def _may_check(call: Call) -> None:
    if call.caller.kind != "installation":
        raise Refused(403, "You must authenticate via a GitHub App.")


def _create_run(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    _may_check(call)
    repository = repository_of(fake, where)
    run = CheckRun(fake.next_number(), call.body["name"], call.body["head_sha"], call.caller.app, {})
    _say(run, call.body)
    repository.checks.append(run)
    return 201, _shown(fake, repository, run), {}


def _edit_run(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    """GitHub takes such a call for a completed run and leaves the run as it is; that it is made at all is an error."""
    _may_check(call)
    repository, run = _run(fake, where)
    if run.completed:
        fake.violations.append(f"check run {run.number} is completed and cannot be {call.body.get('status')} again")
    else:
        _say(run, call.body)
    return 200, _shown(fake, repository, run), {}


def _say(run: CheckRun, body: dict[str, Any]) -> None:
    output = dict(body.get("output", {}))
    run.annotations += output.pop("annotations", [])
    run.output |= output
    run.buttons = body.get("actions", run.buttons)
    run.values |= {name: body[name] for name in ("status", "conclusion", "details_url", "external_id") if name in body}
    if "conclusion" in body:
        run.values["status"] = "completed"


def _run(fake: GitHubFake, where: dict[str, str]) -> tuple[Repository, CheckRun]:
    repository = repository_of(fake, where)
    run = next((run for run in repository.checks if run.number == int(where["id"])), None)
    if run is None:
        raise Refused(404, "Not Found")
    return repository, run


def _runs_of_commit(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    repository = repository_of(fake, where)
    every = [run for run in reversed(repository.checks) if run.head_sha == where["ref"] and run.name == where.get("check_name", run.name)]
    if where.get("filter", "latest") == "latest":
        every = list({(run.app, run.name): run for run in reversed(every)}.values())
    status, shown, link = page(fake, call, where, every, lambda run: _shown(fake, repository, run))
    return status, {"total_count": len(every), "check_runs": shown}, link


def _annotations(fake: GitHubFake, call: Call, where: dict[str, str]) -> Answer:
    _, run = _run(fake, where)
    return page(fake, call, where, run.annotations, lambda sent: give.annotation(fake.url, sent))


APP_ROUTES: list[tuple[str, re.Pattern[str], Route]] = [
    ("GET", re.compile("/app"), _get_app),
    ("GET", re.compile("/apps/(?P<slug>[^/]+)"), _get_app_of_slug),
    ("POST", re.compile(r"/app/installations/(?P<id>\d+)/access_tokens"), _give_token),
    ("GET", re.compile("/users/(?P<login>[^/]+)"), _get_user),
    ("GET", re.compile(REPOSITORY + "/installation"), _get_installation),
    ("POST", re.compile(REPOSITORY + "/check-runs"), _create_run),
    ("PATCH", re.compile(REPOSITORY + r"/check-runs/(?P<id>\d+)"), _edit_run),
    ("GET", re.compile(REPOSITORY + r"/check-runs/(?P<id>\d+)/annotations"), _annotations),
    ("GET", re.compile(REPOSITORY + "/commits/(?P<ref>[^/]+)/check-runs"), _runs_of_commit),
]

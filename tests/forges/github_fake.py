"""A stand-in for GitHub's REST API: it keeps pull requests, comments, statuses and check runs, and answers over real HTTP.

It is the forge of the tests and of `flowdelta demo`. Where GitHub's description is cached, every call and every answer is checked
against it; the tests fail on a `violation`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

from tests.forges import github_resources as give
from tests.forges.answering import Answer, JsonServer
from tests.forges.faults import Fault, When
from tests.forges.github_app import ACTIONS_BOT_ID, ACTIONS_ID, ACTIONS_SLUG, App
from tests.forges.github_app_routes import APP_ROUTES
from tests.forges.github_people_routes import PEOPLE_ROUTES
from tests.forges.github_routes import ROUTES
from tests.forges.github_state import BOT, BOT_ID, PERSON, PERSON_ID, Call, Caller, CheckRun, Comment, Pull, Refused, Repository, User
from tests.forges.openapi import Description

__all__ = [
    "API_VERSION",
    "BOT",
    "BOT_ID",
    "PERSON",
    "PERSON_ID",
    "Call",
    "CheckRun",
    "Comment",
    "Description",
    "GitHubFake",
    "Pull",
    "Repository",
]

API_VERSION = "2022-11-28"


class GitHubFake:
    """One forge. Use it as a context manager; `url` is where its API answers, below `prefix` as on GitHub Enterprise Server."""

    def __init__(self, token: str, *, description: Description | None = None, prefix: str = "") -> None:
        self.token, self.description, self.app = token, description, App()
        self.actions = App(ACTIONS_ID, ACTIONS_SLUG, ACTIONS_BOT_ID)
        self.repositories: dict[str, Repository] = {}
        self.teams: dict[str, list[User]] = {}
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self._changed = threading.Condition()
        self._numbers = iter(range(1_000_000, 2_000_000))
        self._server = JsonServer(self._heard, "application/json; charset=utf-8")
        self.prefix = prefix
        self.url = f"{self._server.url}{prefix}"

    def __enter__(self) -> GitHubFake:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering, and let go of whoever stands at a gate."""
        for fault in self.faults:
            if fault.gate is not None:
                fault.gate.open()
        self._server.stop()

    def repository(self, name: str) -> Repository:
        """The repository, made when it is first named."""
        with self._changed:
            return self.repositories.setdefault(name, Repository(name, len(self.repositories) + 1))

    def comments(self, repository: str, number: int) -> list[Comment]:
        """The comments on a pull request."""
        with self._changed:
            return [comment for comment in self.repository(repository).comments if comment.issue == number]

    def statuses(self, repository: str, sha: str) -> list[tuple[str, str]]:
        """The states and descriptions that a commit was given, in order."""
        with self._changed:
            kept = self.repository(repository).statuses
            return [(status["state"], status["description"]) for status in kept if status["url"].endswith(sha)]

    def checks(self, repository: str, sha: str) -> list[CheckRun]:
        """The check runs that GitHub shows on a commit: the newest of each name."""
        with self._changed:
            return list({(run.app, run.name): run for run in self.repository(repository).checks if run.head_sha == sha}.values())

    def add_comment(self, repository: str, issue: int, author: User | None, body: str) -> Comment:
        """Write a comment, as a user of the site would."""
        with self._changed:
            comment = Comment(next(self._numbers), issue, author, body)
            self.repository(repository).comments.append(comment)
            self._changed.notify_all()
            return comment

    def inject(self, fault: Fault) -> Fault:
        """Let a fault happen from now on."""
        with self._changed:
            self.faults.append(fault)
        return fault

    def wait_until(self, condition: Callable[[], bool], timeout: float, *, otherwise: Callable[[], str] = str) -> None:
        """Block until something that calls change holds."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"after {timeout:g} s: {otherwise()}")

    def called(self, method: str, path: str) -> int:
        """How often a call was answered; `path` is a regular expression."""
        with self._changed:
            return sum(1 for call in self.calls if call.method == method and re.fullmatch(path, call.path))

    def _heard(self, method: str, path: str, query: str, body: Any, headers: Message) -> Answer | None:
        below = path.removeprefix(self.prefix) if path.startswith(self.prefix) else f"/elsewhere{path}"
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        return self.answer(Call(method, below, body, query=asked), headers)

    def answer(self, call: Call, headers: Any) -> Answer | None:
        """The answer to a call, None for none at all. Everything that a handler does goes through here."""
        fault = self._fault(call)
        if fault is not None and fault.when is When.BEFORE:
            return self._faulty(call, fault)
        with self._changed:
            status, body, extra = self._checked(call, headers)
            call.status = status
            self.calls.append(call)
            self._changed.notify_all()
        return (status, body, extra) if fault is None else self._faulty(call, fault)

    def _fault(self, call: Call) -> Fault | None:
        with self._changed:
            return next((fault for fault in self.faults if fault.hits(call.method, call.path)), None)

    def _faulty(self, call: Call, fault: Fault) -> Answer | None:
        if fault.gate is not None:
            fault.gate.hold()
        with self._changed:
            self.calls.append(Call(call.method, call.path, call.body, fault.status))
            self._changed.notify_all()
        return (fault.status, {"message": fault.message}, dict(fault.headers)) if fault.status else None

    def _checked(self, call: Call, headers: Any) -> Answer:
        if self.description is not None:
            self.violations += self.description.problems_of_call(call.method, call.path, call.body, call.query)
        if headers.get("X-GitHub-Api-Version") != API_VERSION:
            self.violations.append(f"{call.method} {call.path} does not pin the version of the API")
        try:
            call.caller = self._caller(call, *headers.get("Authorization", "").partition(" ")[::2])
            status, body, extra = self._routed(call)
        except Refused as refused:
            return refused.status, {"message": refused.message, "documentation_url": "https://docs.github.com/rest"}, {}
        if self.description is not None:
            self.violations += self.description.problems_of_answer(call.method, call.path, status, body)
        return status, body, extra

    def _caller(self, call: Call, scheme: str, token: str) -> Caller:
        """Who calls. An installation sees its own repositories alone."""
        if scheme in ("token", "Bearer") and token == self.token:
            return Caller("user", (BOT, BOT_ID))
        if scheme == "Bearer" and self.app.proves(token):
            return Caller("app", self.app.user)
        apps = (self.app, self.actions) if scheme in ("token", "Bearer") else ()
        caller = next((found for app in apps if (found := app.caller(token)) is not None), None)
        if caller is None:
            raise Refused(401, "Bad credentials")
        where = re.match("/repos/([^/]+/[^/]+)", call.path)
        if where is not None and not any(app.may_see(token, where[1]) for app in apps):
            raise Refused(404, "Not Found")
        if caller.rights is not None or not (caller.writes or call.method == "GET"):
            raise Refused(403, "Resource not accessible by integration")
        return caller

    def _routed(self, call: Call) -> Answer:
        for method, pattern, route in (*ROUTES, *APP_ROUTES, *PEOPLE_ROUTES):
            match = pattern.fullmatch(call.path)
            if match and method == call.method:
                return route(self, call, {**call.query, **match.groupdict()})
        raise Refused(404, "Not Found")

    def author(self, who: User | None) -> give.Resource | None:
        """A user as a resource."""
        return None if who is None else give.user(self.url, *who)

    def next_number(self) -> int:
        """A fresh id."""
        return next(self._numbers)

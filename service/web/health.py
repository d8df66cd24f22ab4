"""Health: /healthz says that the process answers, /readyz that it can work. Neither needs a token or tells a secret."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable

from flask import Response

from analyzers.rendering.sandbox import network_is_isolated
from service.store import Store, StoreError
from service.web.operations import Answer, Operation, Routes
from service.web.shown import Readiness, respond

log = logging.getLogger(__name__)
_TAG = "Health"


def add(routes: Routes, store: Store, worker_alive: Callable[[], bool | None]) -> None:
    """Declare both routes. `worker_alive` is None where the worker is another process."""

    @routes.add(Operation("GET", "/healthz", "Whether the process answers", {200: Answer("It does.", None, ("text/plain",))}, tag=_TAG))
    def healthz() -> Response:
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    readiness = {200: Answer("It can.", Readiness), 503: Answer("It cannot, and this is why.", Readiness)}

    @routes.add(Operation("GET", "/readyz", "Whether the process can work", readiness, tag=_TAG))
    def readyz() -> Response:
        alive = worker_alive()
        worker = "in another process" if alive is None else "running" if alive else "stopped"
        checks = {"database": _database(store), "queue": _queue(store), "worker": worker, "git": _git(), "renderers": _renderers()}
        ready = checks["database"] == "answers" and alive is not False and checks["git"] != "missing"
        return respond(Readiness(ready=ready, checks=checks), 200 if ready else 503)


def _database(store: Store) -> str:
    try:
        store.ping()
    except StoreError:
        log.exception("the database does not answer")
        return "does not answer"
    return "answers"


def _queue(store: Store) -> str:
    try:
        return f"{store.figures().waiting} waiting"
    except StoreError:
        return "does not answer"


def _renderers() -> str:
    """How kustomize and helm are kept from the network."""
    return "in a network of their own" if network_is_isolated() else "no network namespace: proxies that lead nowhere"


def _git() -> str:
    try:
        said = subprocess.run(["git", "version"], capture_output=True, timeout=5, check=True, text=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "missing"
    return said.strip().removeprefix("git version ")

"""Health: /healthz says that the process answers, /readyz that it can work."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from service.store import Store

log = logging.getLogger(__name__)


def blueprint(store: Store, worker_alive: Callable[[], bool | None]) -> Blueprint:
    """Both routes; neither needs a token or tells a secret. `worker_alive` is None where the worker is another process."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        alive = worker_alive()
        worker = "in another process" if alive is None else "running" if alive else "stopped"
        checks = {"database": _database(store), "worker": worker, "git": _git()}
        ready = checks["database"] == "answers" and alive is not False and checks["git"] != "missing"
        return jsonify(ready=ready, checks=checks), 200 if ready else 503

    return routes


def _database(store: Store) -> str:
    try:
        store.ping()
    except SQLAlchemyError:
        log.exception("the database does not answer")
        return "does not answer"
    return "answers"


def _git() -> str:
    try:
        said = subprocess.run(["git", "version"], capture_output=True, timeout=5, check=True, text=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "missing"
    return said.strip().removeprefix("git version ")

"""Everything that the web side answers, on one Flask application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, Flask, Response

from service.checkout.mirror import Mirrors
from service.forges import Connected
from service.settings import Settings
from service.store import Store
from service.web import (
    analyses,
    asking,
    described,
    figures,
    health,
    inventories,
    problems,
    rates,
    reports,
    repositories,
    signing,
    webhooks,
)
from service.web.auth import Doorman
from service.web.desk import Desk
from service.web.operations import Routes
from service.web.reporting import Analyse, Reporting
from service.web.revisions import Revisions
from service.web.subjects import Subjects


@dataclass(frozen=True, slots=True)
class Parts:
    """What the web side works with. `wake` tells the worker of this process that there is something to do; `worker_alive` is None where the
    worker is another process."""

    settings: Settings
    store: Store
    connected: Mapping[str, Connected]
    mirrors: Mirrors
    analyse: Analyse
    desk: Desk
    wake: Callable[[], None]
    worker_alive: Callable[[], bool | None]


def desk(settings: Settings, store: Store) -> Desk:
    """The desk of one process; it starts no thread before it is asked. Half of the threads may wait for it: webhooks need the others."""
    return Desk(store, lease=settings.lease, patient=max(1, settings.threads // 2))


def register(app: Flask, parts: Parts) -> None:
    """Put every route on the application."""
    settings, store = parts.settings, parts.store
    app.config.update(MAX_FORM_MEMORY_SIZE=64_000, MAX_FORM_PARTS=120, MAX_CONTENT_LENGTH=settings.upload_bytes)
    problems.install(app)
    doorman = Doorman.of(store, settings.api_rate)
    app.register_blueprint(webhooks.blueprint(store, parts.connected, parts.wake))
    app.register_blueprint(reports.blueprint(doorman, store))
    if settings.metrics:
        app.register_blueprint(figures.blueprint(store))
    routes = Routes(Blueprint("api", __name__), doorman, settings.upload_bytes)
    subjects = Subjects(Revisions(parts.connected, parts.mirrors))
    reporting = Reporting(settings, store, parts.desk, parts.analyse)
    asking.add(routes, settings, reporting, subjects)
    asking.add_jobs(routes, store)
    analyses.add(routes, store, subjects, parts.wake)
    analyses.add_reports(routes, store, subjects, reporting)
    repositories.add(routes, store, parts.connected)
    signing.add(routes, settings, store, parts.connected, parts.wake)
    inventories.add(routes, settings, store, subjects)
    health.add(routes, store, parts.worker_alive)
    app.register_blueprint(routes.blueprint)
    app.register_blueprint(described.blueprint(routes.declared))
    app.after_request(rates.tell)
    app.after_request(_harden)


_PAGES = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""What a report as a page may do: be looked at."""


def _harden(response: Response) -> Response:
    """What every answer says unless its route knows better: no sniffing, no keeping, nothing that a browser may run."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Content-Security-Policy", _PAGES if response.mimetype == "text/html" else "default-src 'none'")
    return response

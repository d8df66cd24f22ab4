"""The composition root: from settings to the objects of one process, and to the Flask application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response

from service.analysis.runner import run
from service.checkout import Mirrors
from service.forges import RECEIVERS, connect
from service.forges.port import Forge
from service.jobs.engine import Engine
from service.review.steps import Steps
from service.settings import Settings
from service.store import Store
from service.web import api, health, problems, reports, webhooks
from service.web.revisions import Revisions


@dataclass(frozen=True, slots=True)
class Service:
    """What one process works with. `engine` is None in a process that only answers requests. Build it after any fork."""

    settings: Settings
    store: Store
    forge: Forge
    mirrors: Mirrors
    engine: Engine | None

    @classmethod
    def build(cls, settings: Settings, *, worker: bool) -> Service:
        """Open the databases and, with `worker`, prepare the job engine, which `start` launches."""
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds what private repositories look like inside
        store, forge = Store(settings.data_dir / "flowdelta.sqlite3"), connect(settings)
        mirrors = Mirrors(
            settings.data_dir / "mirrors",
            allow_file=settings.allow_local_git,
            timeout=settings.fetch_timeout,
            max_bytes=settings.fetch_bytes,
        )

        def steps(work: Path) -> Steps:
            return Steps(settings, store, forge, mirrors, run, work)

        return cls(settings, store, forge, mirrors, Engine(settings, store, steps) if worker else None)

    def start(self) -> None:
        """Begin to work."""
        if self.engine is not None:
            self.engine.start()

    def stop(self) -> None:
        """Stop working, gently."""
        if self.engine is not None:
            self.engine.stop()
        self.store.close()

    def wake(self) -> None:
        """Tell the worker of this process that there is something to do."""
        if self.engine is not None:
            self.engine.wake()

    def worker_alive(self) -> bool | None:
        """Whether the worker runs; None where it is another process."""
        return None if self.engine is None else self.engine.alive


def create_app(service: Service) -> Flask:
    """The Flask application of a service."""
    app = Flask("flowdelta", static_folder=None)
    app.config.update(MAX_FORM_MEMORY_SIZE=64_000, MAX_FORM_PARTS=8, MAX_CONTENT_LENGTH=service.settings.upload_bytes)
    problems.install(app)
    app.register_blueprint(webhooks.blueprint(service.settings, service.store, RECEIVERS, service.wake))
    revisions = Revisions(service.settings, service.forge, service.mirrors)
    app.register_blueprint(api.blueprint(api.Api(service.settings, revisions, run)))
    app.register_blueprint(reports.blueprint(service.settings, service.store))
    app.register_blueprint(health.blueprint(service.store, service.worker_alive))

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        return response

    return app

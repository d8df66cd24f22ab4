"""The composition root: from settings to the objects of one process, and to the Flask application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore

from flask import Flask

from service.analysis.runner import run
from service.checkout.mirror import Mirrors
from service.forges import Connected, connect
from service.jobs.engine import Engine
from service.review.steps import Steps
from service.settings import Settings
from service.store import Store
from service.web.desk import Desk
from service.web.wiring import Parts, desk, register


@dataclass(frozen=True, slots=True)
class Service:
    """What one process works with. `engine` is None in a process that only answers requests. Build it after any fork."""

    settings: Settings
    store: Store
    connected: Mapping[str, Connected]
    mirrors: Mirrors
    desk: Desk
    engine: Engine | None

    @classmethod
    def build(cls, settings: Settings, *, worker: bool, lost: Callable[[], None] = lambda: None) -> Service:
        """Open the databases and, with `worker`, prepare the job engine, which `start` launches; for `lost` see `Engine`."""
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds what private repositories look like inside
        store, connected = Store.open(settings), connect(settings)
        mirrors = Mirrors(
            settings.data_dir / "mirrors",
            allow_file=settings.allow_local_git,
            timeout=settings.fetch_timeout,
            max_bytes=settings.fetch_bytes,
        )

        def steps(work: Path) -> Steps:
            return Steps(settings, store, connected, mirrors, run, work, BoundedSemaphore(settings.concurrency))

        engine = Engine(settings, store, steps, lost) if worker else None
        return cls(settings, store, connected, mirrors, desk(settings, store), engine)

    def start(self) -> None:
        """Begin to work."""
        if self.engine is not None:
            self.engine.start()

    def stop(self) -> None:
        """Stop working, gently."""
        self.desk.stop()
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
    parts = Parts(
        service.settings, service.store, service.connected, service.mirrors, run, service.desk, service.wake, service.worker_alive
    )
    register(app, parts)
    return app

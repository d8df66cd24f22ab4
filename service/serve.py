"""Running the service: gunicorn with threads in one process, or a worker alone."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from service.exits import BadInput
from service.garbage import look_as_usual
from service.logs import configure, fields
from service.secret import Redaction, Secret
from service.settings import Settings
from service.telemetry import end_traces, trace_where_configured

if TYPE_CHECKING:
    from flask import Flask

    from service.app import Service

log = logging.getLogger(__name__)


def redaction(settings: Settings) -> Redaction:
    """Takes the secrets of the settings out of text."""
    password = urlsplit(settings.database_url.reveal()).password or ""
    return Redaction((*settings.secrets, Secret(password), Secret(unquote(password))))


def serve(settings: Settings, *, worker: bool = True) -> None:
    """Answer requests until SIGTERM; with `worker`, review in the same process. Ends with SystemExit."""
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

    configure(settings.log_level, redaction(settings))
    running: list[Service] = []

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in _gunicorn(settings, running).items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            # In the process that answers, after gunicorn has forked it: threads and database connections do not survive a fork.
            from service.app import Service, create_app

            trace_where_configured()
            service = Service.build(settings, worker=worker, lost=_leave)
            service.start()
            running.append(service)
            app = create_app(service)
            look_as_usual()
            return app

    Server().run()


def worker(settings: Settings) -> None:
    """Review until SIGTERM or SIGINT."""
    from service.app import Service

    configure(settings.log_level, redaction(settings))
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    trace_where_configured()
    service = Service.build(settings, worker=True, lost=_begin_again)
    with _monitored(settings, service):
        service.start()
        look_as_usual()
        stopping.wait()
    service.stop()
    _leave()


@contextmanager
def _monitored(settings: Settings, service: Service) -> Iterator[None]:
    """Answer monitoring meanwhile, where the settings say so. Raises `BadInput` where that address is not to be had."""
    from service.monitoring import Listener

    if settings.worker_listen is None:
        yield
        return
    try:
        listener = Listener(settings.worker_listen, service.store, service.worker_alive)
    except OSError as error:
        raise BadInput(f"FLOWDELTA_WORKER_LISTEN: nobody can listen there: {error.strerror}") from error
    listener.start()
    try:
        yield
    finally:
        listener.stop()


def _gunicorn(settings: Settings, running: list[Service]) -> dict[str, Any]:
    host, port = settings.listen_address

    def when_ready(server: Any) -> None:
        for listener in server.LISTENERS:
            bound = listener.sock.getsockname()
            log.info("listening", extra=fields(host=bound[0], port=bound[1]))

    def worker_exit(server: Any, process: Any) -> None:
        for service in running:
            service.stop()
            _leave()

    return {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": settings.threads,
        # What the engine may take to stop, and a little more: after that gunicorn kills, and the reviews wait for the lease to run out.
        "graceful_timeout": round(settings.grace + settings.forge_timeout) + 15,
        "timeout": 60,
        "control_socket_disable": True,
        "proc_name": "flowdelta",
        "logger_class": _logger_class(),
        "when_ready": when_ready,
        "worker_exit": worker_exit,
    }


def _logger_class() -> type:
    """Gunicorn's messages through our handler; it would write to standard error in a format of its own."""
    from gunicorn.glogging import Logger  # type: ignore[import-untyped]

    class Propagating(Logger):  # type: ignore[misc]
        def setup(self, cfg: Any) -> None:
            self.cfg, self._access_log_enabled = cfg, False
            self.error_log.propagate = True

    return Propagating


def _leave() -> None:
    """End this process now: a review that waits to try again would hold it as long. Gunicorn starts another one where that is wanted."""
    _flush()
    os._exit(0)


def _begin_again() -> None:
    """Become a new process in place of this one, with nothing of it left: a worker alone may have nobody who would start another."""
    _flush()
    os.execv(sys.executable, sys.orig_argv)


def _flush() -> None:
    end_traces()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()

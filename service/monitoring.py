"""What monitoring asks of a process: its metrics, and whether it lives. Neither tells a repository, a branch or an account."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from service.logs import fields
from service.store import Figures, Store, StoreError
from service.telemetry import CONTENT_TYPE, exposition

log = logging.getLogger(__name__)
_PATIENCE = 10.0  # seconds that a client may take to say what it wants


def metrics(store: Store) -> bytes:
    """Every metric of this process and the figures of the queue. Without the database there are those of the process."""

    def figures() -> Figures | None:
        try:
            return store.figures()
        except StoreError as error:
            log.warning("the figures of the queue cannot be had: %s", error)
            return None

    return exposition(figures)


class Listener:
    """Answers GET /metrics and GET /healthz on an address of its own, for a process that answers nothing else. `alive` says whether the
    process does its work."""

    def __init__(self, address: tuple[str, int], store: Store, alive: Callable[[], bool | None]) -> None:
        self._server = _server(address, {"/metrics": lambda: _metrics(store), "/healthz": lambda: _health(alive())})
        self._thread = threading.Thread(target=self._server.serve_forever, name="monitoring", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        host, port = self._server.server_address[:2]
        log.info("listening", extra=fields(host=host, port=port))

    def stop(self) -> None:
        """Answer nothing more."""
        self._server.shutdown()
        self._server.server_close()


_Answer = tuple[HTTPStatus, str, bytes]


def _metrics(store: Store) -> _Answer:
    return HTTPStatus.OK, CONTENT_TYPE, metrics(store)


def _health(alive: bool | None) -> _Answer:
    said = (HTTPStatus.SERVICE_UNAVAILABLE, b"stopped\n") if alive is False else (HTTPStatus.OK, b"ok\n")
    return said[0], "text/plain; charset=utf-8", said[1]


def _server(address: tuple[str, int], routes: dict[str, Callable[[], _Answer]]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE
        server_version, sys_version = "flowdelta", ""

        def do_GET(self) -> None:
            route = routes.get(self.path.partition("?")[0])
            if route is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            status, content_type, body = route()
            self.send_response(status)
            for name, value in (("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: it is asked every few seconds."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        daemon_threads = True

    return Server(address, Handler)

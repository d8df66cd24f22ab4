"""JSON over real HTTP for the stand-ins: what arrives is handed to one function, and what it gives is sent, or nothing at all."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Answer = tuple[int, Any, dict[str, str]]
"""The status, the body and more headers."""

Answering = Callable[[str, str, str, Any, Message], Answer | None]
"""Takes the method, the path, the query, the body and the headers of a call; None closes the connection without an answer."""


class JsonServer:
    """Answers on a free port of this machine from `start` to `stop`."""

    def __init__(self, answering: Answering, content_type: str = "application/json") -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answering, content_type))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(answering: Answering, content_type: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            split = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = answering(self.command, split.path, split.query, json.loads(raw) if raw else None, self.headers)
            with suppress(OSError):  # a client that was killed or gave up waiting is what some tests are about
                if answer is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                else:
                    self._send(*answer)

        def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
            content = b"" if status == 204 else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": content_type, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing: the calls are kept."""

    return Handler

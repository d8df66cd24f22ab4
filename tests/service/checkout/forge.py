"""A forge's git side for the tests: the real server program of git behind HTTP on this machine, which remembers what it was shown."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Forge:
    """What the server does and has seen. `required` is the Authorization header without which it answers 401."""

    root: Path
    port: int = 0
    required: str = ""
    redirect: str = ""
    shown: list[str] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    stalls: bool = False

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


@contextlib.contextmanager
def serve(root: Path) -> Iterator[Forge]:
    """Serves the repositories below `root`."""
    forge = Forge(root)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, forge)

        def do_POST(self) -> None:
            _answer(self, forge)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    forge.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield forge
    finally:
        forge.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, forge: Forge) -> None:
    authorization = request.headers.get("Authorization", "")
    forge.shown.append(authorization)
    if forge.stalls:
        forge.stalled.set()
        forge.go_on.wait()
        request.close_connection = True
    elif forge.redirect:
        _refuse(request, 301, ("Location", forge.redirect))
    elif forge.required and authorization != forge.required:
        _refuse(request, 401, ("WWW-Authenticate", 'Basic realm="forge"'))
    else:
        _serve(request, forge)


def _refuse(request: BaseHTTPRequestHandler, status: int, header: tuple[str, str]) -> None:
    request.send_response(status)
    request.send_header(*header)
    request.send_header("Content-Length", "0")
    request.end_headers()


def _serve(request: BaseHTTPRequestHandler, forge: Forge) -> None:
    path, _, query = request.path.partition("?")
    body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
    variables = {
        "GIT_PROJECT_ROOT": str(forge.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
    }
    done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=os.environ | variables, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
    request.send_response(int(headers.pop("Status", "200").split()[0]))
    for name, value in headers.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)

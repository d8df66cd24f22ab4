"""Setting up without pip: the one wheel that is fetched is the one that was pinned, and credentials go where they belong."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.bootstrap import PIP_WHEEL, SetupFailed, download_pip, split_credentials

WHEEL = b"not really a wheel"
DIGEST = hashlib.sha256(WHEEL).hexdigest()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@dataclass
class Index:
    """A package index on this machine: what it serves by path, and the Authorization header that each path was asked for with."""

    pages: dict[str, bytes]
    url: str = ""
    asked: dict[str, str] = field(default_factory=dict)


@contextmanager
def serving(pages: dict[str, bytes]) -> Iterator[Index]:
    index = Index(pages)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked[self.path] = self.headers.get("Authorization", "")
            body = index.pages.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page(link: str) -> bytes:
    older = '<a href="../../files/pip-1.0.tar.gz#sha256=0">pip-1.0.tar.gz</a>'
    return f'{older}\n<a href="{link}#sha256=0" data-requires-python="&gt;=3.10">{PIP_WHEEL}</a>'.encode()


def test_wheel_is_found_by_a_relative_link() -> None:
    with serving({"/simple/pip/": page(f"../../files/{PIP_WHEEL}"), f"/files/{PIP_WHEEL}": WHEEL}) as index:
        assert download_pip(f"{index.url}/simple/", DIGEST) == WHEEL


def test_wheel_with_another_digest_is_refused() -> None:
    with (
        serving({"/simple/pip/": page(f"../../files/{PIP_WHEEL}"), f"/files/{PIP_WHEEL}": WHEEL + b"!"}) as index,
        pytest.raises(SetupFailed, match="SHA-256 differs"),
    ):
        download_pip(f"{index.url}/simple", DIGEST)


def test_index_that_does_not_list_the_wheel_is_named() -> None:
    with serving({"/simple/pip/": b"<html></html>"}) as index, pytest.raises(SetupFailed, match=r"127\.0\.0\.1 does not list pip-"):
        download_pip(f"{index.url}/simple", DIGEST)


def test_index_that_fails_is_named_with_what_to_do_and_without_its_password() -> None:
    with serving({}) as index:
        private = index.url.replace("//", "//reader:hunter2@")
        with pytest.raises(SetupFailed, match="PIP_INDEX_URL") as failure:
            download_pip(f"{private}/simple", DIGEST)
    assert "hunter2" not in str(failure.value)


def test_credentials_go_to_the_index_and_to_no_other_host() -> None:
    with serving({f"/files/{PIP_WHEEL}": WHEEL}) as files:
        elsewhere = files.url.replace("127.0.0.1", "localhost")
        with serving({"/simple/pip/": page(f"{elsewhere}/files/{PIP_WHEEL}")}) as index:
            private = index.url.replace("//", "//reader:p%40ss@")
            assert download_pip(f"{private}/simple", DIGEST) == WHEEL
            assert base64.b64decode(index.asked["/simple/pip/"].removeprefix("Basic ")) == b"reader:p@ss"
            assert files.asked == {f"/files/{PIP_WHEEL}": ""}


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/simple"])
def test_index_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(SetupFailed, match="http or https"):
        download_pip(url, DIGEST)


def test_url_without_credentials_stays_as_it_is() -> None:
    assert split_credentials("https://example.com/simple/pip/") == ("https://example.com/simple/pip/", "")

"""Attacks over HTTP: each is refused by a defence that this test fails without."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from markdown_it import MarkdownIt
from werkzeug.serving import make_server

from service.settings import Settings
from service.store import Scope
from tests.forges.github_fake import GitHubFake
from tests.forges.origin import Origin, policy, shop, workload
from tests.service.site import SHOP, Site, environment, opened
from tests.service.test_api import problem, tarball, zipped
from tests.service.web_app import Web, grant, web

DIFF, MATRIX = "/api/v1/diff", "/api/v1/matrix"


@pytest.fixture
def site(github: GitHubFake, origin: Origin) -> Site:
    return opened(github, origin)


@pytest.fixture
def process(tmp_path: Path, site: Site) -> Iterator[Web]:
    more = {"UPLOAD_MAX_MB": "1", "ANALYSIS_TIMEOUT": "60", "GITHUB_REPOSITORIES": "acme/shop, acme/*"}
    with web(Settings.from_environment(environment(tmp_path / "data", site.github, site.origin, **more))) as running:
        yield running


@pytest.fixture
def client(process: Web) -> FlaskClient:
    client = process.client
    client.environ_base["HTTP_AUTHORIZATION"] = process.bearer()["Authorization"]
    return client


@pytest.fixture
def served(process: Web) -> Iterator[int]:
    """A port on which the application really answers: what the test client would tidy up goes over the wire as it is."""
    server = make_server("127.0.0.1", 0, process.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def raw(port: int, head: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
    """Send a request as it stands; the status and the document of the answer. The connection stays open: nobody may wait for more."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        found = json.loads(answer.read())
        answer.close()
    return answer.status, found


def head(process: Web, path: str, *lines: str) -> str:
    token = grant(process.store)
    return "\n".join([f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", *lines])


@pytest.mark.parametrize(
    ("path", "type", "length"),
    [
        (MATRIX, "application/json", 64_001),
        (MATRIX, "multipart/form-data; boundary=x", 1_000_001),
        (MATRIX, "application/json", 10**18),
        ("/webhooks/github", "application/json", 25_000_001),
    ],
)
def test_a_body_that_is_too_large_is_refused_by_its_length_before_any_of_it_comes(
    process: Web, served: int, path: str, type: str, length: int
) -> None:
    status, answer = raw(served, head(process, path, f"Content-Type: {type}", f"Content-Length: {length}"))
    assert (status, answer["reason"]) == (413, "too-large")


@pytest.mark.parametrize("path", [MATRIX, "/webhooks/github"])
@pytest.mark.parametrize("type", ["application/json", "multipart/form-data; boundary=x"])
def test_a_body_in_chunks_without_a_length_is_not_read(process: Web, served: int, path: str, type: str) -> None:
    status, answer = raw(served, head(process, path, f"Content-Type: {type}", "Transfer-Encoding: chunked"), b"5\r\nhello\r\n")
    assert (status, answer["reason"]) == (411, "length-required")


def test_a_token_is_judged_before_the_body_comes(served: int) -> None:
    status, answer = raw(served, f"POST {MATRIX} HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 60000")
    assert (status, answer["reason"]) == (401, "missing-token")


@pytest.mark.parametrize("opening", [b"[", b'{"repository":', b'{"a":[', b"\x00", b"\xff\xfe", b'"\\ud800"', b"1e999", b"NaN"])
def test_json_that_is_deep_or_broken_is_malformed_and_not_a_fault_of_ours(client: FlaskClient, opening: bytes) -> None:
    body = (opening * 60_000)[:60_000]
    assert problem(client.post(MATRIX, data=body, content_type="application/json")) == (400, "malformed-body")


def test_deep_json_in_a_field_of_a_form_is_text(client: FlaskClient) -> None:
    form = {"archive": (io.BytesIO(tarball(shop())), "a.tar"), "host_network": "[" * 50_000}
    assert problem(client.post(MATRIX, data=form)) == (400, "invalid-field")


def test_a_form_of_very_many_parts_is_refused(client: FlaskClient) -> None:
    form = {"archive": (io.BytesIO(tarball(shop())), "a.tar"), "namespaces": ["shop"] * 200}
    assert problem(client.post(MATRIX, data=form)) == (413, "too-large")


@pytest.mark.parametrize(
    "path", ["../etc", "/etc", "a/../../etc", "..", ".git", "a/.GIT/b", "a\u0000b", "-rf", "--output=/tmp/x", ":(top)", ":/", "HEAD:x"]
)
def test_a_path_leads_nowhere_but_into_the_repository(client: FlaskClient, path: str) -> None:
    answer = client.post(MATRIX, json={"repository": SHOP, "revision": "main", "path": path})
    assert problem(answer)[1] in ("invalid-folder", "unknown-folder")


@pytest.mark.parametrize("name", ["../escape.yaml", "/etc/cron.d/x.yaml", "a/../../x.yaml", "C:\\x.yaml", "..\\x.yaml"])
@pytest.mark.parametrize("pack", [tarball, zipped])
def test_an_archive_reaches_nowhere_out_of_itself(client: FlaskClient, pack: Any, name: str) -> None:
    answer = client.post(MATRIX, data={"archive": (io.BytesIO(pack({name: "kind: Pod"})), "a")})
    assert problem(answer) == (422, "unsafe-path")


def test_the_name_of_an_uploaded_file_is_not_a_path(client: FlaskClient, tmp_path: Path) -> None:
    target = tmp_path / "planted"
    answer = client.post(MATRIX, data={"archive": (io.BytesIO(tarball(shop())), str(target))})
    assert (answer.status_code, target.exists()) == (200, False)


class Trap(HTTPServer):
    """A server inside the network that nobody should be able to reach through us."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_error(404)

            do_POST = do_GET  # noqa: N815 - the base class names it

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def trap() -> Iterator[Trap]:
    with Trap() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "repository",
    [
        "http://127.0.0.1:{port}/acme/shop",
        "http://127.0.0.1:{port}",
        "acme/shop@127.0.0.1:{port}/x",
        "acme/../../127.0.0.1:{port}/x",
        "//127.0.0.1:{port}/acme/shop",
        "file:///etc",
        "ext::sh -c touch% /tmp/x",
        "git@127.0.0.1:acme/shop",
        "acme/shop?x=http://127.0.0.1:{port}",
        "acme/shop#",
        "acme/..",
        "acme/.",
        "acme/-shop/..",
        "acme/%2e%2e",
        "acme/shop\n",
    ],
)
def test_a_repository_is_a_name_on_a_known_forge_and_never_a_place_to_ask(
    client: FlaskClient, trap: Trap, site: Site, repository: str
) -> None:
    before = len(site.github.calls)
    answer = client.post(MATRIX, json={"repository": repository.format(port=trap.server_port), "revision": "main"})
    assert problem(answer) in [(400, "invalid-field"), (404, "unknown-repository")]
    assert (trap.asked, len(site.github.calls)) == ([], before)


def test_a_redirect_of_the_forge_is_not_followed(trap: Trap, site: Site) -> None:
    """The forge's API sends us to another host when it is asked which branches hold a commit."""

    asked_of_forge = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_of_forge.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{trap.server_port}/secrets")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Redirecting) as forge:
        thread = threading.Thread(target=forge.serve_forever, daemon=True)
        thread.start()
        known = environment(Path(site.origin.root) / "redirected", site.github, site.origin)
        known["FLOWDELTA_GITHUB_API_URL"] = f"http://127.0.0.1:{forge.server_port}"
        known["FLOWDELTA_RETRY_ATTEMPTS"] = "1"
        with web(Settings.from_environment(known)) as running:
            asked = {"repository": SHOP, "revision": "c" * 40}
            answer = running.client.post(MATRIX, json=asked, headers=running.bearer(Scope.ANALYSE))
        forge.shutdown()
        thread.join()
    assert problem(answer)[0] in (404, 502, 503)
    assert (asked_of_forge != [], trap.asked) == (True, [])


@pytest.mark.parametrize(
    "revision",
    [
        "--upload-pack=touch {mark}",
        "-c core.sshCommand=touch {mark}",
        "--output={mark}",
        "refs/heads/--upload-pack=touch {mark}",
        "refs/heads/$(touch {mark})",
        "main; touch {mark}",
        "main:refs/heads/evil",
        "+main",
        "^main",
        "main..x",
        "@{{-1}}",
        "refs/heads/main\nrefs/heads/x",
        "refs/heads/*",
        "",
        "\u0000",
    ],
)
def test_a_revision_is_a_name_and_never_an_option_or_a_refspec(client: FlaskClient, tmp_path: Path, revision: str) -> None:
    mark = tmp_path / "mark"
    answer = client.post(MATRIX, json={"repository": SHOP, "revision": revision.format(mark=mark)})
    assert problem(answer) in [(422, "invalid-ref"), (404, "unknown-ref")]
    assert not mark.exists()


HOSTILE = "x'](https://evil.example)<script>alert(1)</script>@everyone|`**`"


def test_markdown_and_html_in_names_reach_the_report_as_text(client: FlaskClient) -> None:
    """Names of files and objects are the hostile part of a pull request; whoever shows the report as Markdown must see words."""
    before = shop()
    after = {
        **shop(9090),
        f"{HOSTILE.replace('/', '_')}.yaml": policy("cart", "web", 1).replace("name: cart, n", f'name: "{HOSTILE}", n'),
        "named.yaml": workload("db").replace("kind: Deployment", f'kind: "{HOSTILE}"'),
    }
    files = {"base": (io.BytesIO(tarball(before)), "a"), "head": (io.BytesIO(tarball(after)), "b")}
    answer = client.post(f"{DIFF}?format=markdown", data=files)
    assert answer.status_code == 200
    html = MarkdownIt("gfm-like").render(answer.text)
    assert "evil.example" in html  # it is shown, as text
    assert "<script" not in html
    assert 'href="https://evil.example' not in html
    assert answer.mimetype == "text/markdown"
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Content-Security-Policy"]) == ("nosniff", "default-src 'none'")


def test_an_explanation_repeats_no_markup_of_the_question(client: FlaskClient) -> None:
    form = {"archive": (io.BytesIO(tarball(shop())), "a"), "source": HOSTILE, "destination": "shop/cart[Deployment]"}
    answer = client.post("/api/v1/explain", data=form)
    assert problem(answer) == (422, "unknown-endpoint")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_webhook_says_where_to_look_and_never_where_to_fetch_from(process: Web, trap: Trap, site: Site) -> None:
    from service.demo.process import signature
    from tests.service.site import WEBHOOK_SECRET

    evil = f"http://127.0.0.1:{trap.server_port}/acme/shop.git"
    payload = {
        "action": "opened",
        "number": 7,
        "pull_request": {"number": 7, "head": {"repo": {"clone_url": evil}, "sha": "--upload-pack=x"}, "url": evil},
        "repository": {"full_name": SHOP, "clone_url": evil, "git_url": evil, "url": evil},
    }
    body = json.dumps(payload).encode()
    headers = {"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": "d", "X-Hub-Signature-256": signature(WEBHOOK_SECRET, body)}
    assert process.client.post("/webhooks/github", data=body, headers=headers).status_code == 202
    (request,) = process.store.undispatched()
    assert (request.repository, request.subject) == (SHOP, "7")
    assert trap.asked == []

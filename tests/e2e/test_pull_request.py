"""From the signed webhook to the comment, through the real service: gunicorn, the job engine, git, the analysis in its own process."""

from __future__ import annotations

import json
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.running import PATIENCE, Running
from tests.forges.faults import Fault, Gate
from tests.forges.fixtures import TOKEN
from tests.forges.origin import shop
from tests.service.site import WEBHOOK_SECRET, Site


def test_a_pull_request_gets_one_comment_which_follows_its_pushes(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    with running.serve() as service:
        assert running.deliver(service, delivery="first") == 202
        running.wait_for_verdict(service)
        assert "9090" in site.comment
        assert site.states == ["pending", "success"]

        assert running.deliver(service, delivery="first") == 200

        site.push(shop(5050))
        assert running.deliver(service, "synchronize") == 202
        running.wait(lambda: "5050" in site.comments[0] and site.states[-1:] == ["success"], service)
        assert "9090" not in site.comment
    assert site.github.called("POST", ".*/comments") == 1


def test_the_web_process_and_the_worker_can_be_two(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    with running.serve("--no-worker") as web:
        assert running.deliver(web) == 202
        with running.worker() as worker:
            running.wait_for_verdict(web, worker)
    assert "9090" in site.comment


def test_events_that_came_while_no_worker_ran_are_one_review_of_the_newest_head(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    with running.serve("--no-worker") as web:
        for port in (1000, 2000, 3000):
            site.push(shop(port))
            running.deliver(web, "synchronize")
    with running.worker() as worker:
        running.wait_for_verdict(worker)
    assert "3000" in site.comment
    assert site.github.called("POST", ".*/comments") == 1


def test_a_stop_lets_the_running_review_end(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data", GRACE="30")
    gate = Gate()
    site.github.inject(Fault("GET", ".*/pulls/7", status=500, gate=gate))
    with running.serve() as service:
        running.deliver(service)
        gate.wait_until_reached(PATIENCE)
        service.process.send_signal(signal.SIGTERM)
        gate.open()
        assert service.stop() == 0
    assert site.states == ["pending", "success"]
    assert "9090" in site.comment


def test_the_log_is_json_names_the_review_and_holds_no_secret(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data", LOG_LEVEL="DEBUG", GRACE="30")
    site.github.inject(Fault("POST", ".*/statuses/.*", status=500, message=f"leaked {TOKEN}"))
    with running.serve() as service:
        running.deliver(service)
        running.wait_for_verdict(service)
        service.stop()
    lines = [json.loads(line) for line in service.log().splitlines()]
    assert any("review" in line and line["message"] == "review ended" for line in lines)
    assert any("500" in line["message"] for line in lines)
    for secret in (TOKEN, WEBHOOK_SECRET):
        assert secret not in service.log()


def test_nothing_on_disk_holds_a_secret(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    with running.serve() as service:
        running.deliver(service)
        running.wait_for_verdict(service)
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in (TOKEN, WEBHOOK_SECRET)), path


def test_a_wrong_signature_is_refused_and_a_repository_that_is_not_served_is_not(site: Site, tmp_path: Path) -> None:
    """A forge switches a webhook off that is refused again and again; one of an App speaks of repositories that nobody listed."""
    running = Running(site, tmp_path / "data")
    with running.serve("--no-worker") as service:
        assert running.deliver(service, repository="acme/other") == 200
        request = urllib.request.Request(f"{service.url}/webhooks/github", b"{}", {"X-Hub-Signature-256": "sha256=" + "0" * 64})
        with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(request, timeout=30):
            pass
        with refused.value:
            assert refused.value.code == 401
            assert json.load(refused.value)["reason"] == "wrong-signature"
        with urllib.request.urlopen(f"{service.url}/readyz", timeout=30) as ready:
            assert json.load(ready)["checks"]["worker"] == "in another process"


def test_an_oversized_body_is_refused_before_it_is_sent(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    with running.serve("--no-worker") as service:
        address = urlsplit(service.url)
        assert address.hostname is not None
        with socket.create_connection((address.hostname, address.port or 0), timeout=30) as connection:
            connection.sendall(b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 26000000\r\n\r\n")
            answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 413 ")
        with urllib.request.urlopen(f"{service.url}/healthz", timeout=30) as health:
            assert health.read() == b"ok\n"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FLOWDELTA_GITHUB_WEBHOOK_SECRET", "", "FLOWDELTA_GITHUB_WEBHOOK_SECRET: is required"),
        ("FLOWDELTA_LISTEN_PORT", "many", "FLOWDELTA_LISTEN_PORT: must be a whole number"),
        ("FLOWDELTA_TYPO", "1", "FLOWDELTA_TYPO: is not a setting"),
    ],
)
def test_a_bad_setting_stops_the_start_by_name(site: Site, tmp_path: Path, name: str, value: str, message: str) -> None:
    running = Running(site, tmp_path / "data")
    running.environment[name] = value
    with pytest.raises(Exception, match=message), running.serve():
        pass

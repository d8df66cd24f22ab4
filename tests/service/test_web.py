"""Webhooks, health and reports: the Flask application over a real database. The worker is another process, so nothing is reviewed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import Service, create_app
from service.demo.process import signature
from service.settings import Settings
from service.store import Request, Scope, Store, StoreError
from service.tokens import digest, generate
from tests.forges.github_fake import GitHubFake
from tests.forges.origin import Origin
from tests.service.site import SHOP, WEBHOOK_SECRET, environment
from tests.service.test_api import problem

TOKEN = generate()
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def service(tmp_path: Path, github: GitHubFake, origin: Origin) -> Iterator[Service]:
    more = {"GITHUB_WEBHOOK_SECRET_PREVIOUS": "old-secret-77"}
    built = Service.build(Settings.from_environment(environment(tmp_path / "data", github, origin, **more)), worker=False)
    built.store.add_token(digest(TOKEN), "test", [Scope.READ], None)
    yield built
    built.stop()


@pytest.fixture
def client(service: Service) -> FlaskClient:
    return create_app(service).test_client()


def event(action: str = "opened", repository: str = SHOP, number: int = 7, **more: Any) -> dict[str, Any]:
    return {"action": action, "number": number, "pull_request": {"number": number}, "repository": {"full_name": repository}, **more}


def deliver(
    client: FlaskClient, payload: Any, *, secret: str = WEBHOOK_SECRET, delivery: str = "d1", kind: str = "pull_request"
) -> TestResponse:
    body = json.dumps(payload).encode()
    headers = {"X-GitHub-Event": kind, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": signature(secret, body)}
    return client.post("/webhooks/github", data=body, headers=headers)


def test_a_signed_event_is_queued_and_answered(client: FlaskClient, service: Service) -> None:
    answer = deliver(client, event())
    assert (answer.status_code, answer.json) == (202, {"status": "queued"})
    assert service.store.undispatched() == [Request("github", SHOP, "7", 1)]


def test_a_redelivery_is_answered_and_queued_no_second_time(client: FlaskClient, service: Service) -> None:
    deliver(client, event())
    answer = deliver(client, event())
    assert (answer.status_code, answer.json) == (200, {"status": "already seen"})
    assert service.store.undispatched() == [Request("github", SHOP, "7", 1)]


def test_the_secret_that_is_rotated_out_still_holds(client: FlaskClient) -> None:
    assert deliver(client, event(), secret="old-secret-77").status_code == 202


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_a_wrong_signature_is_refused_and_leaves_nothing(client: FlaskClient, service: Service, secret: str) -> None:
    assert problem(deliver(client, event(), secret=secret)) == (401, "wrong-signature")
    assert service.store.undispatched() == []


def test_a_missing_signature_is_refused(client: FlaskClient) -> None:
    headers = {"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": "d1"}
    assert problem(client.post("/webhooks/github", data=b"{}", headers=headers)) == (401, "missing-signature")


@pytest.mark.parametrize(
    ("kind", "payload"),
    [("ping", {"zen": "…"}), ("push", {"ref": "refs/tags/v1", "repository": {"full_name": SHOP}}), ("pull_request", event("labeled"))],
)
def test_other_events_are_answered_and_ignored(client: FlaskClient, service: Service, kind: str, payload: dict[str, Any]) -> None:
    answer = deliver(client, payload, kind=kind)
    assert (answer.status_code, answer.json) == (200, {"status": "ignored"})
    assert service.store.undispatched() == []


def test_a_repository_that_is_not_served_is_answered_so_that_the_forge_keeps_its_webhook(client: FlaskClient, service: Service) -> None:
    answer = deliver(client, event(repository="acme/other"))
    assert answer.json is not None
    assert (answer.status_code, answer.json["status"]) == (200, "not served")
    assert "FLOWDELTA_GITHUB_REPOSITORIES" in answer.json["detail"]
    assert service.store.undispatched() == []
    assert deliver(client, event(), delivery="d1").json == {"status": "queued"}, "nothing of the first one was kept"


def test_a_repository_in_another_case_is_the_same(client: FlaskClient, service: Service) -> None:
    deliver(client, event(repository="ACME/Shop"))
    assert service.store.undispatched() == [Request("github", SHOP, "7", 1)]


def test_a_body_of_unknown_length_is_not_read(client: FlaskClient) -> None:
    answer = client.post("/webhooks/github", input_stream=None, headers={"Transfer-Encoding": "chunked"})
    assert problem(answer) == (411, "length-required")


def test_an_oversized_body_is_refused_by_its_length(client: FlaskClient) -> None:
    answer = client.post("/webhooks/github", environ_overrides={"CONTENT_LENGTH": "25000001"})
    assert problem(answer) == (413, "too-large")


def test_a_body_that_ends_early_is_refused(client: FlaskClient) -> None:
    answer = client.post("/webhooks/github", data=b"{}", environ_overrides={"CONTENT_LENGTH": "100"})
    assert problem(answer)[0] == 400


def test_an_unknown_forge_is_not_found(client: FlaskClient) -> None:
    assert problem(client.post("/webhooks/gitea", data=b"{}")) == (404, "unknown-forge")


def test_the_forge_is_told_by_the_path_and_not_by_a_header(client: FlaskClient) -> None:
    answer = client.post("/webhooks/gitea", data=b"{}", headers={"X-GitHub-Event": "ping"})
    assert problem(answer) == (404, "unknown-forge")


def test_a_delivery_that_cannot_be_stored_is_not_accepted(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise StoreError("database or disk is full")

    monkeypatch.setattr(Store, "accept", full)
    assert problem(deliver(client, event())) == (503, "storage")


def test_every_example_of_github_is_answered(client: FlaskClient, examples: dict[str, list[dict[str, Any]]]) -> None:
    for kind, payloads in examples.items():
        for number, payload in enumerate(payloads):
            answer = deliver(client, payload, kind=kind, delivery=f"{kind}-{number}")
            assert (answer.status_code, answer.json is not None) == (200, True)


def test_wrong_paths_and_methods_are_problems_too(client: FlaskClient) -> None:
    assert problem(client.get("/nothing")) == (404, "not-found")
    answer = client.get("/webhooks/github")
    assert problem(answer) == (405, "method-not-allowed")
    assert "POST" in answer.headers["Allow"]


def test_a_fault_of_our_own_says_nothing_of_itself(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("detail")

    monkeypatch.setattr(Store, "accept", broken)
    answer = deliver(client, event())
    assert problem(answer) == (500, "internal")
    assert "detail" not in answer.text.replace('"detail":', "")


def test_health_needs_no_token_and_readiness_names_what_it_checked(client: FlaskClient) -> None:
    assert client.get("/healthz").text == "ok\n"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["ready"]
    assert answer.json["checks"]["database"] == "answers"
    assert answer.json["checks"]["queue"] == "0 waiting"
    assert "network" in answer.json["checks"]["renderers"]
    assert answer.json["checks"]["worker"] == "in another process"
    assert answer.json["checks"]["git"][0].isdigit()


def test_readiness_fails_where_the_database_does(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: Any) -> None:
        raise StoreError("locked")

    monkeypatch.setattr(Store, "ping", locked)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert not answer.json["ready"]


@pytest.fixture
def report(service: Service) -> str:
    request = service.store.request("github", SHOP, "7", "test")
    report, text = service.store.keep(b'{"schema": "flowdelta.diff/1"}'), service.store.keep("# Flüsse".encode())
    service.store.attach(request, report=report, text=text, digest="", complete=True, headline="")
    return f"/reports/{request.id}"


def test_a_report_is_given_as_text_and_as_json(client: FlaskClient, report: str) -> None:
    text = client.get(report, headers=BEARER)
    assert (text.text, text.mimetype, text.headers["X-Content-Type-Options"]) == ("# Flüsse", "text/plain", "nosniff")
    document = client.get(f"{report}?format=json", headers=BEARER)
    assert (document.json, document.mimetype) == ({"schema": "flowdelta.diff/1"}, "application/json")
    assert problem(client.get(f"{report}?format=pdf", headers=BEARER)) == (400, "unknown-format")


@pytest.mark.parametrize("review", ["0" * 16, "x", "..%2f..", "0" * 15])
def test_a_report_that_is_not_there_is_not_found(client: FlaskClient, review: str) -> None:
    assert problem(client.get(f"/reports/{review}", headers=BEARER))[0] == 404

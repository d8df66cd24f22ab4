"""Sign-off through the API: where it stands, who may say what with which token, and the audit log for auditors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from service.cli import cli
from service.review.consent import Consent
from service.settings import Settings
from service.signoff.records import guarded_json
from service.signoff.wording import shown_digest
from service.store import Request, Scope, Store, TokenAccount
from service.tokens import digest, generate
from tests.service.forge_in_memory import ALICE, BOB, ForgeInMemory, connected, environment
from tests.service.test_api import problem
from tests.service.test_consent import H1, guardrail, opening
from tests.service.web_app import Web, web

APPROVE = {"verb": "approve", "guardrail": "into-pci", "digest": shown_digest(opening(5432)), "reason": "looks right"}


@dataclass
class Desk:
    """A web process, and an analysis whose guardrail waits for BOB."""

    process: Web
    forge: ForgeInMemory
    request: Request

    @property
    def where(self) -> str:
        return f"/api/v1/analyses/{self.request.id}"

    def bearer(self, *scopes: Scope, account: str = "") -> dict[str, str]:
        token = generate()
        known = TokenAccount.parse(account) if account else None
        self.process.store.add_token(digest(token), "test", scopes, None, known)
        return {"Authorization": f"Bearer {token}"}

    def say(self, said: dict[str, Any], account: str = f"github:{BOB.id}:bob", scope: Scope = Scope.SIGNOFF) -> Any:
        return self.process.client.post(f"{self.where}/approvals", json=said, headers=self.bearer(scope, account=account))

    def judge(self) -> None:
        parts = self.process.parts
        consent = Consent(parts.settings, parts.store, self.forge, "github", "acme/shop")
        found = {"configuration": "c1", "organisation": "", "guarded": [guarded_json(guardrail(5432))]}
        consent.judge(self.request, self.forge.pull_request("acme/shop", 7), ("b" * 40, H1), found)

    def signoff(self) -> dict[str, Any]:
        shown: Any = self.process.client.get(self.where, headers=self.bearer(Scope.READ)).json
        found: dict[str, Any] = shown["signoff"]
        return found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    settings = Settings.from_environment(environment(str(tmp_path), API_RATE="10000"))
    forge = ForgeInMemory(groups={"security": {BOB.id, ALICE.id}})
    forge.open(7, H1)
    monkeypatch.setattr("tests.service.web_app.connect", lambda known: connected(known, forge))
    with web(settings) as process:
        request = process.store.request("github", "acme/shop", "7", "test")
        process.store.judged(request, H1, "b" * 40)
        made = Desk(process, forge, request)
        made.judge()
        yield made


def test_an_analysis_shows_where_sign_off_stands(desk: Desk) -> None:
    (shown,) = desk.signoff()["guardrails"]
    assert shown == {"name": "into-pci", "standing": "waiting", "why": "", "digest": APPROVE["digest"], "missing": 1}


def test_an_analysis_without_guarded_flows_has_none(desk: Desk) -> None:
    other = desk.process.store.request("github", "acme/shop", "8", "test")
    shown = desk.process.client.get(f"/api/v1/analyses/{other.id}", headers=desk.bearer(Scope.READ)).json
    assert shown is not None
    assert shown["signoff"] is None


def test_a_token_speaks_for_its_account(desk: Desk) -> None:
    answer = desk.say(APPROVE)
    assert answer.status_code == 202, answer.text
    assert answer.json["cause"] == "api approve"
    assert desk.process.woken
    desk.judge()
    assert desk.signoff()["standing"] == "approved"
    entry = desk.process.client.get("/api/v1/audit?after=1&limit=1", headers=desk.bearer(Scope.ADMIN)).json["items"][0]["entry"]  # type: ignore[index]
    assert (entry["act"]["way"], entry["act"]["person"]["name"], entry["act"]["reason"]) == ("api", "bob", "looks right")


@pytest.mark.parametrize(
    ("change", "account", "status", "reason"),
    [
        ({}, "", 403, "no-account"),
        ({}, "gitlab:502:bob", 403, "no-account"),
        ({}, f"github:{ALICE.id}:alice", 422, "refused"),
        ({}, "github:999:mallory", 422, "refused"),
        ({"digest": "0" * 12}, "github:502:bob", 422, "refused"),
        ({"digest": ""}, "github:502:bob", 422, "refused"),
        ({"guardrail": "other"}, "github:502:bob", 422, "refused"),
        ({"verb": "sign"}, "github:502:bob", 400, "invalid-field"),
    ],
)
def test_what_may_not_be_said_is_refused(desk: Desk, change: dict[str, str], account: str, status: int, reason: str) -> None:
    assert problem(desk.say(APPROVE | change, account))[:2] == (status, reason)
    desk.judge()
    assert desk.signoff()["standing"] == "waiting"


def test_the_scope_of_sign_off_is_its_own(desk: Desk) -> None:
    assert desk.say(APPROVE, scope=Scope.ANALYSE).status_code == 403


def test_a_repository_that_is_not_served_any_more_is_not_signed(desk: Desk) -> None:
    known = dict(desk.process.parts.connected)
    held = known["github"]
    desk.process.parts.connected["github"] = replace(held, settings=replace(held.settings, repositories=()))  # type: ignore[index]
    assert desk.say(APPROVE).status_code == 409


def test_auditors_read_the_log_page_by_page(desk: Desk) -> None:
    desk.say(APPROVE)
    desk.judge()
    pages: list[Any] = []
    while not pages or pages[-1]["next"] is not None:
        after = pages[-1]["next"] if pages else 0
        pages.append(desk.process.client.get(f"/api/v1/audit?after={after}&limit=2", headers=desk.bearer(Scope.ADMIN)).json)
    assert [[row["number"] for row in page["items"]] for page in pages] == [[1, 2], [3]]
    assert desk.process.client.get("/api/v1/audit", headers=desk.bearer(Scope.READ)).status_code == 403


@pytest.mark.parametrize(
    ("account", "code", "said"),
    [
        ("github:502:bob", 0, ""),
        ("502:bob", 2, "is no account"),
        ("lab:502:bob", 2, "no forge 'lab'"),
        ("github:bob:502", 2, "is no account"),
    ],
)
def test_a_token_is_made_for_an_account_of_a_forge_that_is_served(tmp_path: Path, account: str, code: int, said: str) -> None:
    known = environment(str(tmp_path))
    done = CliRunner().invoke(cli, ["token", "create", "--name", "ann's", "--scope", "signoff", "--account", account], env=known)
    assert done.exit_code == code
    assert said in done.stderr
    if not code:
        with closing(Store.open(Settings.from_environment(known))) as store:
            assert [str(token.account) for token in store.tokens()] == [account]

"""Tokens: made and revoked on the command line, kept as digests, asked for by the API with their scopes, rates and ends."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from service.cli import SCOPES, cli
from service.secret import HIDDEN, Redaction
from service.settings import Settings
from service.store import Scope, Store, StoreError
from service.tokens import digest, generate, is_token, lifetime
from service.web.rates import Rate
from tests.service.test_api import problem
from tests.service.web_app import Web, grant, web

LIST = "/api/v1/analyses"


def variables(data: Path, **more: str) -> dict[str, str]:
    """The settings of a service that asks no forge."""
    known = {
        "GITHUB_REPOSITORIES": "acme/shop",
        "GITHUB_TOKEN": "token-value",
        "GITHUB_WEBHOOK_SECRET": "secret-value",
        "DATA_DIR": str(data),
    }
    return {f"FLOWDELTA_{name}": value for name, value in (known | more).items()}


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Web]:
    with web(Settings.from_environment(variables(tmp_path / "data", API_RATE="5"))) as running:
        yield running


def flowdelta(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["token", *arguments], env=variables(data))


@given(st.integers(1, 20))
def test_tokens_look_alike_and_are_never_the_same(count: int) -> None:
    made = {generate() for _ in range(count)}
    assert len(made) == count
    assert all(is_token(token) and re.fullmatch(r"fd_[A-Za-z0-9]{43}", token) for token in made)


def test_a_token_that_leaks_into_a_log_is_hidden() -> None:
    assert Redaction(())(f"got {generate()}, sorry") == f"got {HIDDEN}, sorry"


@pytest.mark.parametrize(("text", "seconds"), [("12h", 43_200), ("90d", 7_776_000), ("8w", 4_838_400), ("1y", 31_536_000)])
def test_a_lifetime_is_read(text: str, seconds: int) -> None:
    assert lifetime(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "0d", "1.5d", "1m", "90 d", "9999999d", "٩d"])
def test_what_is_no_lifetime_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        lifetime(text)


def test_the_command_line_offers_every_scope() -> None:
    assert set(SCOPES) == {scope.value for scope in Scope}


def test_a_token_is_shown_once_and_kept_as_a_digest(tmp_path: Path) -> None:
    made = flowdelta(tmp_path, "create", "--name", "ci", "--scope", "read", "--scope", "analyse", "--expires", "90d")
    token = made.stdout.strip()
    assert (made.exit_code, is_token(token), token in made.stderr) == (0, True, False)
    assert token not in flowdelta(tmp_path, "list").output
    assert not any(token.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    with web(Settings.from_environment(variables(tmp_path))) as running:
        known = running.store.token(digest(token))
    assert known is not None
    assert (known.name, known.scopes, known.used) == ("ci", frozenset((Scope.READ, Scope.ANALYSE)), None)
    assert known.expires is not None
    assert 89 < (known.expires - time.time()) / 86_400 <= 90


def test_tokens_are_listed_with_what_they_may_do_and_revoked_by_their_id(tmp_path: Path) -> None:
    flowdelta(tmp_path, "create", "--name", "ci", "--scope", "read")
    (line,) = flowdelta(tmp_path, "list").output.splitlines()[1:]
    id = line.split()[0]
    assert re.search(r"ci +read +.* +never +never +valid$", line)
    assert flowdelta(tmp_path, "revoke", id).exit_code == 0
    assert flowdelta(tmp_path, "list").output.splitlines()[1].endswith("revoked")
    again = flowdelta(tmp_path, "revoke", id)
    assert (again.exit_code, f"no valid token with the id {id!r}" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--scope", "read"),
        ("--name", "x"),
        ("--name", "", "--scope", "read"),
        ("--name", "a\x1b[2J", "--scope", "read"),
        ("--name", "x" * 101, "--scope", "read"),
        ("--name", "x", "--scope", "everything"),
        ("--name", "x", "--scope", "read", "--expires", "soon"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_and_not_made(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert flowdelta(tmp_path, "create", *arguments).exit_code == 2
    assert len(flowdelta(tmp_path, "list").output.splitlines()) == 1


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "missing-token"),
        ("Bearer ", "missing-token"),
        ("{token}", "missing-token"),
        ("Basic {token}", "missing-token"),
        ("Basic {login}", "missing-token"),
        ("Bearer wrong", "wrong-token"),
        ("Bearer {token}x", "wrong-token"),
        ("Bearer {short}", "wrong-token"),
        ("Bearer {other}", "wrong-token"),
        ("Bearer {digest}", "wrong-token"),
    ],
)
def test_without_a_token_nothing_is_done(process: Web, header: str | None, reason: str) -> None:
    token = grant(process.store)
    login = base64.b64encode(f"x:{token}".encode()).decode()
    words = {"token": token, "short": token[:-1], "other": generate(), "digest": digest(token), "login": login}
    answer = process.client.get(LIST, headers={"Authorization": header.format(**words)} if header is not None else {})
    assert problem(answer) == (401, reason)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert process.client.get(LIST, headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_a_revoked_and_an_expired_token_are_wrong(process: Web) -> None:
    token = grant(process.store)
    (known,) = process.store.tokens()
    assert process.store.revoke_token(known.id)
    assert problem(process.client.get(LIST, headers={"Authorization": f"Bearer {token}"})) == (401, "wrong-token")
    assert problem(process.client.get(LIST, headers=process.bearer(expires=time.time() - 1))) == (401, "wrong-token")


def test_a_token_does_what_its_scopes_say(process: Web) -> None:
    read, analyse, admin = (process.bearer(scope) for scope in (Scope.READ, Scope.ANALYSE, Scope.ADMIN))
    assert [process.client.get(LIST, headers=held).status_code for held in (read, analyse, admin)] == [200, 403, 200]
    answers = [process.client.post("/api/v1/matrix", json={}, headers=held) for held in (read, analyse, admin)]
    assert [problem(answer) for answer in answers] == [(403, "missing-scope"), (400, "missing-field"), (400, "missing-field")]


def test_a_token_has_a_rate_of_its_own_and_is_told_where_it_stands(process: Web) -> None:
    one, other = process.bearer(), process.bearer()
    answers = [process.client.get(LIST, headers=one) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert problem(answers[5]) == (429, "too-many-requests")
    assert [answer.headers["RateLimit-Policy"] for answer in answers] == ['"token";q=5;w=60'] * 6
    assert [re.match(r'"token";r=(\d)', answer.headers["RateLimit"])[1] for answer in answers] == list("432100")  # type: ignore[index]
    assert 1 <= int(answers[5].headers["Retry-After"]) <= 60
    assert process.client.get(LIST, headers=other).status_code == 200


def test_whoever_keeps_showing_wrong_tokens_is_told_to_wait_but_locks_nobody_out(process: Web) -> None:
    wrong = [process.client.get(LIST, headers={"Authorization": f"Bearer {generate()}"}) for _ in range(31)]
    assert {problem(answer) for answer in wrong[:30]} == {(401, "wrong-token")}
    assert problem(wrong[30]) == (429, "too-many-failures")
    assert int(wrong[30].headers["Retry-After"]) >= 1
    elsewhere = process.client.get(LIST, headers={"Authorization": "Bearer wrong"}, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert problem(elsewhere) == (401, "wrong-token")
    assert process.client.get(LIST, headers=process.bearer()).status_code == 200


def test_addresses_of_one_ipv6_network_are_one_client(process: Web) -> None:
    def refused(address: str) -> int:
        return process.client.get(LIST, headers={"Authorization": "Bearer wrong"}, environ_overrides={"REMOTE_ADDR": address}).status_code

    assert {refused(f"2001:db8::{number:x}") for number in range(30)} == {401}
    assert (refused("2001:db8::ffff:1"), refused("2001:db8:0:1::1"), refused("")) == (429, 401, 401)


def test_the_use_of_a_token_is_noted(process: Web) -> None:
    process.client.get(LIST, headers=process.bearer())
    (known,) = process.store.tokens()
    assert known.used is not None
    assert abs(known.used - time.time()) < 60


def test_a_use_that_cannot_be_noted_is_no_reason_to_refuse(process: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "used_token", full)
    assert process.client.get(LIST, headers=process.bearer()).status_code == 200


def test_a_database_that_fails_lets_nobody_in(process: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    held = process.bearer()

    def gone(*_: Any) -> None:
        raise StoreError("no connection")

    monkeypatch.setattr(Store, "token", gone)
    answer = process.client.get(LIST, headers=held)
    assert problem(answer) == (503, "storage")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_rate_counts_each_client_for_itself() -> None:
    rate = Rate("test", 2)
    assert [rate.count("a").within for _ in range(3)] == [True, True, False]
    assert rate.count("b").within


def test_only_reports_take_a_token_as_the_password_of_a_browser(process: Web) -> None:
    login = base64.b64encode(f"anyone:{grant(process.store, Scope.READ)}".encode()).decode()
    assert process.client.get("/reports/" + "0" * 16, headers={"Authorization": f"Basic {login}"}).status_code == 404
    for broken in ("Basic", "Basic !", "Basic ", "Basic /w==", f"Digest {login}", "Basic " + base64.b64encode(b"no colon").decode()):
        answer = process.client.get("/reports/" + "0" * 16, headers={"Authorization": broken})
        assert problem(answer) == (401, "missing-token")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")

"""Settings: every one documented, every bad one named, and no secret shown."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import Path

import pytest

from service.settings import PREFIX, Settings, SettingsError, documentation, table

NEEDED = {
    "FLOWDELTA_REPOSITORIES": "acme/shop, Acme/Platform",
    "FLOWDELTA_GITHUB_TOKEN": "token-value",
    "FLOWDELTA_GITHUB_WEBHOOK_SECRET": "secret-value",
}


def settings(**more: str) -> Settings:
    return Settings.from_environment(NEEDED | {f"{PREFIX}{name}": value for name, value in more.items()})


def test_the_defaults_are_usable() -> None:
    found = settings()
    assert found.github_api_url == "https://api.github.com"
    assert found.listen_address == ("127.0.0.1", 8080)
    assert not found.allow_forks
    assert found.api_tokens == frozenset()


def test_every_setting_has_a_variable_and_a_meaning_of_its_own() -> None:
    rows = table()
    assert len(rows) == len(fields(Settings))
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.name.startswith(PREFIX) and len(row.meaning) > 10 and not row.meaning.endswith(".") for row in rows)


def test_the_documentation_lists_every_setting_as_it_is(root: Path) -> None:
    assert documentation() in (root / "docs" / "settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_is_needed_is_named_when_it_is_missing(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({key: value for key, value in NEEDED.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_WEBHOOK_SECRET", "  "),
        ("REPOSITORIES", "acme"),
        ("REPOSITORIES", "acme/shop/x"),
        ("REPOSITORIES", "../shop"),
        ("REPOSITORIES", "acme/.."),
        ("REPOSITORIES", "acme/sh op\x00"),
        ("GITHUB_API_URL", "http://api.github.com"),
        ("GITHUB_API_URL", "file:///etc"),
        ("GITHUB_API_URL", "https://user:password@api.github.com"),
        ("GITHUB_GIT_URL", "file:///srv/git"),
        ("GITHUB_GIT_URL", "ssh://git@github.com"),
        ("GITHUB_GIT_URL", "https://github.com/?x=1"),
        ("PUBLIC_URL", "javascript:alert(1)"),
        ("LISTEN_PORT", "http"),
        ("LISTEN_PORT", "65536"),
        ("LISTEN_PORT", "-1"),
        ("THREADS", "0"),
        ("ANALYSIS_TIMEOUT", "inf"),
        ("ANALYSIS_TIMEOUT", "nan"),
        ("RETRY_FIRST", "-1"),
        ("ALLOW_FORKS", "maybe"),
        ("HOST_NETWORK", "both"),
        ("LOG_LEVEL", "LOUD"),
        ("API_TOKENS", "sha256:1234"),
        ("TYPO", "1"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{PREFIX}{name}: ") as refused:
        settings(**{name: value})
    assert "password" not in str(refused.value)


def test_what_kubernetes_puts_beside_a_service_of_our_name_is_no_setting() -> None:
    settings(PORT="tcp://10.0.0.1:80", SERVICE_HOST="10.0.0.1", SERVICE_PORT="80", PORT_80_TCP_ADDR="10.0.0.1")


def test_local_repositories_need_a_word_more() -> None:
    assert settings(GITHUB_GIT_URL="file:///srv/git", ALLOW_LOCAL_GIT="true").github_git_url == "file:///srv/git"


def test_repositories_are_found_whatever_their_case_and_keep_their_spelling() -> None:
    found = settings()
    assert [found.repository(name) for name in ("ACME/Shop", "acme/platform", "acme/other")] == ["acme/shop", "Acme/Platform", None]


def test_two_webhook_secrets_hold_while_one_is_rotated() -> None:
    found = settings(GITHUB_WEBHOOK_SECRET_PREVIOUS="old-value")
    assert [secret.reveal() for secret in found.webhook_secrets] == ["secret-value", "old-value"]
    assert [secret.reveal() for secret in settings().webhook_secrets] == ["secret-value"]


def test_secrets_can_come_from_files(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("token-in-a-file\n")
    environment = {key: value for key, value in NEEDED.items() if key != "FLOWDELTA_GITHUB_TOKEN"}
    found = Settings.from_environment(environment | {"FLOWDELTA_GITHUB_TOKEN_FILE": str(path)})
    assert found.github_token.reveal() == "token-in-a-file"
    with pytest.raises(SettingsError, match="FLOWDELTA_GITHUB_TOKEN_FILE: FLOWDELTA_GITHUB_TOKEN is set too"):
        settings(GITHUB_TOKEN_FILE=str(path))
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.from_environment(environment | {"FLOWDELTA_GITHUB_TOKEN_FILE": str(tmp_path / "none")})
    with pytest.raises(SettingsError, match="FLOWDELTA_THREADS_FILE: is not a setting"):
        settings(THREADS_FILE=str(path))


def test_tokens_of_the_api_are_kept_as_digests_only() -> None:
    digest = hashlib.sha256(b"second").hexdigest()
    found = settings(API_TOKENS=f"first, sha256:{digest.upper()},")
    assert found.api_tokens == {hashlib.sha256(b"first").hexdigest(), digest}


def test_no_secret_is_ever_shown() -> None:
    shown = repr(settings(GITHUB_WEBHOOK_SECRET_PREVIOUS="old-value", API_TOKENS="api-value"))
    assert "-value" not in shown
    assert hashlib.sha256(b"api-value").hexdigest() not in shown

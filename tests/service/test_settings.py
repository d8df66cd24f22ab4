"""Settings: every one documented, every bad one named, and no secret shown."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from service.settings import PREFIX, ForgeSettings, Kind, Settings, SettingsError, documentation, table

NEEDED = {
    "FLOWDELTA_GITHUB_REPOSITORIES": "acme/shop, Acme/Platform, wide/*",
    "FLOWDELTA_GITHUB_TOKEN": "token-value",
    "FLOWDELTA_GITHUB_WEBHOOK_SECRET": "secret-value",
}


def settings(**more: str) -> Settings:
    return Settings.from_environment(NEEDED | {f"{PREFIX}{name}": value for name, value in more.items()})


def test_the_defaults_are_usable() -> None:
    found = settings()
    (github,) = found.forges
    assert (github.name, github.kind, github.api_url, github.git_url) == (
        "github",
        "github",
        "https://api.github.com",
        "https://github.com",
    )
    assert found.listen_address == ("127.0.0.1", 8080)
    assert not found.allow_forks


def test_every_setting_has_a_variable_and_a_meaning_of_its_own() -> None:
    rows = table()
    assert len(rows) == len(fields(Settings)) + sum(bool(entry.metadata) for entry in fields(ForgeSettings))
    assert len({name for name, _ in rows}) == len(rows)
    assert all(name.startswith(PREFIX) and len(row.meaning) > 10 and not row.meaning.endswith(".") for name, row in rows)


def test_the_documentation_lists_every_setting_as_it_is(root: Path) -> None:
    assert documentation() in (root / "docs" / "settings.md").read_text(encoding="utf-8")


def test_settings_come_from_a_file_too_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / "flowdelta.env"
    lines = ["# of the shop", "", *(f"{name} = {value}" for name, value in NEEDED.items()), "FLOWDELTA_THREADS=3", "FLOWDELTA_LEASE=7"]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = Settings.from_environment({"FLOWDELTA_SETTINGS": str(file), "FLOWDELTA_LEASE": "9"})
    assert (found.threads, found.lease, found.forges[0].token.reveal()) == (3, 9.0, "token-value")


@pytest.mark.parametrize(
    "line", ["FLOWDELTA_THREADS", "THREADS=3", "export FLOWDELTA_THREADS=3", "FLOWDELTA_LEASE=8", "FLOWDELTA_SETTINGS=other"]
)
def test_a_line_that_is_no_setting_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "flowdelta.env"
    file.write_text(f"FLOWDELTA_LEASE=7\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"FLOWDELTA_SETTINGS: .*flowdelta\.env:2: "):
        settings(SETTINGS=str(file))


@pytest.mark.parametrize(("line", "named"), [("FLOWDELTA_THREADS=many", "FLOWDELTA_THREADS"), ("FLOWDELTA_THREDS=3", "FLOWDELTA_THREDS")])
def test_a_setting_of_a_file_is_judged_as_any_other(tmp_path: Path, line: str, named: str) -> None:
    file = tmp_path / "flowdelta.env"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(SettingsError, match=named):
        settings(SETTINGS=str(file))
    with pytest.raises(SettingsError, match="FLOWDELTA_SETTINGS"):
        settings(SETTINGS=str(tmp_path / "missing"))


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_is_needed_is_named_when_it_is_missing(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({key: value for key, value in NEEDED.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_WEBHOOK_SECRET", "  "),
        ("GITHUB_REPOSITORIES", "acme"),
        ("GITHUB_REPOSITORIES", "*/shop"),
        ("GITHUB_REPOSITORIES", "acme/*/x"),
        ("GITHUB_REPOSITORIES", "../shop"),
        ("GITHUB_REPOSITORIES", "acme/.."),
        ("GITHUB_REPOSITORIES", "acme/sh op\x00"),
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
        ("WORKER_LISTEN", "9090"),
        ("WORKER_LISTEN", "0.0.0.0:65536"),
        ("WORKER_LISTEN", "::1:9090"),
        ("THREADS", "0"),
        ("ANALYSIS_TIMEOUT", "inf"),
        ("ANALYSIS_TIMEOUT", "nan"),
        ("RETRY_FIRST", "-1"),
        ("ALLOW_FORKS", "maybe"),
        ("HOST_NETWORK", "both"),
        ("LOG_LEVEL", "LOUD"),
        ("TYPO", "1"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{PREFIX}{name}: ") as refused:
        settings(**{name: value})
    assert "password" not in str(refused.value)


def test_a_worker_listens_where_it_is_told_to_and_else_nowhere() -> None:
    assert settings().worker_listen is None
    assert settings(WORKER_LISTEN="0.0.0.0:9090").worker_listen == ("0.0.0.0", 9090)
    assert settings(WORKER_LISTEN="[::]:9090").worker_listen == ("::", 9090)


def test_what_kubernetes_puts_beside_a_service_of_our_name_is_no_setting() -> None:
    settings(PORT="tcp://10.0.0.1:80", SERVICE_HOST="10.0.0.1", SERVICE_PORT="80", PORT_80_TCP_ADDR="10.0.0.1")


def test_local_repositories_need_a_word_more() -> None:
    assert settings(GITHUB_GIT_URL="file:///srv/git", ALLOW_LOCAL_GIT="true").forges[0].git_url == "file:///srv/git"


def test_repositories_are_found_whatever_their_case_and_keep_their_spelling() -> None:
    found = settings()
    names = ("ACME/Shop", "acme/platform", "acme/other", "Wide/Open", "wide/..", "wide/a/../b", "wider/open")
    assert [found.repository("github", name) for name in names] == ["acme/shop", "Acme/Platform", None, "wide/open", None, None, None]
    assert found.repository("gitlab", "acme/shop") is None


def test_two_webhook_secrets_hold_while_one_is_rotated() -> None:
    (github,) = settings(GITHUB_WEBHOOK_SECRET_PREVIOUS="old-value").forges
    assert [secret.reveal() for secret in github.webhook_secrets] == ["secret-value", "old-value"]
    assert [secret.reveal() for secret in settings().forges[0].webhook_secrets] == ["secret-value"]


def test_secrets_can_come_from_files(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("token-in-a-file\n")
    environment = {key: value for key, value in NEEDED.items() if key != "FLOWDELTA_GITHUB_TOKEN"}
    found = Settings.from_environment(environment | {"FLOWDELTA_GITHUB_TOKEN_FILE": str(path)})
    assert found.forges[0].token.reveal() == "token-in-a-file"
    with pytest.raises(SettingsError, match="FLOWDELTA_GITHUB_TOKEN_FILE: FLOWDELTA_GITHUB_TOKEN is set too"):
        settings(GITHUB_TOKEN_FILE=str(path))
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.from_environment(environment | {"FLOWDELTA_GITHUB_TOKEN_FILE": str(tmp_path / "none")})
    with pytest.raises(SettingsError, match="FLOWDELTA_THREADS_FILE: is not a setting"):
        settings(THREADS_FILE=str(path))


def test_no_secret_is_ever_shown() -> None:
    shown = repr(settings(GITHUB_WEBHOOK_SECRET_PREVIOUS="old-value"))
    assert "-value" not in shown


LAB = {"LAB_REPOSITORIES": "platform/net/policies", "LAB_TOKEN": "lab-value", "LAB_WEBHOOK_SECRET": "whsec-value"}


def test_several_forges_each_have_their_own_variables() -> None:
    found = settings(FORGES="github, lab=gitlab", LAB_API_URL="https://lab.example", **LAB)
    assert [(forge.name, forge.kind) for forge in found.forges] == [("github", Kind.GITHUB), ("lab", Kind.GITLAB)]
    lab = found.forge("lab")
    assert lab is not None
    assert (lab.git_url, lab.repository("Platform/Net/Policies")) == ("https://lab.example", "platform/net/policies")
    assert {secret.reveal() for secret in found.secrets} == {"token-value", "secret-value", "lab-value", "whsec-value"}


@pytest.mark.parametrize(
    ("variable", "more"),
    [
        ("FORGES", {"FORGES": "github, github=gitlab"}),
        ("FORGES", {"FORGES": "work"}),
        ("FORGES", {"FORGES": "Work=github"}),
        ("FORGES", {"FORGES": " "}),
        ("LAB_TOKEN", LAB),  # a forge that is not named has no settings
        ("LAB_API_URL", {"FORGES": "github, lab=gitea", **LAB}),  # Gitea has no public home
        ("LAB_APP_ID", {"FORGES": "github, lab=gitlab", **LAB, "LAB_APP_ID": "1", "LAB_APP_KEY": "key"}),
        ("GITHUB_APP_ID", {"GITHUB_APP_ID": "12"}),
        ("GITHUB_TOKEN", {"GITHUB_APP_ID": "12", "GITHUB_APP_KEY": "key"}),
        ("DATABASE_URL", {"DATABASE_URL": "mysql://root:hunter-value@db/flowdelta"}),
    ],
)
def test_a_forge_that_cannot_work_is_named(variable: str, more: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(**more)
    assert str(refused.value).startswith((f"{PREFIX}{variable}: ", f"{PREFIX}LAB_REPOSITORIES: is not" if variable == "LAB_TOKEN" else "-"))
    assert "-value" not in str(refused.value)


def test_enterprise_pages_stand_where_the_api_stands() -> None:
    assert settings(GITHUB_API_URL="https://ghe.example/api/v3").forges[0].git_url == "https://ghe.example"

"""GitHub as an App: proved by its key, a token for each installation, renewed before it ends and when GitHub takes it back."""

from __future__ import annotations

import pytest

from service.forges.github import GitHub
from service.forges.port import MARKER, ForgeError
from service.settings import SettingsError
from tests.forges.fixtures import TOKEN
from tests.forges.github_app import APP_BOT_ID, APP_ID, APP_SLUG, private_key
from tests.forges.github_fake import GitHubFake, Pull
from tests.forges.github_stage import SHOP, as_app, settings

SHA = "a" * 40
GIVEN = r"/app/installations/\d+/access_tokens"
LOOKED_UP = r"/repos/.*/installation"
# A key that was made for this test and belongs to no App.
_OTHER_KEY_BITS = 2_048


@pytest.fixture
def forge(github: GitHubFake) -> GitHub:
    github.repository(SHOP).pulls[7] = Pull(7, base="main", head_sha=SHA)
    return as_app(github)


def test_the_installation_is_looked_up_once_and_its_token_serves_many_calls(forge: GitHub, github: GitHubFake) -> None:
    for _ in range(3):
        forge.pull_request(SHOP, 7)
    assert (github.called("GET", LOOKED_UP), github.called("POST", GIVEN)) == (1, 1)
    assert {call.caller.kind for call in github.calls if call.path.startswith("/repos/acme/shop/pulls")} == {"installation"}


def test_a_token_is_renewed_before_it_ends(forge: GitHub, github: GitHubFake) -> None:
    github.app.lifetime = 15  # seconds: less than what a token is given up with
    forge.pull_request(SHOP, 7)
    given, github.app.lifetime = github.called("POST", GIVEN), 3_600
    for _ in range(3):
        forge.pull_request(SHOP, 7)
    assert github.called("POST", GIVEN) == given + 1
    assert all(call.status < 400 for call in github.calls)


def test_a_token_that_github_took_back_is_replaced_without_a_failure(forge: GitHub, github: GitHubFake) -> None:
    forge.pull_request(SHOP, 7)
    github.app.tokens.clear()
    assert forge.pull_request(SHOP, 7).number == 7
    assert [call.status for call in github.calls].count(401) == 1


def test_an_app_that_was_installed_anew_is_found_under_its_new_id(forge: GitHub, github: GitHubFake) -> None:
    first = github.app.installations[SHOP]
    forge.credential(SHOP)
    assert github.app.install(SHOP) != first
    assert forge.pull_request(SHOP, 7).number == 7
    credential = forge.credential(SHOP)
    assert credential is not None
    assert github.app.tokens[credential.password.reveal()].installation == github.app.installations[SHOP]


def test_an_installation_that_is_gone_when_its_token_ends_is_looked_up_again(forge: GitHub, github: GitHubFake) -> None:
    github.app.lifetime = 15
    forge.pull_request(SHOP, 7)
    github.app.install(SHOP)
    assert forge.pull_request(SHOP, 7).number == 7
    assert github.called("GET", LOOKED_UP) == 2


def test_where_the_app_is_not_installed_the_error_says_so_and_is_final(forge: GitHub) -> None:
    with pytest.raises(ForgeError, match="not installed on acme/other") as missing:
        forge.pull_request("acme/other", 7)
    assert not missing.value.retry


def test_two_repositories_have_tokens_of_their_own(forge: GitHub, github: GitHubFake) -> None:
    github.app.install("acme/other")
    github.repository("acme/other").pulls[7] = Pull(7, base="main", head_sha="b" * 40)
    assert (forge.pull_request(SHOP, 7).head_sha, forge.pull_request("acme/other", 7).head_sha) == (SHA, "b" * 40)
    assert forge.credential(SHOP) != forge.credential("acme/other")


def test_git_gets_a_token_that_can_read_files_and_nothing_else(forge: GitHub, github: GitHubFake) -> None:
    credential = forge.credential(SHOP)
    assert credential is not None
    assert credential.username == "x-access-token"
    assert github.app.tokens[credential.password.reveal()].rights == {"contents": "read"}
    assert forge.credential(SHOP) is not None
    assert github.called("POST", GIVEN) == 2  # one for the API, one for git


def test_git_never_gets_a_token_that_is_about_to_end(forge: GitHub, github: GitHubFake) -> None:
    github.app.lifetime = 300
    first, second = forge.credential(SHOP), forge.credential(SHOP)
    assert first is not None
    assert second is not None
    assert first.password.reveal() != second.password.reveal()


def test_comments_are_found_by_the_bot_account_which_is_not_the_app(forge: GitHub, github: GitHubFake) -> None:
    github.add_comment(SHOP, 7, ("someone", APP_ID), f"{MARKER}\nby a person whose id is the App's")
    for body in ("first", "second"):
        forge.put_comment(SHOP, 7, body)
    ours = [comment for comment in github.comments(SHOP, 7) if comment.author == (f"{APP_SLUG}[bot]", APP_BOT_ID)]
    assert [comment.body for comment in ours] == [f"{MARKER}\nsecond"]
    assert len(github.comments(SHOP, 7)) == 2


def test_a_key_with_its_lines_in_one_is_taken(github: GitHubFake) -> None:
    github.app.install(SHOP)
    github.repository(SHOP).pulls[7] = Pull(7, base="main", head_sha=SHA)
    forge = GitHub.from_settings(*settings(github, APP_ID=str(APP_ID), APP_KEY=private_key().replace("\n", "\\n")))
    assert forge.pull_request(SHOP, 7).number == 7


@pytest.mark.parametrize("key", ["nonsense", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", TOKEN])
def test_a_key_that_is_none_stops_the_start_and_is_not_shown(github: GitHubFake, key: str) -> None:
    with pytest.raises(SettingsError, match="FLOWDELTA_GITHUB_APP_KEY") as refused:
        GitHub.from_settings(*settings(github, APP_ID=str(APP_ID), APP_KEY=key))
    assert key not in str(refused.value)
    assert "AAAA" not in str(refused.value)


def test_the_key_of_another_app_is_refused_for_good(github: GitHubFake) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa

    other = rsa.generate_private_key(public_exponent=65_537, key_size=_OTHER_KEY_BITS)
    pem = other.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
    forge = GitHub.from_settings(*settings(github, APP_ID=str(APP_ID), APP_KEY=pem))
    with pytest.raises(ForgeError, match="401") as refused:
        forge.pull_request(SHOP, 7)
    assert not refused.value.retry
    assert len(github.calls) == 1


def test_no_error_and_no_credential_shows_a_token(forge: GitHub, github: GitHubFake) -> None:
    credential = forge.credential(SHOP)
    github.repository(SHOP).pulls.clear()
    with pytest.raises(ForgeError) as failed:
        forge.pull_request(SHOP, 7)
    shown = repr(credential) + repr(failed.value) + str(failed.value.__cause__) + str(failed.value.__context__)
    assert not any(token in shown for token in github.app.tokens)

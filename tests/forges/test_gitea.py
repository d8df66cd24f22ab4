"""Gitea and Forgejo: the contract of every forge for each of them, and what only they have."""

from __future__ import annotations

from pathlib import Path

import pytest
from openapi_spec_validator import validate

from service.forges.gitea import Gitea
from service.forges.port import Account, ForgeError, Permission, Reaction, State
from service.secret import Secret
from tests.forges.contract import ALICE, HEAD, NUMBER, OTHER, Doing, ForgeContract, check, commanded
from tests.forges.gitea_fake import GiteaFake
from tests.forges.gitea_stage import PATH, TOKEN, GiteaStage
from tests.forges.signoff_contract import SignOffContract


@pytest.fixture
def stage(gitea: GiteaFake) -> GiteaStage:
    return GiteaStage(gitea, "gitea")


class TestGitea(ForgeContract, SignOffContract):
    @pytest.fixture
    def stage(self, gitea: GiteaFake) -> GiteaStage:
        return GiteaStage(gitea, "gitea")


class TestForgejo(ForgeContract, SignOffContract):
    @pytest.fixture
    def stage(self, gitea: GiteaFake) -> GiteaStage:
        return GiteaStage(gitea, "forgejo")


def test_the_description_of_the_api_is_valid() -> None:
    document = dict(GiteaFake.description.document)
    # A branch may hold slashes, which OpenAPI has no word for; the star that says so here is ours.
    document["paths"] = {path.rstrip("*"): operations for path, operations in document["paths"].items()}
    validate(document)


def test_a_head_in_a_deleted_repository_is_a_fork(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.open_pull(NUMBER)
    gitea.pulls[NUMBER].head_repository = None
    assert stage.forge.pull_request(PATH, NUMBER).fork


def test_a_head_that_was_pushed_by_agit_counts_as_a_fork(stage: GiteaStage, gitea: GiteaFake) -> None:
    # Whoever may read can push to refs/for/main, and Gitea names the base repository as the head's.
    stage.open_pull(NUMBER)
    gitea.pulls[NUMBER].agit = True
    assert stage.forge.pull_request(PATH, NUMBER).fork


@pytest.mark.parametrize(
    ("title", "draft"), [("WIP: a", True), ("[WIP] a", True), ("wip: a", True), ("a WIP: b", False), ("Wiping", False)]
)
def test_an_older_server_tells_drafts_by_the_title_alone(stage: GiteaStage, gitea: GiteaFake, title: str, draft: bool) -> None:
    stage.open_pull(NUMBER)
    gitea.pulls[NUMBER].draft, gitea.pulls[NUMBER].title = None, title
    assert stage.forge.pull_request(PATH, NUMBER).draft is draft


def test_the_servers_own_accounts_are_no_persons(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.open_pull(NUMBER)
    gitea.pulls[NUMBER].author = -2
    assert stage.forge.pull_request(PATH, NUMBER).author == Account("-2", "gitea-actions", bot=True)


def test_an_owner_administrates(stage: GiteaStage, gitea: GiteaFake) -> None:
    gitea.permissions[int(ALICE.id)] = "owner"
    assert stage.forge.permission(PATH, ALICE) is Permission.ADMIN


def test_who_renamed_an_account_to_a_known_name_has_not_its_permission(stage: GiteaStage, gitea: GiteaFake) -> None:
    gitea.permissions[int(ALICE.id)] = "admin"
    assert stage.forge.permission(PATH, Account("999", "Alice")) is Permission.NONE
    assert stage.forge.permission(PATH, Account("999", "nobody")) is Permission.NONE


@pytest.mark.parametrize("name", ["../../user", "a/b", "a?b=c", "a#b", "%2e%2e"])
def test_a_name_stays_one_part_of_the_path(stage: GiteaStage, gitea: GiteaFake, name: str) -> None:
    assert stage.forge.permission(PATH, Account("501", name)) is Permission.NONE
    assert [call.where.get("collaborator") for call in gitea.calls] == [name]


def test_a_token_that_may_not_ask_for_permissions_is_an_error_and_no_permission(stage: GiteaStage, gitea: GiteaFake) -> None:
    gitea.administrates = False
    with pytest.raises(ForgeError, match="repo admins") as refused:
        stage.forge.permission(PATH, ALICE)
    assert not refused.value.retry


def test_a_failing_check_and_one_that_broke_are_told_apart(stage: GiteaStage, gitea: GiteaFake) -> None:
    for state in (State.FAILURE, State.ERROR, State.ACTION_REQUIRED):
        stage.forge.put_check(PATH, check(state))
    assert [status["status"] for status in gitea.statuses] == ["failure", "error", "failure"]


@pytest.mark.parametrize("sha", ["main", "../x", "a" * 39, "A" * 40])
def test_a_check_belongs_to_a_whole_commit(stage: GiteaStage, gitea: GiteaFake, sha: str) -> None:
    broken = check(State.SUCCESS)
    with pytest.raises(ForgeError):
        stage.forge.put_check(PATH, type(broken)(sha, State.SUCCESS, "line"))
    assert gitea.calls == []


def test_a_reaction_that_is_there_already_is_no_error(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.open_pull(NUMBER)
    command = commanded(stage)
    for _ in range(2):
        stage.forge.answer(PATH, command, Reaction.SEEN)
    assert [call.status for call in gitea.calls] == [201, 200]


def test_a_list_without_pages_is_asked_for_once(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.open_pull(NUMBER)
    for number in range(120):
        stage.say(NUMBER, ALICE, f"remark {number}")
    stage.forge.put_comment(PATH, NUMBER, "text")
    assert gitea.called("GET", ".*/comments") == 1


def test_refs_near_a_commit_start_with_the_default_branch(stage: GiteaStage) -> None:
    stage.open_pull(NUMBER)
    stage.open_pull(8, head=OTHER)
    stage.set_branch("release/1", HEAD)
    stage.set_branch("main", OTHER)
    assert list(stage.forge.refs_near(PATH, HEAD)) == ["refs/heads/main", f"refs/pull/{NUMBER}/head", "refs/heads/release/1"]


# --- the connection


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_gets_neither_the_token_nor_a_request(stage: GiteaStage, status: int) -> None:
    with GiteaFake(TOKEN, PATH) as elsewhere:
        stage.open_pull(NUMBER)
        stage.fail(Doing.READ_PULL, status, headers={"Location": f"{elsewhere.url}/api/v1/repos/acme/shop/pulls/{NUMBER}"})
        with pytest.raises(ForgeError, match="another host") as refused:
            stage.forge.pull_request(PATH, NUMBER)
        assert not refused.value.retry
        assert elsewhere.calls == []


def test_a_redirect_within_the_host_is_followed_by_a_reading_request(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.open_pull(NUMBER)
    stage.fail(Doing.READ_PULL, 301, headers={"Location": f"{gitea.url}/api/v1/repos/acme/shop/pulls/{NUMBER}"})
    assert stage.forge.pull_request(PATH, NUMBER).number == NUMBER


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_write_is_not_redirected(stage: GiteaStage, gitea: GiteaFake, status: int) -> None:
    stage.fail(Doing.CREATE_CHECK, status, headers={"Location": f"{gitea.url}/api/v1/user"})
    with pytest.raises(ForgeError, match="redirect"):
        stage.forge.put_check(PATH, check(State.SUCCESS))


def test_a_netrc_does_not_replace_the_token(stage: GiteaStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    stage.open_pull(NUMBER)
    stage.fail(Doing.READ_PULL, 302, headers={"Location": f"{stage.fake.url}/api/v1/repos/acme/shop/pulls/{NUMBER}"})
    assert stage.forge.pull_request(PATH, NUMBER).number == NUMBER


def test_no_error_holds_the_token(stage: GiteaStage) -> None:
    stage.open_pull(NUMBER)
    for status in (500, 0, 403, 401):
        stage.fail(Doing.READ_PULL, status, message=f"wrong token {TOKEN}")
        with pytest.raises(ForgeError) as failed:
            stage.forge.pull_request(PATH, NUMBER)
        assert TOKEN not in f"{failed.value!r} {failed.value.message} {failed.value.__cause__!r}"


def test_local_repositories_need_no_credential_and_have_no_pages(gitea: GiteaFake) -> None:
    local = Gitea(gitea.url, "file:///srv/git", Secret(TOKEN), context="flowdelta", timeout=1, write_interval=0)
    assert (local.clone_url(PATH), local.source_url(PATH), local.credential(PATH)) == (f"file:///srv/git/{PATH}.git", "", None)


def test_a_line_is_read_on_the_page_of_its_commit(stage: GiteaStage) -> None:
    assert stage.forge.source_url(PATH) == f"https://gitea.example/{PATH}/src/commit/{{commit}}/{{path}}#L{{line}}"

"""GitLab: the contract of every forge with each kind of webhook secret, and what only GitLab has."""

from __future__ import annotations

import time

import pytest
from openapi_spec_validator import validate

from service.forges.gitlab import GitLab
from service.forges.port import MARKER, Check, ForgeError, Permission, Reaction, State
from service.secret import Secret
from tests.forges.contract import ALICE, HEAD, NUMBER, OTHER, ROBOT, Doing, ForgeContract, bodies, check, commanded
from tests.forges.faults import Fault
from tests.forges.gitlab_fake import BOT_ID, FORK_ID, PROJECT_ID, GitLabFake, Merge, Note
from tests.forges.gitlab_stage import PATH, TOKEN, GitLabStage
from tests.forges.signoff_contract import SignOffContract


@pytest.fixture
def stage(gitlab: GitLabFake) -> GitLabStage:
    return GitLabStage(gitlab, signing=False)


class TestGitLabWithASecretToken(ForgeContract, SignOffContract):
    @pytest.fixture
    def stage(self, gitlab: GitLabFake) -> GitLabStage:
        return GitLabStage(gitlab, signing=False)


class TestGitLabWithASigningToken(ForgeContract, SignOffContract):
    @pytest.fixture
    def stage(self, gitlab: GitLabFake) -> GitLabStage:
        return GitLabStage(gitlab, signing=True)


def test_the_description_of_the_api_is_valid() -> None:
    validate(GitLabFake.description.document)


def test_a_head_in_a_deleted_project_is_a_fork(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.open_pull(NUMBER)
    gitlab.merges[NUMBER].source = None
    assert stage.forge.pull_request(PATH, NUMBER).fork


def test_the_head_is_fetched_from_the_target_project(stage: GitLabStage) -> None:
    stage.open_pull(NUMBER, fork=True)
    assert stage.forge.pull_request(PATH, NUMBER).head_ref == f"refs/merge-requests/{NUMBER}/head"


@pytest.mark.parametrize("state", ["closed", "locked", "merged"])
def test_a_merge_request_in_any_other_state_is_not_open(stage: GitLabStage, gitlab: GitLabFake, state: str) -> None:
    stage.open_pull(NUMBER)
    gitlab.merges[NUMBER].state = state
    assert not stage.forge.pull_request(PATH, NUMBER).open


def test_a_merge_request_that_is_not_prepared_yet_is_asked_for_again(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.open_pull(NUMBER)
    gitlab.merges[NUMBER].sha = None
    with pytest.raises(ForgeError, match="not prepared") as early:
        stage.forge.pull_request(PATH, NUMBER)
    assert early.value.retry
    stage.open_pull(8)
    assert [pull.number for pull in stage.forge.open_pull_requests(PATH)] == [8]


def test_an_author_is_a_bot_where_the_account_says_so_and_is_looked_up_once(stage: GitLabStage, gitlab: GitLabFake) -> None:
    for number in range(1, 4):
        gitlab.merges[number] = Merge(number, int(ROBOT.id), HEAD)
    assert all(pull.author == ROBOT for pull in stage.forge.open_pull_requests(PATH))
    assert gitlab.called("GET", r"/api/v4/users/\d+") == 1


def test_an_account_that_may_not_be_looked_at_counts_as_a_person(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.open_pull(NUMBER)
    gitlab.inject(Fault("GET", r"/api/v4/users/\d+", status=403))
    assert stage.forge.pull_request(PATH, NUMBER).author == ALICE


def test_the_path_of_a_project_in_a_subgroup_is_one_part_of_the_url(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.open_pull(NUMBER)
    stage.forge.pull_request(PATH, NUMBER)
    assert gitlab.called("GET", f"/api/v4/projects/acme%2Fplatform%2Fshop/merge_requests/{NUMBER}") == 1


def test_system_notes_of_our_account_are_no_comments(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.open_pull(NUMBER)
    gitlab.notes.append(Note(1, NUMBER, BOT_ID, f"{MARKER}\nchanged the title", system=True))
    stage.forge.put_comment(PATH, NUMBER, "ours")
    assert len(gitlab.notes) == 2


@pytest.mark.parametrize("line", ["/merge", "text\n/approve", "text\n\r/close", "  /close", "text\r\n/label ~x", "\n\n/assign @me"])
def test_no_line_of_a_note_is_a_quick_action(stage: GitLabStage, line: str) -> None:
    # The stand-in reports a violation for what GitLab would carry out.
    stage.open_pull(NUMBER)
    stage.forge.put_comment(PATH, NUMBER, line)
    stage.forge.answer(PATH, commanded(stage), Reaction.SEEN, line)
    assert len(bodies(stage)) == 2


@pytest.mark.parametrize(
    ("level", "permission"),
    [(0, "none"), (5, "read"), (10, "read"), (15, "read"), (20, "read"), (30, "write"), (40, "admin"), (50, "admin")],
)
def test_a_permission_follows_the_access_level(stage: GitLabStage, gitlab: GitLabFake, level: int, permission: str) -> None:
    gitlab.members[int(ALICE.id)] = {"access_level": level}
    assert stage.forge.permission(PATH, ALICE) == permission


@pytest.mark.parametrize("lost", [{"state": "blocked"}, {"membership_state": "awaiting"}])
def test_who_is_blocked_or_not_confirmed_may_do_nothing(stage: GitLabStage, gitlab: GitLabFake, lost: dict[str, str]) -> None:
    gitlab.members[int(ALICE.id)] = {"access_level": 50, **lost}
    assert stage.forge.permission(PATH, ALICE) is Permission.NONE


# --- statuses


def test_a_status_goes_to_the_pipeline_of_the_head(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.open_pull(NUMBER)
    pipeline = gitlab.run_pipeline(NUMBER, sha=HEAD, ref=f"refs/merge-requests/{NUMBER}/head")
    stage.forge.put_check(PATH, check(State.SUCCESS))
    assert [(status.pipeline, status.ref) for status in gitlab.statuses] == [(pipeline, f"refs/merge-requests/{NUMBER}/head")]


@pytest.mark.parametrize(("sha", "project"), [(OTHER, PROJECT_ID), (HEAD, FORK_ID)], ids=["of merged results", "of the fork"])
def test_a_pipeline_that_takes_no_status_of_the_head_is_left_alone(stage: GitLabStage, gitlab: GitLabFake, sha: str, project: int) -> None:
    stage.open_pull(NUMBER)
    gitlab.run_pipeline(NUMBER, sha=sha, ref="change", project=project)
    stage.forge.put_check(PATH, check(State.SUCCESS))
    assert [(status.sha, status.ref, status.state) for status in gitlab.statuses] == [(HEAD, "change", "success")]


@pytest.mark.parametrize(("fork", "ref"), [(False, "change"), (True, f"refs/merge-requests/{NUMBER}/head")])
def test_without_a_pipeline_a_status_makes_one_for_the_head(stage: GitLabStage, gitlab: GitLabFake, fork: bool, ref: str) -> None:
    stage.open_pull(NUMBER, fork=fork)
    stage.forge.put_check(PATH, check(State.PENDING))
    assert [status.ref for status in gitlab.statuses] == [ref]


def test_a_check_without_a_merge_request_belongs_to_its_branch(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.forge.put_check(PATH, Check(HEAD, State.SUCCESS, "line", ref="refs/heads/release/1.0"))
    assert [status.ref for status in gitlab.statuses] == ["release/1.0"]


def test_a_status_that_stands_already_is_no_error(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.open_pull(NUMBER)
    for _ in range(2):
        stage.forge.put_check(PATH, check(State.PENDING))
    assert [call.status for call in gitlab.calls if call.method == "POST"] == [201, 400]
    assert [status.state for status in gitlab.statuses] == ["pending"]


@pytest.mark.parametrize("state", [State.SUCCESS, State.FAILURE])
def test_a_refused_step_to_a_state_that_does_not_stand_is_tried_again(stage: GitLabStage, state: State) -> None:
    stage.open_pull(NUMBER)
    stage.forge.put_check(PATH, check(State.PENDING))
    stage.fail(Doing.CREATE_CHECK, 400, message="Cannot transition status via :success from :canceled")
    with pytest.raises(ForgeError) as refused:
        stage.forge.put_check(PATH, check(state))
    assert refused.value.retry


def test_another_bad_request_is_final(stage: GitLabStage) -> None:
    stage.open_pull(NUMBER)
    stage.fail(Doing.CREATE_CHECK, 400, message="name has already been taken")
    with pytest.raises(ForgeError, match="already been taken") as refused:
        stage.forge.put_check(PATH, check(State.SUCCESS))
    assert not refused.value.retry


def test_a_status_that_someone_else_is_changing_is_tried_again(stage: GitLabStage) -> None:
    stage.open_pull(NUMBER)
    stage.fail(Doing.CREATE_CHECK, 409, message="Another update to this commit status is in progress")
    with pytest.raises(ForgeError) as busy:
        stage.forge.put_check(PATH, check(State.SUCCESS))
    assert busy.value.retry


def test_a_url_that_gitlab_does_not_hold_is_left_out(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.open_pull(NUMBER)
    stage.forge.put_check(PATH, check(State.SUCCESS, url="https://flowdelta.example/" + "x" * 300))
    assert [status.target_url for status in gitlab.statuses] == [None]


# --- the connection


def test_an_exhausted_rate_limit_waits_for_its_reset(stage: GitLabStage) -> None:
    stage.open_pull(NUMBER)
    stage.fail(Doing.READ_PULL, 429, headers={"RateLimit-Remaining": "0", "RateLimit-Reset": str(int(time.time()) + 600)})
    with pytest.raises(ForgeError) as limited:
        stage.forge.pull_request(PATH, NUMBER)
    assert limited.value.retry_after is not None
    assert 500 < limited.value.retry_after <= 600


@pytest.mark.parametrize("status", [429, 500, 502])
def test_the_client_tries_nothing_again_by_itself(stage: GitLabStage, gitlab: GitLabFake, status: int) -> None:
    stage.open_pull(NUMBER)
    stage.fail(Doing.READ_PULL, status, times=None, headers={"Retry-After": "1"})
    with pytest.raises(ForgeError):
        stage.forge.pull_request(PATH, NUMBER)
    assert len(gitlab.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_gets_neither_the_token_nor_a_request(stage: GitLabStage, status: int) -> None:
    with GitLabFake(TOKEN, PATH) as elsewhere:
        stage.open_pull(NUMBER)
        stage.fail(Doing.READ_PULL, status, headers={"Location": f"{elsewhere.url}/api/v4/projects/x/merge_requests/{NUMBER}"})
        with pytest.raises(ForgeError, match="another host") as refused:
            stage.forge.pull_request(PATH, NUMBER)
        assert not refused.value.retry
        assert elsewhere.calls == []


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_write_is_not_redirected(stage: GitLabStage, gitlab: GitLabFake, status: int) -> None:
    stage.open_pull(NUMBER)
    stage.fail(Doing.CREATE_COMMENT, status, headers={"Location": f"{gitlab.url}/api/v4/user"})
    with pytest.raises(ForgeError, match="redirect"):
        stage.forge.put_comment(PATH, NUMBER, "text")


def test_a_page_on_another_host_is_not_fetched_there(stage: GitLabStage, gitlab: GitLabFake) -> None:
    with GitLabFake(TOKEN, PATH) as elsewhere:
        for number in range(1, 121):
            stage.open_pull(number)
        gitlab.url = elsewhere.url  # what its Link headers name
        assert len(list(stage.forge.open_pull_requests(PATH))) == 120
        assert elsewhere.calls == []


def test_no_error_holds_the_token(stage: GitLabStage) -> None:
    stage.open_pull(NUMBER)
    for status in (500, 0, 403, 401):
        stage.fail(Doing.READ_PULL, status, message=f"wrong token {TOKEN}")
        with pytest.raises(ForgeError) as failed:
            stage.forge.pull_request(PATH, NUMBER)
        assert TOKEN not in f"{failed.value!r} {failed.value.message} {failed.value.__cause__!r}"


def test_refs_near_a_commit_start_with_the_default_branch(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.open_pull(NUMBER)
    stage.set_branch("release/1", HEAD)
    assert list(stage.forge.refs_near(PATH, HEAD)) == ["refs/heads/main", f"refs/merge-requests/{NUMBER}/head", "refs/heads/release/1"]
    assert list(stage.forge.refs_near(PATH, OTHER)) == ["refs/heads/main"]
    assert gitlab.called("GET", ".*/refs") == 2


def test_local_repositories_need_no_credential_and_have_no_pages(gitlab: GitLabFake) -> None:
    local = GitLab(gitlab.url, "file:///srv/git", Secret(TOKEN), context="flowdelta", timeout=1, write_interval=0)
    assert (local.clone_url(PATH), local.source_url(PATH), local.credential(PATH)) == (f"file:///srv/git/{PATH}.git", "", None)


def test_a_line_is_read_on_the_page_of_its_commit(stage: GitLabStage) -> None:
    assert stage.forge.source_url(PATH) == f"https://gitlab.example/{PATH}/-/blob/{{commit}}/{{path}}#L{{line}}"
    credential = stage.forge.credential(PATH)
    assert credential is not None
    assert (credential.username, credential.password.reveal()) == ("oauth2", TOKEN)

"""What is GitHub's own about people: its web commits, its private addresses, pushes, forks, teams and buttons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from service.forges.github_events import GitHubReceiver
from service.forges.port import Account, Button, Check, Contributors, ForgeError, Look, Pressed, State, WebhookError
from tests.forges.contract import ALICE, BASE, BOB, CURRENT, HEAD, MALLORY, NUMBER, OTHER, ROBOT, Doing
from tests.forges.faults import Fault
from tests.forges.github_deliveries import signed
from tests.forges.github_fake import GitHubFake
from tests.forges.github_stage import SHOP, GitHubStage, as_app, with_token
from tests.forges.github_state import Commit, Signed
from tests.forges.signoff_contract import given

WEB = Signed("GitHub", "noreply@github.com", ("web-flow", 19_864_447))
ACTIVITY = "/repos/[^/]+/shop/activity"
APPROVE = Button("Approve", "Approve these flows", "approve:0123456789ab")
WAITING = Check(HEAD, State.ACTION_REQUIRED, "waits for security", "1 guardrail", subject=str(NUMBER), buttons=(APPROVE,))


@pytest.fixture
def stage(github: GitHubFake) -> GitHubStage:
    made = GitHubStage(github, with_token(github), app=False)
    made.open_pull(NUMBER)
    return made


@pytest.fixture
def app(github: GitHubFake) -> GitHubStage:
    made = GitHubStage(github, as_app(github), app=True)
    made.open_pull(NUMBER)
    return made


def found(stage: GitHubStage) -> Contributors:
    return stage.forge.contributors(SHOP, NUMBER)


def last_commit(stage: GitHubStage, **changes: Any) -> None:
    """Put another commit in place of the last one of the pull request."""
    commits = stage.github.repository(SHOP).pulls[NUMBER].commits
    commits[-1] = replace(commits[-1], **changes)


# --- contributors


def test_what_was_committed_on_githubs_pages_is_its_authors(stage: GitHubStage) -> None:
    stage.commit(NUMBER, BOB)
    last_commit(stage, committer=WEB)
    assert found(stage) == Contributors(frozenset({BOB.id}), ())


def test_who_takes_githubs_address_as_the_author_is_not_github(stage: GitHubStage) -> None:
    stage.commit(NUMBER, BOB)
    last_commit(stage, author=WEB)
    assert found(stage).accounts == {BOB.id, "19864447"}


@pytest.mark.parametrize("host", ["github.com", "github.example"])
def test_a_co_author_is_known_by_the_address_that_github_gave_out(stage: GitHubStage, host: str) -> None:
    stage.commit(NUMBER, ALICE, message=f"A change\n\nCo-authored-by: Bob <504+bob@users.noreply.{host}>")
    assert found(stage) == Contributors(frozenset({ALICE.id, BOB.id}), ())


def test_a_pull_request_without_commits_has_no_contributors(stage: GitHubStage) -> None:
    assert found(stage) == Contributors()


def test_more_commits_than_github_lists_are_refused_and_not_cut(stage: GitHubStage) -> None:
    stage.commit(NUMBER, ALICE)
    pull = stage.github.repository(SHOP).pulls[NUMBER]
    pull.commits = pull.commits * 10_001
    with pytest.raises(ForgeError, match="10001 commits") as refused:
        found(stage)
    assert not refused.value.retry


class Miscounted(list[Commit]):
    """A list that changes while it is read: it counts one more than it gives."""

    def __len__(self) -> int:
        return super().__len__() + 1


def test_commits_that_changed_while_they_were_listed_are_listed_again_later(stage: GitHubStage) -> None:
    stage.commit(NUMBER, ALICE)
    pull = stage.github.repository(SHOP).pulls[NUMBER]
    pull.commits = Miscounted(pull.commits)
    with pytest.raises(ForgeError, match="1 of 2 commits") as torn:
        found(stage)
    assert torn.value.retry


def test_pushes_count_back_to_the_one_before_which_the_branch_held_nothing_of_it(stage: GitHubStage) -> None:
    stage.commit(NUMBER, ALICE)
    first = stage.github.repository(SHOP).pulls[NUMBER].head_sha
    stage.push(NUMBER, MALLORY, before="1" * 40)  # of an older change, which is merged
    stage.push(NUMBER, ALICE)
    stage.commit(NUMBER, ALICE)
    stage.push(NUMBER, BOB, before=first)
    assert found(stage).accounts == {ALICE.id, BOB.id}


def test_who_pushed_what_was_pushed_away_again_counts_too(stage: GitHubStage) -> None:
    stage.commit(NUMBER, ALICE)
    stage.push(NUMBER, MALLORY, before="0" * 40, kind="branch_creation")
    stage.push(NUMBER, BOB)
    stage.push(NUMBER, ALICE, before=OTHER, kind="force_push")
    assert found(stage).accounts == {ALICE.id, BOB.id}


def test_many_pushes_are_read_beyond_the_first_page(stage: GitHubStage) -> None:
    stage.commit(NUMBER, ALICE)
    stage.push(NUMBER, BOB, before="0" * 40, kind="branch_creation")
    for _ in range(120):
        stage.push(NUMBER, ALICE, before=OTHER, kind="force_push")
    assert found(stage).accounts == {ALICE.id, BOB.id}


@pytest.mark.parametrize("status", [403, 404])
def test_the_pushes_to_a_fork_may_stay_hidden_and_those_to_the_repository_may_not(stage: GitHubStage, status: int) -> None:
    for fork in (True, False):
        stage.open_pull(NUMBER, fork=fork)
        stage.commit(NUMBER, BOB)
        stage.github.inject(Fault("GET", ACTIVITY, status, message="Not yours"))
        if fork:
            assert found(stage).accounts == {BOB.id}
        else:
            with pytest.raises(ForgeError) as refused:
                found(stage)
            assert not refused.value.retry


def test_a_limit_on_requests_is_not_taken_for_a_hidden_fork(stage: GitHubStage) -> None:
    stage.open_pull(NUMBER, fork=True)
    stage.commit(NUMBER, BOB)
    stage.github.inject(Fault("GET", ACTIVITY, 403, message="You have exceeded a secondary rate limit"))
    with pytest.raises(ForgeError) as limited:
        found(stage)
    assert limited.value.retry


def test_a_fork_that_was_deleted_is_not_asked_for_pushes(stage: GitHubStage) -> None:
    stage.commit(NUMBER, BOB)
    stage.github.repository(SHOP).pulls[NUMBER].head_repository = None
    assert found(stage).accounts == {BOB.id}
    assert stage.github.called("GET", ACTIVITY) == 0
    # GitHub gives null for such a fork; its description has not heard of it.
    assert all("$.head.repo" in violation for violation in stage.github.violations)
    stage.github.violations.clear()


# --- reviews, teams and labels


def test_a_review_by_a_bot_says_so_and_one_of_a_deleted_account_is_nobodys(stage: GitHubStage) -> None:
    stage.review(NUMBER, ROBOT, approves=True)
    stage.review(NUMBER, BOB, approves=True)
    stage.github.repository(SHOP).pulls[NUMBER].reviews[-1].user = None
    assert [review.account for review in given(stage).values()] == [ROBOT]


def test_a_team_that_answered_is_not_asked_again(stage: GitHubStage) -> None:
    stage.make_group(BOB)
    stage.github.repository(SHOP).pulls[NUMBER].asked.append("security")
    stage.review(NUMBER, BOB, approves=True)
    stage.forge.request_review(SHOP, NUMBER, ["Acme/Security"])
    assert stage.github.called("POST", ".*/requested_reviewers") == 0


def test_a_team_that_may_not_see_the_repository_is_an_error(stage: GitHubStage) -> None:
    with pytest.raises(ForgeError, match="422") as refused:
        stage.forge.request_review(SHOP, NUMBER, ["security"])
    assert not refused.value.retry


def test_labels_that_are_as_they_should_be_are_not_written(stage: GitHubStage) -> None:
    stage.label(NUMBER, "Guarded")
    stage.forge.put_labels(SHOP, NUMBER, ["guarded"], ["settled"])
    assert (stage.labels(NUMBER), [call.method for call in stage.github.calls]) == ({"Guarded"}, ["GET"])


def test_a_label_that_someone_else_took_away_first_is_gone_all_the_same(stage: GitHubStage) -> None:
    stage.label(NUMBER, "guarded")
    stage.github.inject(Fault("DELETE", ".*/labels/.*", 404, message="Label does not exist"))
    stage.forge.put_labels(SHOP, NUMBER, [], ["guarded"])


# --- buttons


def buttons(stage: GitHubStage) -> list[dict[str, str]]:
    (run,) = stage.github.checks(SHOP, HEAD)
    return run.buttons


def test_a_check_has_its_buttons_when_it_has_ended(app: GitHubStage) -> None:
    app.forge.put_check(SHOP, replace(WAITING, state=State.PENDING))
    assert buttons(app) == []
    app.forge.put_check(SHOP, WAITING)
    assert buttons(app) == [{"label": "Approve", "description": "Approve these flows", "identifier": "approve:0123456789ab"}]


def test_no_more_buttons_are_sent_than_github_takes_and_their_words_are_cut(app: GitHubStage) -> None:
    long = [Button(f"{number} {'label ' * 9}", "what it does " * 9, f"approve:{number}") for number in range(5)]
    app.forge.put_check(SHOP, replace(WAITING, buttons=tuple(long)))
    assert [button["identifier"] for button in buttons(app)] == ["approve:0", "approve:1", "approve:2"]
    assert all(len(button["label"]) <= 20 and len(button["description"]) <= 40 for button in buttons(app))


@pytest.mark.parametrize("action", ["", "a" * 21, "a b", "a|b", "ä"])
def test_an_action_that_would_not_come_back_is_refused_here(app: GitHubStage, action: str) -> None:
    with pytest.raises(ForgeError, match="action") as refused:
        app.forge.put_check(SHOP, replace(WAITING, buttons=(replace(APPROVE, action=action),)))
    assert not refused.value.retry
    assert app.github.checks(SHOP, HEAD) == []


def test_a_status_has_no_buttons_and_is_set_all_the_same(stage: GitHubStage) -> None:
    stage.forge.put_check(SHOP, WAITING)
    assert [shown.state for shown in stage.checks(HEAD)] == ["failed"]


def press(run: dict[str, Any], **more: Any) -> Any:
    """What the receiver makes of a button that BOB presses."""
    sender = {"login": BOB.name, "id": int(BOB.id), "type": "User"}
    body = {"action": "requested_action", "requested_action": {"identifier": "approve:1"}, "sender": sender, "check_run": run, **more}
    delivery = signed("check_run", {"repository": {"full_name": SHOP, "id": 1}, **body}, name="delivery-1", secret=CURRENT)
    return GitHubReceiver((CURRENT,)).receive(Headers(delivery.headers), delivery.body, 1_700_000_000.0).calls


def of_pulls(*numbers: int) -> dict[str, Any]:
    return {"head_sha": HEAD, "pull_requests": [{"number": number, "base": {"repo": {"id": 1}}} for number in numbers]}


def test_a_press_is_for_the_one_pull_request_that_the_check_names() -> None:
    assert press(of_pulls(8)) == (Pressed(8, BOB, "approve:1", HEAD),)
    assert press({**of_pulls(8, 9), "external_id": "7"}) == (Pressed(7, BOB, "approve:1", HEAD),)


def test_a_press_on_a_commit_of_several_pull_requests_approves_none() -> None:
    assert press(of_pulls(8, 9)) == (Look(8), Look(9))
    assert press(of_pulls()) == ()


@pytest.mark.parametrize("identifier", [None, 7, "", "a" * 21, "approve 1", "approve:1\n"])
def test_an_action_that_is_none_of_ours_calls_for_a_look(identifier: object) -> None:
    assert press(of_pulls(8), requested_action={"identifier": identifier}) == (Look(8),)


@pytest.mark.parametrize(
    "lacking", [{"check_run": {**of_pulls(8), "head_sha": "main"}}, {"sender": {"login": "bob"}}, {"sender": {"id": 504}}, {"sender": None}]
)
def test_a_press_without_its_commit_or_its_person_is_refused(lacking: dict[str, Any]) -> None:
    with pytest.raises(WebhookError) as refused:
        press(of_pulls(8), **lacking)
    assert refused.value.status == 400


def test_a_rerun_is_a_look_whatever_else_the_event_holds() -> None:
    assert press(of_pulls(8), action="rerequested") == (Look(8),)


def test_who_is_named_like_a_member_is_none(stage: GitHubStage) -> None:
    stage.make_group(BOB)
    assert stage.forge.members(SHOP, "security", [Account("504000", BOB.name)]) == frozenset()


def test_a_team_is_one_of_the_repositorys_owner_where_nobody_says_whose(stage: GitHubStage) -> None:
    stage.make_group(BOB)
    assert stage.forge.members(SHOP, "Security", [BOB]) == {BOB.id}


def test_the_right_to_read_members_is_named_where_it_may_lack(stage: GitHubStage) -> None:
    stage.make_group(BOB)
    stage.fail(Doing.READ_GROUP, 404)
    with pytest.raises(ForgeError, match="right to read"):
        stage.forge.members(SHOP, "security", [BOB])


def test_the_base_is_compared_as_it_is_now(stage: GitHubStage) -> None:
    stage.commit(NUMBER, BOB)
    stage.set_branch("main", BASE)
    found(stage)
    head = stage.github.repository(SHOP).pulls[NUMBER].head_sha
    assert stage.github.called("GET", f"/repos/{SHOP}/compare/{BASE}...{head}") == 1

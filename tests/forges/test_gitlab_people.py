"""What is GitLab's own about people: emails without accounts, notes of pushes, groups within groups, approvals by time."""

from __future__ import annotations

from typing import Any

import pytest

from service.forges.port import Contributors, ForgeError
from tests.forges.answering import Answer
from tests.forges.contract import ALICE, BOB, HEAD, MALLORY, NUMBER, OTHER, ROBOT
from tests.forges.described import Asked
from tests.forges.faults import Fault
from tests.forges.gitlab_fake import GitLabFake, Note
from tests.forges.gitlab_stage import PATH, TOKEN, GitLabStage
from tests.forges.signoff_contract import STRANGER, given, members


@pytest.fixture
def stage(gitlab: GitLabFake) -> GitLabStage:
    made = GitLabStage(gitlab, signing=False)
    made.open_pull(NUMBER)
    return made


def found(stage: GitLabStage) -> Contributors:
    return stage.forge.contributors(PATH, NUMBER)


# --- contributors


def test_committers_without_a_commit_of_their_own_are_known_by_being_as_many_as_their_emails(stage: GitLabStage) -> None:
    stage.commit(NUMBER, ALICE, committer=BOB)
    stage.commit(NUMBER, ALICE, committer=MALLORY)
    assert found(stage) == Contributors(frozenset({ALICE.id, BOB.id, MALLORY.id}), ())


def test_with_a_stranger_among_the_committers_no_email_is_guessed_to_be_an_accounts(stage: GitLabStage) -> None:
    stage.commit(NUMBER, ALICE, committer=BOB)
    stage.commit(NUMBER, ALICE, committer=STRANGER)
    assert found(stage) == Contributors(frozenset({ALICE.id, BOB.id}), ("bob@work.example", STRANGER))


def test_two_emails_of_one_committer_are_not_taken_for_two_people(stage: GitLabStage, gitlab: GitLabFake) -> None:
    gitlab.emails["bob@home.example"] = int(BOB.id)
    stage.commit(NUMBER, BOB, committer="bob@home.example")
    stage.commit(NUMBER, ALICE, committer=STRANGER)
    assert found(stage).strangers == ("bob@home.example", STRANGER)


def test_an_address_that_gitlab_gave_out_names_its_account(stage: GitLabStage) -> None:
    stage.commit(NUMBER, ALICE, message=f"A change\n\nCo-authored-by: Bob <{BOB.id}-bob@users.noreply.127.0.0.1>")
    assert found(stage) == Contributors(frozenset({ALICE.id, BOB.id}), ())


def test_a_note_that_a_person_wrote_is_no_push(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.commit(NUMBER, ALICE)
    stage.say(NUMBER, BOB, "added 1 commit")
    gitlab.notes.append(Note(gitlab.next_id(), NUMBER, int(MALLORY.id), "added 1 committee", system=True))
    assert found(stage).accounts == {ALICE.id}


def test_commits_that_are_not_listed_yet_are_waited_for(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.commit(NUMBER, ALICE)
    gitlab.merges[NUMBER].sha = HEAD
    with pytest.raises(ForgeError, match="yet") as early:
        found(stage)
    assert early.value.retry


def test_more_committers_than_one_answer_names_are_refused_and_not_cut(stage: GitLabStage, gitlab: GitLabFake) -> None:
    for number in range(2_000, 2_101):
        gitlab.emails[f"{number}@work.example"] = number
        stage.commit(NUMBER, f"{number}@work.example")
    with pytest.raises(ForgeError, match="100 committers") as refused:
        found(stage)
    assert not refused.value.retry


class Refusing(GitLabFake):
    """A GitLab whose GraphQL answers as `answered` says."""

    answered: dict[str, Any] = {"errors": [{"message": "Query has complexity of 300, which exceeds max\ncomplexity of 250"}]}  # noqa: RUF012

    def _graphql(self, asked: Asked) -> Answer:
        super()._graphql(asked)
        return 200, self.answered, {}


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (Refusing.answered, "refused to name the authors: Query has complexity of 300, which exceeds max complexity"),
        ({"data": {"project": None}}, "not its API's"),
        ({"data": None}, "not its API's"),
        (
            {"data": {"project": {"mergeRequest": {"committers": {"pageInfo": {"hasNextPage": False}, "nodes": [{"id": "gid://x/1"}]}}}}},
            "not its",
        ),
    ],
)
def test_without_an_answer_to_whose_the_emails_are_nothing_is_known(answered: dict[str, Any], said: str) -> None:
    with Refusing(TOKEN, PATH) as fake:
        fake.answered = answered
        stage = GitLabStage(fake, signing=False)
        stage.open_pull(NUMBER)
        stage.commit(NUMBER, ALICE)
        with pytest.raises(ForgeError, match=said):
            found(stage)


def test_the_question_to_graphql_goes_to_the_host_of_the_settings_with_the_token(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.commit(NUMBER, ALICE)
    found(stage)
    assert gitlab.called("POST", "/api/graphql") == 1
    assert all(call.headers["PRIVATE-TOKEN"] == TOKEN for call in gitlab.calls)


# --- groups


@pytest.mark.parametrize(
    ("member", "counts"),
    [
        ({}, True),
        ({"access_level": 10}, True),
        ({"access_level": 5}, False),
        ({"access_level": 0}, False),
        ({"state": "blocked"}, False),
        ({"membership_state": "awaiting"}, False),
    ],
)
def test_a_member_has_an_active_account_and_a_role(stage: GitLabStage, gitlab: GitLabFake, member: dict[str, Any], counts: bool) -> None:
    stage.make_group(BOB)
    gitlab.groups[stage.group][int(BOB.id)] = member
    assert members(stage, BOB) == (frozenset({BOB.id}) if counts else frozenset())


def test_members_of_a_group_above_are_not_asked_for(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.make_group(BOB)
    members(stage, ALICE, BOB)
    assert gitlab.called("GET", ".*/members/all/.*") == 0
    assert gitlab.called("GET", r"/api/v4/groups/31/members/\d+") == 2


def test_a_group_that_moved_away_is_not_the_one_that_was_named(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.make_group(BOB)
    gitlab.moved = {"acme/old": "acme/security"}
    with pytest.raises(ForgeError, match="shows no group"):
        stage.forge.members(PATH, "acme/old", [BOB])


# --- approvals and labels


def test_an_approval_is_for_the_head_at_the_time_that_it_was_given(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.review(NUMBER, BOB, approves=True, commit=OTHER)
    stage.review(NUMBER, MALLORY, approves=True, commit=HEAD)
    gitlab.merges[NUMBER].versions.append(("c" * 39 + "d", gitlab.now()))
    assert {number: review.commit for number, review in given(stage).items()} == {BOB.id: OTHER, MALLORY.id: HEAD}


@pytest.mark.parametrize("when", [None, "2024-05-01T23:59:59.999Z"])
def test_an_approval_without_a_time_or_from_before_every_version_names_no_commit(
    stage: GitLabStage, gitlab: GitLabFake, when: str | None
) -> None:
    stage.review(NUMBER, BOB, approves=True)
    gitlab.merges[NUMBER].approvals[int(BOB.id)] = when
    assert given(stage)[BOB.id].commit == ""


def test_the_version_of_an_approval_is_found_beyond_the_first_page(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.review(NUMBER, BOB, approves=True, commit=OTHER)
    gitlab.merges[NUMBER].versions += [(HEAD, gitlab.now()) for _ in range(120)]
    assert given(stage)[BOB.id].commit == OTHER


def test_an_approval_by_a_bot_says_so(stage: GitLabStage) -> None:
    stage.review(NUMBER, ROBOT, approves=True)
    assert given(stage)[ROBOT.id].account.bot


def test_labels_that_are_as_they_should_be_are_not_written(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.label(NUMBER, "guarded")
    stage.forge.put_labels(PATH, NUMBER, ["guarded"], ["settled"])
    assert [call.method for call in gitlab.calls] == ["GET"]


@pytest.mark.parametrize(("present", "absent"), [(["a,b"], []), ([], ["a,b"])])
def test_a_label_with_a_comma_would_be_two(stage: GitLabStage, gitlab: GitLabFake, present: list[str], absent: list[str]) -> None:
    with pytest.raises(ForgeError, match="comma"):
        stage.forge.put_labels(PATH, NUMBER, present, absent)
    assert gitlab.calls == []


def test_nobody_is_asked_for_a_review_since_gitlab_asks_no_groups(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.forge.request_review(PATH, NUMBER, ["acme/security"])
    assert gitlab.calls == []


def test_a_fault_while_a_later_member_is_asked_for_is_an_error(stage: GitLabStage, gitlab: GitLabFake) -> None:
    stage.make_group(ALICE, BOB)
    gitlab.inject(Fault("GET", r".*/members/\d+", 502, skip=1))
    with pytest.raises(ForgeError) as failed:
        members(stage, ALICE, BOB)
    assert failed.value.retry

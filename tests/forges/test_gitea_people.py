"""What is Gitea's and Forgejo's own about people: teams and labels by ids, lists that only count, events that cannot be read."""

from __future__ import annotations

import pytest

from service.forges.port import Contributors, ForgeError
from tests.forges.contract import ALICE, BOB, HEAD, NUMBER, Doing
from tests.forges.faults import Fault
from tests.forges.gitea_fake import EVENT, GiteaFake
from tests.forges.gitea_stage import PATH, GiteaStage
from tests.forges.signoff_contract import given, members


@pytest.fixture
def stage(gitea: GiteaFake) -> GiteaStage:
    made = GiteaStage(gitea, "forgejo")
    made.open_pull(NUMBER)
    return made


def test_a_pull_request_without_commits_has_no_contributors(stage: GiteaStage) -> None:
    assert stage.forge.contributors(PATH, NUMBER) == Contributors()


def test_commits_that_do_not_hold_the_head_are_read_again_later(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.commit(NUMBER, ALICE)
    gitea.pulls[NUMBER].sha = HEAD
    with pytest.raises(ForgeError, match="yet") as early:
        stage.forge.contributors(PATH, NUMBER)
    assert early.value.retry


def test_an_address_with_a_name_in_it_is_not_taken_for_an_account(stage: GiteaStage) -> None:
    # The name may have passed to someone else; Gitea itself says whose the commits are.
    stage.commit(NUMBER, ALICE, message="A change\n\nCo-authored-by: Bob <bob@noreply.gitea.example>")
    assert stage.forge.contributors(PATH, NUMBER).strangers == ("bob@noreply.gitea.example",)


def test_only_pushes_are_read_as_pushes(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.commit(NUMBER, ALICE)
    gitea.pulls[NUMBER].events += [None, {**EVENT, "id": 1, "type": "comment", "user": int(BOB.id)}]
    assert stage.forge.contributors(PATH, NUMBER).accounts == {ALICE.id}


def test_the_token_that_may_not_see_a_team_is_an_error(stage: GiteaStage) -> None:
    stage.make_group(BOB)
    stage.fail(Doing.READ_GROUP, 403, message="Must be a team member")
    with pytest.raises(ForgeError, match="team member") as refused:
        members(stage, BOB)
    assert not refused.value.retry


@pytest.mark.parametrize("group", ["security", "Security", "ACME/security"])
def test_case_does_not_matter_in_the_name_of_a_team(stage: GiteaStage, group: str) -> None:
    stage.make_group(BOB)
    assert stage.forge.members(PATH, group, [ALICE, BOB]) == {BOB.id}


def test_a_person_has_no_teams(stage: GiteaStage) -> None:
    with pytest.raises(ForgeError, match="shows no team"):
        stage.forge.members(PATH, "alice/security", [BOB])


def test_a_review_counts_by_when_it_was_given_and_not_by_where_it_stands(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.review(NUMBER, BOB, approves=False)
    stage.review(NUMBER, BOB, approves=True)
    gitea.pulls[NUMBER].reviews.reverse()
    assert given(stage)[BOB.id].approves


def test_being_asked_for_a_review_and_writing_one_are_no_opinions(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.review(NUMBER, BOB, approves=True)
    for state in ("REQUEST_REVIEW", "PENDING"):
        gitea.pulls[NUMBER].reviews.append({**gitea.pulls[NUMBER].reviews[0], "id": gitea.next_id(), "state": state})
    assert given(stage)[BOB.id].approves


def test_a_label_of_the_organisation_is_used_and_not_made_again(stage: GiteaStage, gitea: GiteaFake) -> None:
    gitea.shared_labels[9] = "guarded"
    stage.forge.put_labels(PATH, NUMBER, ["guarded"], [])
    assert (gitea.pulls[NUMBER].labels, gitea.labels) == ([9], {})


def test_the_repositorys_own_label_goes_before_the_organisations(stage: GiteaStage, gitea: GiteaFake) -> None:
    gitea.shared_labels[9], gitea.labels[5] = "guarded", "guarded"
    stage.forge.put_labels(PATH, NUMBER, ["guarded"], [])
    assert gitea.pulls[NUMBER].labels == [5]


def test_a_repository_of_a_person_has_labels_of_its_own_alone(stage: GiteaStage, gitea: GiteaFake) -> None:
    gitea.inject(Fault("GET", "/api/v1/orgs/acme/labels", 404))
    stage.forge.put_labels(PATH, NUMBER, ["guarded"], [])
    assert stage.labels(NUMBER) == {"guarded"}


def test_labels_that_are_as_they_should_be_are_not_written(stage: GiteaStage, gitea: GiteaFake) -> None:
    stage.label(NUMBER, "guarded")
    stage.forge.put_labels(PATH, NUMBER, ["guarded"], ["settled"])
    assert [call.method for call in gitea.calls] == ["GET"]


def test_two_labels_of_one_name_are_both_taken_away(stage: GiteaStage) -> None:
    for _ in range(2):
        stage.label(NUMBER, "guarded")
    stage.forge.put_labels(PATH, NUMBER, [], ["guarded"])
    assert stage.labels(NUMBER) == set()

"""The part of the contract that sign-off stands on: who had a hand in a change, who is in a group, what reviews say, labels, buttons.

It is a suite like `contract`, with a stage that has a hand on more. A forge that gives an approval to whom it should not belong fails here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest

from service.forges.port import Account, Contributors, Forge, ForgeError, GivenReview, Look, Pressed
from tests.forges.contract import ALICE, BOB, HEAD, MALLORY, NUMBER, OTHER, ROBOT, Delivery, Doing, Happening, Stage, received, told

STRANGER = "who@nowhere.example"
PRESS = "approve:0123456789ab"


def address(account: Account) -> str:
    """The email that an account commits with, and that the forge knows to be theirs."""
    return f"{account.name}@work.example"


class SignOffStage(Stage, Protocol):
    """A stage with a hand on commits, groups, reviews and labels."""

    @property
    def group(self) -> str:
        """The name of a group as guardrails write it; it does not exist until it is made."""

    @property
    def asks_groups(self) -> bool:
        """Whether the forge can ask a group for a review."""

    def commit(self, number: int, author: Account | str, committer: Account | str | None = None, message: str = "A change") -> None:
        """Put a commit on top of a pull request, by accounts or by emails that nobody has; the author commits where nobody else does."""

    def push(self, number: int, account: Account) -> None:
        """Let someone push what a pull request holds now to its branch."""

    def make_group(self, *members: Account) -> None:
        """Make the group, or change it, so that exactly these are in it."""

    def review(self, number: int, account: Account, approves: bool, commit: str = HEAD) -> None:
        """Review a pull request, the way the forge has: who does not approve withdraws an approval."""

    def dismiss(self, number: int, account: Account) -> None:
        """Take the review of someone back."""

    def remark(self, number: int, account: Account) -> None:
        """Review a pull request without an opinion."""

    def asked(self, number: int) -> list[str]:
        """The groups that were asked for a review, by name, once for each time."""

    def label(self, number: int, name: str) -> None:
        """Give a pull request a label by hand."""

    def labels(self, number: int) -> set[str]:
        """The labels of a pull request."""


def given(stage: SignOffStage) -> dict[str, GivenReview]:
    """The reviews that count, by account."""
    reviews = stage.forge.reviews(stage.repository, NUMBER)
    assert len({review.account.id for review in reviews}) == len(reviews)
    return {review.account.id: review for review in reviews}


def members(stage: SignOffStage, *accounts: Account) -> frozenset[str]:
    """Those who are in the group."""
    return stage.forge.members(stage.repository, stage.group, accounts)


ASKS: list[tuple[Doing, Callable[[Forge, str, str], object]]] = [
    (Doing.READ_COMMITS, lambda forge, repository, _: forge.contributors(repository, NUMBER)),
    (Doing.READ_GROUP, lambda forge, repository, group: forge.members(repository, group, [ALICE])),
    (Doing.READ_REVIEWS, lambda forge, repository, _: forge.reviews(repository, NUMBER)),
    (Doing.LABEL, lambda forge, repository, _: forge.put_labels(repository, NUMBER, ["guarded"], [])),
]


class SignOffContract:
    """What holds for every forge. A subclass in a test module has a fixture `stage`."""

    # --- contributors

    def test_authors_and_committers_of_all_commits_are_contributors(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.commit(NUMBER, ALICE)
        stage.commit(NUMBER, ALICE, committer=BOB)
        stage.commit(NUMBER, MALLORY)
        found = stage.forge.contributors(stage.repository, NUMBER)
        assert found == Contributors(frozenset({ALICE.id, BOB.id, MALLORY.id}), ())

    def test_an_email_that_leads_to_no_account_is_a_stranger(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.commit(NUMBER, STRANGER)
        stage.commit(NUMBER, ALICE, committer="other@nowhere.example")
        stage.commit(NUMBER, BOB)
        found = stage.forge.contributors(stage.repository, NUMBER)
        assert found == Contributors(frozenset({ALICE.id, BOB.id}), ("other@nowhere.example", STRANGER))

    def test_co_authors_are_contributors(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.commit(NUMBER, BOB)
        trailers = f"co-authored-by: Bob B. <{address(BOB).upper()}>\r\nCo-Authored-By: Who <{STRANGER}>\nCo-authored-by: Nobody"
        stage.commit(NUMBER, MALLORY, message=f"A change\n\n{trailers}\n")
        found = stage.forge.contributors(stage.repository, NUMBER)
        assert found == Contributors(frozenset({BOB.id, MALLORY.id}), ("Nobody", STRANGER))

    def test_who_pushed_the_commits_of_another_is_a_contributor(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.commit(NUMBER, ALICE)
        stage.push(NUMBER, BOB)
        assert stage.forge.contributors(stage.repository, NUMBER).accounts == {ALICE.id, BOB.id}

    def test_the_first_of_many_commits_counts_as_the_last_does(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.commit(NUMBER, BOB)
        for _ in range(260):
            stage.commit(NUMBER, ALICE)
        stage.commit(NUMBER, MALLORY)
        assert stage.forge.contributors(stage.repository, NUMBER).accounts == {ALICE.id, BOB.id, MALLORY.id}

    def test_a_pull_request_that_is_not_there_has_no_contributors_but_an_error(self, stage: SignOffStage) -> None:
        with pytest.raises(ForgeError) as missing:
            stage.forge.contributors(stage.repository, 404)
        assert not missing.value.retry

    # --- groups

    def test_only_those_in_the_group_are_members_of_it(self, stage: SignOffStage) -> None:
        stage.make_group(BOB, MALLORY)
        assert members(stage, ALICE, BOB) == {BOB.id}
        assert members(stage) == frozenset()

    def test_a_membership_that_was_lost_is_gone_at_the_next_look(self, stage: SignOffStage) -> None:
        stage.make_group(ALICE, BOB)
        assert members(stage, ALICE, BOB) == {ALICE.id, BOB.id}
        stage.make_group(BOB)
        assert members(stage, ALICE, BOB) == {BOB.id}

    def test_the_last_of_many_members_is_found(self, stage: SignOffStage) -> None:
        stage.make_group(*(Account(str(number), f"person-{number}") for number in range(1_000, 1_130)), BOB)
        assert members(stage, ALICE, BOB) == {BOB.id}

    def test_a_membership_belongs_to_the_account_and_not_to_its_name(self, stage: SignOffStage) -> None:
        stage.make_group(ALICE)
        assert members(stage, Account(MALLORY.id, ALICE.name)) == frozenset()
        assert members(stage, Account(ALICE.id, "another-name")) == {ALICE.id}

    def test_a_group_that_is_not_there_is_an_error_and_not_an_empty_one(self, stage: SignOffStage) -> None:
        for accounts in ((ALICE,), ()):
            with pytest.raises(ForgeError, match="shows no") as missing:
                members(stage, *accounts)
            assert not missing.value.retry

    @pytest.mark.parametrize(
        "name", ["", "/", "..", "acme/..", "../user", "acme/security?x=1", "acme/sec urity", "acme//security", "acme/%2e"]
    )
    def test_what_is_no_name_of_a_group_is_asked_nowhere(self, stage: SignOffStage, name: str) -> None:
        stage.make_group(ALICE)
        with pytest.raises(ForgeError, match="a group is no") as refused:
            stage.forge.members(stage.repository, name, [ALICE])
        assert not refused.value.retry

    # --- reviews

    def test_each_account_has_one_review(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        assert given(stage) == {}
        for account in (BOB, MALLORY, BOB):
            stage.review(NUMBER, account, approves=True)
        reviews = given(stage)
        assert {number: review.approves for number, review in reviews.items()} == {BOB.id: True, MALLORY.id: True}
        assert reviews[BOB.id].account == BOB
        assert reviews[BOB.id].commit in (HEAD, "")

    def test_a_review_names_the_commit_that_was_looked_at_or_none(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.review(NUMBER, BOB, approves=True, commit=OTHER)
        assert given(stage)[BOB.id].commit in (OTHER, "")

    def test_the_newest_review_counts(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        for approves in (True, False):
            stage.review(NUMBER, BOB, approves=approves)
        for approves in (False, True):
            stage.review(NUMBER, MALLORY, approves=approves)
        assert [number for number, review in given(stage).items() if review.approves] == [MALLORY.id]

    def test_a_review_that_is_given_again_is_another_one(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.review(NUMBER, BOB, approves=True)
        first = given(stage)[BOB.id]
        assert first.given is not None
        assert given(stage)[BOB.id] == first
        stage.review(NUMBER, BOB, approves=True)
        assert given(stage)[BOB.id].id not in ("", first.id)

    def test_a_review_without_an_opinion_changes_none(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.review(NUMBER, BOB, approves=True)
        for account in (BOB, MALLORY):
            stage.remark(NUMBER, account)
        assert list(given(stage)) == [BOB.id]

    def test_a_review_that_was_taken_back_counts_no_more(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        for account in (BOB, BOB, MALLORY):
            stage.review(NUMBER, account, approves=True)
        stage.dismiss(NUMBER, BOB)
        assert list(given(stage)) == [MALLORY.id]
        stage.review(NUMBER, BOB, approves=True)
        assert set(given(stage)) == {BOB.id, MALLORY.id}

    def test_the_last_of_many_reviews_counts(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        for _ in range(60):
            stage.review(NUMBER, BOB, approves=True)
            stage.remark(NUMBER, BOB)
        stage.review(NUMBER, BOB, approves=False)
        assert not any(review.approves for review in given(stage).values())

    def test_a_group_is_asked_for_a_review_once(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.make_group(BOB)
        for _ in range(2):
            stage.forge.request_review(stage.repository, NUMBER, [stage.group])
        assert stage.asked(NUMBER) == ([stage.group.rpartition("/")[2]] if stage.asks_groups else [])

    def test_a_group_of_another_owner_is_not_asked_for_a_review(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.forge.request_review(stage.repository, NUMBER, ["elsewhere/security"])
        assert stage.asked(NUMBER) == []

    # --- labels

    def test_labels_come_and_go_and_others_are_left_alone(self, stage: SignOffStage) -> None:
        stage.open_pull(NUMBER)
        stage.label(NUMBER, "theirs")
        for _ in range(2):
            stage.forge.put_labels(stage.repository, NUMBER, ["guarded", "a: b/c? 50%"], ["settled"])
            assert stage.labels(NUMBER) == {"theirs", "guarded", "a: b/c? 50%"}
        for _ in range(2):
            stage.forge.put_labels(stage.repository, NUMBER, ["settled"], ["guarded", "a: b/c? 50%"])
            assert stage.labels(NUMBER) == {"theirs", "settled"}

    # --- buttons

    def test_a_button_that_is_pressed_says_who_and_what_and_for_which_commit(self, stage: SignOffStage) -> None:
        event = told(stage, Happening.PRESSED, author=BOB, text=PRESS)
        assert (event.repository, event.calls) == (stage.repository, (Pressed(NUMBER, BOB, PRESS, HEAD),))

    def test_a_bot_that_presses_a_button_is_told_from_a_person(self, stage: SignOffStage) -> None:
        assert told(stage, Happening.PRESSED, author=ROBOT, text=PRESS).calls == (Pressed(NUMBER, ROBOT, PRESS, HEAD),)

    def test_a_button_that_is_not_ours_calls_for_a_look_at_most(self, stage: SignOffStage) -> None:
        assert told(stage, Happening.PRESSED, text="fix it|now").calls in ((), (Look(NUMBER),))

    def test_a_press_that_is_replayed_under_another_name_is_the_same_delivery(self, stage: SignOffStage) -> None:
        deliveries = [stage.delivery(Happening.PRESSED, text=PRESS, name=f"delivery-{number}") for number in (1, 2)]
        if None in deliveries:
            pytest.skip("this forge has no buttons")
        first, again = (received(stage, delivery).delivery for delivery in deliveries if isinstance(delivery, Delivery))
        assert first == again != told(stage, Happening.PRESSED, text=PRESS, author=BOB).delivery
        assert len(first) <= 200

    # --- faults

    @pytest.mark.parametrize(("doing", "ask"), ASKS, ids=[doing.name.lower() for doing, _ in ASKS])
    @pytest.mark.parametrize(("status", "retry"), [(500, True), (503, True), (0, True), (403, False), (429, True)])
    def test_what_could_not_be_found_out_is_an_error(
        self, stage: SignOffStage, doing: Doing, ask: Callable[[Forge, str, str], object], status: int, retry: bool
    ) -> None:
        stage.open_pull(NUMBER)
        stage.commit(NUMBER, ALICE)
        stage.make_group(ALICE)
        stage.fail(doing, status)
        with pytest.raises(ForgeError) as failed:
            ask(stage.forge, stage.repository, stage.group)
        assert failed.value.retry is retry
        ask(stage.forge, stage.repository, stage.group)

    @pytest.mark.parametrize(("doing", "ask"), ASKS[:3], ids=[doing.name.lower() for doing, _ in ASKS[:3]])
    def test_an_answer_that_is_not_the_forges_tells_nothing(
        self, stage: SignOffStage, doing: Doing, ask: Callable[[Forge, str, str], object]
    ) -> None:
        stage.open_pull(NUMBER)
        stage.commit(NUMBER, ALICE)
        stage.make_group(ALICE)
        stage.fail(doing, 200, message="a proxy's idea of a list")
        with pytest.raises(ForgeError):
            ask(stage.forge, stage.repository, stage.group)

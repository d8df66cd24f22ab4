"""The contract that every forge keeps, as one suite.

A forge joins by a `Stage`: its adapter and its receiver, set against a stand-in that keeps what the forge would keep. A test module then
says where the stage comes from, and inherits every test:

    class TestGitHubWithAToken(ForgeContract):
        @pytest.fixture
        def stage(self, github: GitHubFake) -> Stage:
            return GitHubStage(github, …)

What only one forge has (a merge queue, annotations, a signed time) is told by the stage itself: `delivery` gives None for a happening
that the forge has no event for, and `signs_time` says whether a delivery can be too old. All else holds for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import pytest
from werkzeug.datastructures import Headers

from service.forges.port import (
    MARKER,
    Account,
    Annotation,
    BaseMoved,
    Check,
    Command,
    Forge,
    ForgeError,
    Look,
    Permission,
    Queued,
    Reaction,
    Receiver,
    State,
    WebhookError,
    WebhookEvent,
)
from service.secret import Secret

NUMBER, BRANCH = 7, "refs/heads/main"
HEAD, BASE, OTHER = "a" * 40, "b" * 40, "c" * 40
ALICE = Account("501", "alice")
MALLORY = Account("502", "mallory")
BOB = Account("504", "bob")
ROBOT = Account("503", "robot[bot]", bot=True)
CURRENT, PREVIOUS, FOREIGN = Secret("current-secret-1f0a"), Secret("previous-secret-77b2"), Secret("someone-elses-secret")
QUEUE_REF = f"refs/heads/gh-readonly-queue/main/pr-{NUMBER}-{BASE}"


class Happening(StrEnum):
    """Something that happens on the forge, and that it may tell of."""

    OPENED = "a pull request is opened"
    REOPENED = "a pull request is opened again"
    PUSHED = "its head moves"
    READY = "it is no draft any more"
    RETARGETED = "its base is another branch"
    CLOSED = "it is closed or merged"
    RETITLED = "its title changes"
    REVIEWED = "someone approves it"
    DISMISSED = "an approval is taken back"
    COMMENTED = "someone comments"
    COMMENT_EDITED = "a comment is changed"
    COMMENT_DELETED = "a comment is deleted"
    ISSUE_COMMENTED = "someone comments on what is no pull request"
    BRANCH_MOVED = "a branch has a new tip"
    BRANCH_DELETED = "a branch is deleted"
    TAGGED = "a tag is pushed"
    QUEUED = "a merge queue asks for checks"
    RERUN = "someone asks for the check of a pull request again"
    PRESSED = "someone presses a button of a check"
    PING = "the forge tries the webhook"


class Doing(StrEnum):
    """What a fault hits."""

    READ_PULL = "reading the pull request"
    CREATE_COMMENT = "creating a comment"
    CREATE_CHECK = "creating a check, or its first status"
    READ_COMMITS = "reading the commits of a pull request"
    READ_GROUP = "reading who is in a group"
    READ_REVIEWS = "reading the reviews of a pull request"
    LABEL = "giving a pull request a label"


@dataclass(frozen=True)
class Delivery:
    """A webhook as it arrives. `headers` are as the forge spells them."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Remark:
    """A comment as the stand-in keeps it; `ours` where the adapter's account wrote it."""

    ours: bool
    body: str


@dataclass(frozen=True)
class Shown:
    """A check as the forge shows it now, whatever it calls it: `state` is pending, success or failed (anything that stops a merge)."""

    state: str
    line: str
    url: str


class Stage(Protocol):
    """One forge with one repository that is served, and a hand on what happens there. A stand-in checks every call by itself."""

    @property
    def forge(self) -> Forge:
        """The adapter. It waits a few seconds for an answer, and not at all between two writes."""

    @property
    def receiver(self) -> Receiver:
        """What reads its deliveries, by the secrets CURRENT and PREVIOUS."""

    @property
    def repository(self) -> str:
        """The repository that everything is about."""

    @property
    def signs_time(self) -> bool:
        """Whether the forge signs when it sent a delivery, so that an old one can be refused."""

    def open_pull(self, number: int, *, head: str = HEAD, base: str = "main", draft: bool = False, fork: bool = False) -> None:
        """Open a pull request of ALICE, or change the one of that number."""

    def close_pull(self, number: int) -> None:
        """Close it."""

    def set_branch(self, name: str, commit: str) -> None:
        """Let a branch (`main`, `release/1.0`) point at a commit."""

    def say(self, number: int, author: Account | None, body: str) -> str:
        """Write a comment as someone, None for the adapter's own account; its id."""

    def remarks(self, number: int) -> list[Remark]:
        """The comments on a pull request, oldest first, without what the forge writes by itself."""

    def reactions(self, number: int, comment: str) -> list[str]:
        """The reactions of the adapter to a comment, one entry for each that the forge shows."""

    def checks(self, commit: str) -> list[Shown]:
        """Every check of Flowdelta that the forge shows on a commit; of statuses with one name it shows the last."""

    def permit(self, account: Account, permission: Permission) -> None:
        """Let an account have a permission; who was never named has none."""

    def fail(
        self, doing: Doing, status: int, *, after: bool = False, times: int | None = 1, headers: Mapping[str, str] = {}, message: str = "No"
    ) -> None:
        """Answer the next calls of that sort with `status` (0 closes the connection): instead of the effect, or after it."""

    def hang(self, doing: Doing) -> None:
        """Let the next call of that sort get no answer until the adapter gives up, which its timeout makes it do."""

    def delivery(
        self,
        happening: Happening,
        *,
        name: str = "delivery-1",
        number: int = NUMBER,
        author: Account = ALICE,
        comment: str = "901",
        text: str = "",
        ref: str = BRANCH,
        secret: Secret = CURRENT,
        now: float = 1_700_000_000.0,
    ) -> Delivery | None:
        """The signed webhook of a happening, sent at `now`; `name` makes it another delivery. None where the forge has no such event."""


def received(stage: Stage, delivery: Delivery, now: float = 1_700_000_000.0) -> WebhookEvent:
    """What the receiver makes of a delivery."""
    return stage.receiver.receive(Headers(delivery.headers), delivery.body, now)


def told(stage: Stage, happening: Happening, **details: Any) -> WebhookEvent:
    """The event of a happening; the test is skipped where the forge does not tell of it."""
    delivery = stage.delivery(happening, **details)
    if delivery is None:
        pytest.skip(f"this forge does not tell when {happening}")
    return received(stage, delivery)


def identity(stage: Stage, delivery: Delivery) -> str:
    """What the store tells deliveries apart by; `refused` where the signature does not hold."""
    try:
        return received(stage, delivery).delivery
    except WebhookError as error:
        return "refused" if error.status == 401 else str(error)


def bodies(stage: Stage) -> list[str]:
    """The texts of our comments."""
    return [remark.body for remark in stage.remarks(NUMBER) if remark.ours]


LOOKS = [
    Happening.OPENED,
    Happening.REOPENED,
    Happening.PUSHED,
    Happening.READY,
    Happening.RETARGETED,
    Happening.CLOSED,
    Happening.REVIEWED,
    Happening.DISMISSED,
    Happening.RERUN,
]
NOTHINGS = [
    Happening.RETITLED,
    Happening.COMMENT_EDITED,
    Happening.COMMENT_DELETED,
    Happening.ISSUE_COMMENTED,
    Happening.BRANCH_DELETED,
    Happening.TAGGED,
    Happening.PING,
]

TALK = ["", "looks good", "try /flowdelta review", "/flowdeltas", "/flowdelta-next review", "> /flowdelta review", "/Flowdelta review"]


class ForgeContract:
    """What holds for every forge. A subclass in a test module has a fixture `stage`."""

    # --- deliveries

    @pytest.mark.parametrize("happening", LOOKS, ids=lambda each: each.name.lower())
    def test_what_may_change_a_pull_request_calls_for_a_look(self, stage: Stage, happening: Happening) -> None:
        event = told(stage, happening)
        assert (event.repository, event.calls) == (stage.repository, (Look(NUMBER),))

    @pytest.mark.parametrize("happening", NOTHINGS, ids=lambda each: each.name.lower())
    def test_what_changes_nothing_calls_for_nothing(self, stage: Stage, happening: Happening) -> None:
        assert told(stage, happening, text="/flowdelta review").calls == ()

    @pytest.mark.parametrize("branch", ["main", "release/1.0"])
    def test_a_push_to_a_branch_says_that_the_branch_moved(self, stage: Stage, branch: str) -> None:
        event = told(stage, Happening.BRANCH_MOVED, ref=f"refs/heads/{branch}")
        assert (event.repository, event.calls) == (stage.repository, (BaseMoved(f"refs/heads/{branch}"),))

    def test_a_merge_queue_names_the_two_commits_to_compare(self, stage: Stage) -> None:
        event = told(stage, Happening.QUEUED)
        assert event.calls == (Queued(BASE, HEAD, QUEUE_REF, NUMBER),)

    @pytest.mark.parametrize("text", ["/flowdelta", "/flowdelta review", "/flowdelta accept sha256:12ab\nthanks", "  /flowdelta help\r\n"])
    def test_a_comment_that_begins_with_our_name_is_a_command(self, stage: Stage, text: str) -> None:
        (command,) = told(stage, Happening.COMMENTED, text=text, author=ALICE, comment="901").calls
        assert isinstance(command, Command)
        assert (command.number, command.comment, command.author.id, command.author.name) == (NUMBER, "901", ALICE.id, ALICE.name)
        assert command.text.split() == text.split()

    @pytest.mark.parametrize("text", TALK)
    def test_any_other_comment_is_talk(self, stage: Stage, text: str) -> None:
        assert told(stage, Happening.COMMENTED, text=text).calls == ()

    def test_our_own_comments_are_no_commands(self, stage: Stage) -> None:
        assert told(stage, Happening.COMMENTED, text=f"{MARKER}\n/flowdelta review").calls == ()

    def test_a_delivery_that_is_sent_again_is_the_same_and_another_is_another(self, stage: Stage) -> None:
        first, again = (told(stage, Happening.PUSHED, name="delivery-1") for _ in range(2))
        other = told(stage, Happening.PUSHED, name="delivery-2")
        assert first.delivery == again.delivery != other.delivery
        assert 0 < len(first.delivery) <= 200

    @pytest.mark.parametrize("secret", [CURRENT, PREVIOUS], ids=["current", "previous"])
    def test_either_secret_is_taken_so_that_they_can_be_rotated(self, stage: Stage, secret: Secret) -> None:
        assert told(stage, Happening.OPENED, secret=secret).calls == (Look(NUMBER),)

    def test_a_delivery_signed_with_another_secret_is_refused(self, stage: Stage) -> None:
        with pytest.raises(WebhookError) as refused:
            told(stage, Happening.OPENED, secret=FOREIGN)
        assert refused.value.status == 401
        assert FOREIGN.reveal() not in str(refused.value)
        assert CURRENT.reveal() not in str(refused.value)

    def test_a_delivery_without_any_header_is_refused(self, stage: Stage) -> None:
        delivery = stage.delivery(Happening.OPENED)
        assert delivery is not None
        with pytest.raises(WebhookError) as refused:
            received(stage, Delivery({}, delivery.body))
        assert refused.value.status == 401

    def test_a_signed_delivery_that_is_old_is_not_replayed(self, stage: Stage) -> None:
        if not stage.signs_time:
            pytest.skip("this forge does not sign when it sent a delivery")
        sent = 1_700_000_000.0
        delivery = stage.delivery(Happening.OPENED, now=sent)
        assert delivery is not None
        assert received(stage, delivery, sent + 299).calls == (Look(NUMBER),)
        for late in (sent + 301, sent - 301):
            with pytest.raises(WebhookError) as refused:
                received(stage, delivery, late)
            assert refused.value.status == 401

    def test_a_command_that_is_replayed_under_another_name_is_the_same_delivery(self, stage: Stage) -> None:
        """A command has an effect, so what makes it one must be what is signed; a header that is not signed cannot renew it."""
        first = stage.delivery(Happening.COMMENTED, text="/flowdelta accept", name="delivery-1")
        other = stage.delivery(Happening.COMMENTED, text="/flowdelta accept", name="delivery-2")
        assert first is not None
        assert other is not None
        named = {name: value for name, value in other.headers.items() if not re.search("signature|token", name, re.IGNORECASE)}
        assert identity(stage, Delivery({**first.headers, **named}, first.body)) in (identity(stage, first), "refused")

    # --- reading

    def test_a_pull_request_is_what_the_forge_says_now(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        pull = stage.forge.pull_request(stage.repository, NUMBER)
        assert (pull.repository, pull.number, pull.open, pull.draft, pull.fork) == (stage.repository, NUMBER, True, False, False)
        assert (pull.base_ref, pull.head_sha, pull.author.id, pull.author.name) == (BRANCH, HEAD, ALICE.id, ALICE.name)
        assert pull.head_ref.startswith("refs/")
        assert str(NUMBER) in pull.head_ref

    def test_drafts_and_forks_are_told(self, stage: Stage) -> None:
        stage.open_pull(NUMBER, draft=True, fork=True)
        pull = stage.forge.pull_request(stage.repository, NUMBER)
        assert (pull.draft, pull.fork) == (True, True)

    def test_a_pull_request_that_moved_or_closed_is_seen(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        stage.open_pull(NUMBER, head=OTHER, base="release/1.0")
        pull = stage.forge.pull_request(stage.repository, NUMBER)
        assert (pull.head_sha, pull.base_ref) == (OTHER, "refs/heads/release/1.0")
        stage.close_pull(NUMBER)
        assert not stage.forge.pull_request(stage.repository, NUMBER).open

    @pytest.mark.parametrize("base", ["-x", "a..b", "a b", "a\nb", "x@{1}", "a.lock"])
    def test_a_base_branch_that_git_would_not_take_is_refused(self, stage: Stage, base: str) -> None:
        stage.open_pull(NUMBER, base=base)
        with pytest.raises(ForgeError) as refused:
            stage.forge.pull_request(stage.repository, NUMBER)
        assert not refused.value.retry

    def test_a_pull_request_that_is_not_there_is_an_error_for_good(self, stage: Stage) -> None:
        with pytest.raises(ForgeError) as missing:
            stage.forge.pull_request(stage.repository, 404)
        assert not missing.value.retry

    def test_all_open_pull_requests_are_listed_beyond_the_first_page(self, stage: Stage) -> None:
        for number in range(1, 131):
            stage.open_pull(number, draft=number % 2 == 0, fork=number % 3 == 0)
        for number in (5, 60, 129):
            stage.close_pull(number)
        found = {pull.number: pull for pull in stage.forge.open_pull_requests(stage.repository)}
        assert sorted(found) == [number for number in range(1, 131) if number not in (5, 60, 129)]
        assert all(pull.open and pull.draft == (number % 2 == 0) and pull.fork == (number % 3 == 0) for number, pull in found.items())

    def test_one_unusable_pull_request_does_not_hide_the_others(self, stage: Stage) -> None:
        stage.open_pull(1)
        stage.open_pull(2, base="-x")
        stage.open_pull(3)
        assert sorted(pull.number for pull in stage.forge.open_pull_requests(stage.repository)) == [1, 3]

    @pytest.mark.parametrize("name", ["main", "release/1.0", "ü"])
    def test_the_tip_of_a_branch_is_read(self, stage: Stage, name: str) -> None:
        stage.set_branch(name, OTHER)
        assert stage.forge.tip(stage.repository, f"refs/heads/{name}") == OTHER

    def test_a_branch_that_is_not_there_has_no_tip(self, stage: Stage) -> None:
        stage.set_branch("main", OTHER)
        for missing in ("mai", "main2"):
            with pytest.raises(ForgeError) as unknown:
                stage.forge.tip(stage.repository, f"refs/heads/{missing}")
            assert not unknown.value.retry

    @pytest.mark.parametrize("permission", list(Permission))
    def test_a_permission_is_what_the_account_may_do_now(self, stage: Stage, permission: Permission) -> None:
        stage.permit(ALICE, permission)
        assert stage.forge.permission(stage.repository, ALICE) is permission

    def test_an_account_that_the_repository_does_not_know_may_do_nothing(self, stage: Stage) -> None:
        stage.permit(ALICE, Permission.ADMIN)
        assert stage.forge.permission(stage.repository, MALLORY) is Permission.NONE

    def test_a_permission_belongs_to_the_account_and_not_to_its_name(self, stage: Stage) -> None:
        stage.permit(ALICE, Permission.ADMIN)
        assert stage.forge.permission(stage.repository, Account(MALLORY.id, ALICE.name)) is Permission.NONE

    # --- the comment

    def test_the_comment_is_created_once_and_updated_in_place(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        for body in ("first", "second", "second"):
            stage.forge.put_comment(stage.repository, NUMBER, body)
        assert bodies(stage) == [f"{MARKER}\nsecond"]

    def test_the_comment_is_found_behind_many_others(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        for number in range(120):
            stage.say(NUMBER, ALICE, f"remark {number}")
        stage.forge.put_comment(stage.repository, NUMBER, "first")
        for number in range(120):
            stage.say(NUMBER, ALICE, f"answer {number}")
        stage.forge.put_comment(stage.repository, NUMBER, "second")
        assert bodies(stage) == [f"{MARKER}\nsecond"]

    def test_a_comment_of_someone_else_with_our_marker_is_left_alone(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        stage.say(NUMBER, MALLORY, f"{MARKER}\nnot yours")
        stage.forge.put_comment(stage.repository, NUMBER, "ours")
        assert [remark.body for remark in stage.remarks(NUMBER)] == [f"{MARKER}\nnot yours", f"{MARKER}\nours"]

    def test_what_our_account_wrote_by_hand_is_left_alone(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        stage.say(NUMBER, None, f"by hand, about {MARKER}")
        stage.forge.put_comment(stage.repository, NUMBER, "ours")
        assert bodies(stage) == [f"by hand, about {MARKER}", f"{MARKER}\nours"]

    def test_of_two_comments_of_ours_the_oldest_is_kept(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        for body in ("old", "double"):
            stage.say(NUMBER, None, f"{MARKER}\n{body}")
        stage.forge.put_comment(stage.repository, NUMBER, "new")
        assert bodies(stage) == [f"{MARKER}\nnew"]

    @pytest.mark.parametrize("status", [502, 0], ids=["502", "connection closed"])
    def test_a_comment_whose_creation_was_not_confirmed_is_not_made_twice(self, stage: Stage, status: int) -> None:
        stage.open_pull(NUMBER)
        stage.fail(Doing.CREATE_COMMENT, status, after=True)
        with pytest.raises(ForgeError) as lost:
            stage.forge.put_comment(stage.repository, NUMBER, "once")
        assert lost.value.retry
        stage.forge.put_comment(stage.repository, NUMBER, "once")
        assert bodies(stage) == [f"{MARKER}\nonce"]

    def test_the_longest_comment_is_taken_and_a_longer_one_is_refused_here(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        room = stage.forge.comment_limit - len(MARKER) - 1
        stage.forge.put_comment(stage.repository, NUMBER, "x" * room)
        with pytest.raises(ForgeError) as refused:
            stage.forge.put_comment(stage.repository, NUMBER, "x" * (room + 1))
        assert not refused.value.retry
        assert len(bodies(stage)[0]) == stage.forge.comment_limit

    # --- the check

    @pytest.mark.parametrize(
        ("state", "shown"),
        [
            (State.PENDING, "pending"),
            (State.SUCCESS, "success"),
            (State.FAILURE, "failed"),
            (State.ERROR, "failed"),
            (State.ACTION_REQUIRED, "failed"),
        ],
    )
    def test_only_a_success_is_green(self, stage: Stage, state: State, shown: str) -> None:
        stage.open_pull(NUMBER)
        stage.forge.put_check(stage.repository, check(state))
        assert [each.state for each in stage.checks(HEAD)] == [shown]

    def test_a_check_goes_from_pending_to_its_end_and_starts_again(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        for state, shown in (
            (State.PENDING, "pending"),
            (State.FAILURE, "failed"),
            (State.PENDING, "pending"),
            (State.SUCCESS, "success"),
            (State.ACTION_REQUIRED, "failed"),
        ):
            for _ in range(2):  # every write may be repeated
                stage.forge.put_check(stage.repository, check(state, line=f"it is {state}"))
            assert [(each.state, each.line) for each in stage.checks(HEAD)] == [(shown, f"it is {state}")]

    def test_a_check_links_its_report(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        stage.forge.put_check(stage.repository, check(State.SUCCESS, url="https://flowdelta.example/reports/1"))
        assert [each.url for each in stage.checks(HEAD)] == ["https://flowdelta.example/reports/1"]

    def test_a_check_with_more_than_the_forge_holds_is_cut_and_not_lost(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        remarks = tuple(Annotation(f"policy-{number}.yaml", number + 1, "t" * 400, "m" * 90_000) for number in range(3))
        stage.forge.put_check(stage.repository, check(State.FAILURE, line="many\nwords " * 100, summary="ü" * 90_000, annotations=remarks))
        ((shown),) = stage.checks(HEAD)
        assert shown.state == "failed"
        assert shown.line.startswith("many words many")

    @pytest.mark.parametrize("status", [502, 0], ids=["502", "connection closed"])
    def test_a_check_whose_creation_was_not_confirmed_is_shown_once(self, stage: Stage, status: int) -> None:
        stage.open_pull(NUMBER)
        stage.fail(Doing.CREATE_CHECK, status, after=True)
        with pytest.raises(ForgeError) as lost:
            stage.forge.put_check(stage.repository, check(State.PENDING))
        assert lost.value.retry
        stage.forge.put_check(stage.repository, check(State.PENDING))
        stage.forge.put_check(stage.repository, check(State.SUCCESS))
        assert [each.state for each in stage.checks(HEAD)] == ["success"]

    # --- answers to commands

    @pytest.mark.parametrize("reaction", list(Reaction))
    def test_a_command_gets_one_reaction_and_one_reply(self, stage: Stage, reaction: Reaction) -> None:
        stage.open_pull(NUMBER)
        command = commanded(stage)
        for _ in range(2):
            stage.forge.answer(stage.repository, command, reaction, "It is done.")
        assert len(stage.reactions(NUMBER, command.comment)) == 1
        (reply,) = bodies(stage)
        assert reply.endswith("It is done.")

    def test_an_answer_without_words_is_a_reaction_alone(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        command = commanded(stage)
        stage.forge.answer(stage.repository, command, Reaction.SEEN)
        assert len(stage.reactions(NUMBER, command.comment)) == 1
        assert bodies(stage) == []

    def test_replies_to_two_commands_and_the_report_stay_apart(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        first, second = commanded(stage), commanded(stage)
        for _ in range(2):
            stage.forge.answer(stage.repository, first, Reaction.SEEN, "one")
            stage.forge.put_comment(stage.repository, NUMBER, "report")
            stage.forge.answer(stage.repository, second, Reaction.REFUSED, "two")
        assert [body.splitlines()[-1] for body in bodies(stage)] == ["one", "report", "two"]

    def test_a_reply_whose_creation_was_not_confirmed_is_not_made_twice(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        command = commanded(stage)
        stage.fail(Doing.CREATE_COMMENT, 502, after=True)
        with pytest.raises(ForgeError):
            stage.forge.answer(stage.repository, command, Reaction.SEEN, "once")
        stage.forge.answer(stage.repository, command, Reaction.SEEN, "once")
        assert len(bodies(stage)) == 1

    def test_a_reply_that_someone_else_forged_does_not_stand_for_ours(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        command = commanded(stage)
        stage.forge.answer(stage.repository, command, Reaction.SEEN, "ours")
        (reply,) = bodies(stage)
        second = commanded(stage)
        stage.say(NUMBER, MALLORY, reply.replace(command.comment, second.comment))
        stage.forge.answer(stage.repository, second, Reaction.SEEN, "ours too")
        assert [body.splitlines()[-1] for body in bodies(stage)] == ["ours", "ours too"]

    # --- faults

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 0])
    def test_what_passes_may_be_tried_again(self, stage: Stage, status: int) -> None:
        stage.open_pull(NUMBER)
        stage.fail(Doing.READ_PULL, status)
        with pytest.raises(ForgeError) as failed:
            stage.forge.pull_request(stage.repository, NUMBER)
        assert failed.value.retry
        assert stage.forge.pull_request(stage.repository, NUMBER).number == NUMBER

    @pytest.mark.parametrize("status", [400, 403, 404, 410, 422])
    def test_a_refusal_is_final(self, stage: Stage, status: int) -> None:
        stage.open_pull(NUMBER)
        stage.fail(Doing.READ_PULL, status)
        with pytest.raises(ForgeError) as failed:
            stage.forge.pull_request(stage.repository, NUMBER)
        assert not failed.value.retry

    def test_a_forge_that_asks_for_patience_is_obeyed(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        stage.fail(Doing.READ_PULL, 429, headers={"Retry-After": "17"})
        with pytest.raises(ForgeError) as limited:
            stage.forge.pull_request(stage.repository, NUMBER)
        assert (limited.value.retry, limited.value.retry_after) == (True, 17.0)
        assert stage.forge.pull_request(stage.repository, NUMBER).number == NUMBER

    def test_a_silent_forge_is_given_up_after_a_while(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        stage.hang(Doing.READ_PULL)
        with pytest.raises(ForgeError) as silent:
            stage.forge.pull_request(stage.repository, NUMBER)
        assert silent.value.retry

    def test_an_answer_that_is_not_the_forges_is_an_error_and_not_a_crash(self, stage: Stage) -> None:
        stage.open_pull(NUMBER)
        stage.fail(Doing.READ_PULL, 200, message="a proxy's idea of a pull request")
        with pytest.raises(ForgeError):
            stage.forge.pull_request(stage.repository, NUMBER)

    # --- places and secrets

    def test_where_to_fetch_and_read_is_built_from_the_settings_alone(self, stage: Stage) -> None:
        assert stage.forge.clone_url(stage.repository).endswith(f"/{stage.repository}.git")
        source = stage.forge.source_url(stage.repository)
        assert all(field in source for field in ("{commit}", "{path}", "{line}", stage.repository))

    def test_the_credential_does_not_show_its_password(self, stage: Stage) -> None:
        credential = stage.forge.credential(stage.repository)
        assert credential is not None
        assert ":" not in credential.username
        assert credential.password.reveal() not in repr(credential)


def check(
    state: State, *, line: str = "3 flows opened", summary: str = "", url: str = "", annotations: tuple[Annotation, ...] = ()
) -> Check:
    """The check of the pull request's head."""
    return Check(HEAD, state, line, summary, url, annotations, str(NUMBER), f"refs/pull/{NUMBER}/head")


def commanded(stage: Stage) -> Command:
    """A command that ALICE gave."""
    comment = stage.say(NUMBER, ALICE, "/flowdelta review")
    return Command(NUMBER, comment, ALICE, "/flowdelta review")

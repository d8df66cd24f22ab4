"""Commands: who may ask for what, and one answer each, whatever happens in between. A real database, a forge and an engine in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from service.checkout.mirror import Mirrors
from service.forges.port import Account, Command, ForgeError, Permission, Reaction, WebhookEvent
from service.review.command_flow import answer, command_from_json
from service.review.commands import VERBS, verb_of
from service.review.durable import Retries
from service.review.steps import Steps
from service.settings import Settings
from service.store import PRESS, Store, StoredCommand
from tests.service.forge_in_memory import ALICE, BOB, MAIN, ROBOT, ForgeInMemory, connected, environment
from tests.service.record import Killed, Record

RETRIES = Retries(attempts=4, first=1.0, longest=8.0)


@dataclass(frozen=True)
class Desk:
    """A database and a forge with one pull request of ALICE."""

    forge: ForgeInMemory
    steps: Steps

    @property
    def store(self) -> Store:
        return self.steps.store

    def say(self, text: str, author: Account = ALICE, *, comment: str = "901", number: int = 7) -> StoredCommand:
        """A command as a webhook brought it."""
        event = WebhookEvent(f"delivery-{comment}", "issue_comment", "created", "acme/shop", (Command(number, comment, author, text),))
        self.store.accept("github", event)
        return next(stored for stored in self.store.undone_commands() if stored.command.comment == comment)

    def run(self, stored: StoredCommand, record: Record | None = None) -> str:
        return answer(stored, self.steps, record or Record(), RETRIES)

    def requests(self) -> list[str]:
        return [request.subject for request in self.store.undispatched()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    settings = Settings.from_environment(environment(str(tmp_path)))
    store, forge = Store.open(settings), ForgeInMemory()
    forge.open(7, "a" * 40)
    forge.tips["acme/shop", MAIN] = "b" * 40

    def never(*_: object) -> None:
        raise AssertionError("nothing is to be analysed")

    yield Desk(forge, Steps(settings, store, connected(settings, forge), Mirrors(tmp_path), never, tmp_path))  # type: ignore[arg-type]
    store.close()


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("/flowdelta", "help"),
        ("/flowdelta   REVIEW  please", "review"),
        ("/flowdelta review\n/flowdelta help", "review"),
        ("/flowdelta\nreview", "help"),
        ("  /flowdelta rerun\r\n", "rerun"),
        ("", "help"),
    ],
)
def test_the_command_is_the_word_after_our_name_on_the_first_line(text: str, verb: str) -> None:
    assert verb_of(text) == verb


@pytest.mark.parametrize("verb", ["review", "rerun"])
def test_the_author_can_have_the_pull_request_reviewed_again(desk: Desk, verb: str) -> None:
    assert desk.run(desk.say(f"/flowdelta {verb}")) == verb
    assert desk.requests() == ["7"]
    assert desk.forge.answers == [("901", Reaction.SEEN, "")]


@pytest.mark.parametrize("permission", list(Permission))
def test_someone_else_needs_to_be_allowed_to_write(desk: Desk, permission: Permission) -> None:
    desk.forge.permissions[BOB.id] = permission
    outcome = desk.run(desk.say("/flowdelta review", BOB))
    if permission in (Permission.WRITE, Permission.ADMIN):
        assert (outcome, desk.requests()) == ("review", ["7"])
        return
    assert (outcome, desk.requests()) == ("refused", [])
    ((_, reaction, reply),) = desk.forge.answers
    assert reaction is Reaction.REFUSED
    assert "Only the author" in reply


def test_the_author_is_told_by_the_account_and_not_by_its_name(desk: Desk) -> None:
    assert desk.run(desk.say("/flowdelta review", Account(BOB.id, ALICE.name))) == "refused"


def test_help_lists_every_command_to_anyone(desk: Desk) -> None:
    assert desk.run(desk.say("/flowdelta help", BOB)) == "help"
    ((_, reaction, reply),) = desk.forge.answers
    assert reaction is Reaction.SEEN
    assert all((f"`/flowdelta {verb}`" in reply) is (verb != PRESS) for verb in VERBS)


def test_what_only_a_button_says_is_no_command(desk: Desk) -> None:
    assert desk.run(desk.say("/flowdelta press approve:0123456789ab", BOB)) == "unknown"


def test_an_unknown_command_is_answered_with_what_there_is_and_does_not_break_out(desk: Desk) -> None:
    assert desk.run(desk.say("/flowdelta @octocat`<img>")) == "unknown"
    ((_, reaction, reply),) = desk.forge.answers
    assert reaction is Reaction.REFUSED
    assert "``@octocat`<img>``" in reply
    assert all(f"`/flowdelta {verb}`" in reply for verb in VERBS if verb != PRESS)


def test_no_answer_is_a_command_again(desk: Desk) -> None:
    for number, text in enumerate(("/flowdelta help", "/flowdelta nonsense")):
        desk.run(desk.say(text, comment=str(number)))
    assert not any(reply.lstrip().startswith("/flowdelta") for _, _, reply in desk.forge.answers)


def test_a_program_is_not_answered(desk: Desk) -> None:
    """It may be answering us, for ever."""
    assert desk.run(desk.say("/flowdelta nonsense", ROBOT)).startswith("ignored")
    assert (desk.forge.answers, desk.store.undone_commands()) == ([], [])


def test_a_command_is_recorded_as_answered(desk: Desk) -> None:
    desk.run(desk.say("/flowdelta help"))
    assert desk.store.undone_commands() == []


def test_a_forge_that_is_away_is_asked_again(desk: Desk) -> None:
    desk.forge.down = ForgeError("away", retry=True, retry_after=5.0)
    record = Record()
    sleep = record.sleep

    def sleep_and_recover(seconds: float) -> None:
        desk.forge.down = None
        sleep(seconds)

    record.sleep = sleep_and_recover  # type: ignore[method-assign]
    assert desk.run(desk.say("/flowdelta review"), record) == "review"
    assert record.slept == [5.0]


def test_a_command_that_cannot_be_answered_ends_with_the_reason(desk: Desk) -> None:
    desk.forge.down = ForgeError("the token may not comment", retry=False)
    assert desk.run(desk.say("/flowdelta review")) == "failed: the token may not comment"
    assert desk.store.undone_commands() == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("text", ["/flowdelta review", "/flowdelta nonsense"])
def test_a_command_killed_around_any_step_is_answered_once(desk: Desk, text: str, after: bool) -> None:
    whole = Record()
    desk.run(desk.say(text, comment="0"), whole)
    for position in range(len(whole.done)):
        desk.forge.answers.clear()
        stored = desk.say(text, comment=f"{position + 1}")
        record = Record(kill_at=position, after=after)
        with pytest.raises(Killed):
            desk.run(stored, record)
        desk.run(stored, record.again())
        assert len(desk.forge.answers) == 1


def test_a_command_travels_as_json(desk: Desk) -> None:
    stored = desk.say("/flowdelta review")
    assert command_from_json(json.loads(json.dumps(asdict(stored)))) == stored

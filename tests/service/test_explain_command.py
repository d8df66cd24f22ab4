"""`/flowdelta explain`: one reply about what the report is about, for whoever can comment, and no way to make the service work or talk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from service.analysis.compare import answer as analysed
from service.analysis.job import AnalysisError, Order, Result
from service.forges.port import Account, Command, WebhookEvent
from service.review.command_flow import answer
from service.review.commands import analyses
from service.review.explanation import MOST_OF_ALL, MOST_OF_ONE
from service.store import StoredCommand
from tests.forges.origin import policy, shop
from tests.service.record import Killed, Record
from tests.service.site import NUMBER, SHOP
from tests.service.test_review import Bench
from tests.service.test_review import bench as bench

ANN = Account("11", "ann")
PAIR = "shop/web[Deployment] shop/cart[Deployment]"


@dataclass
class Ask:
    """A pull request with a report, and those who ask about it. `orders` are the explanations that were made."""

    bench: Bench
    orders: list[Order] = field(default_factory=list)
    sent: int = 0

    def analyse(self, order: Order, _timeout: float) -> Result:
        if order.pair is not None:
            self.orders.append(order)
        return analysed(order)

    def store(self, words: str, author: Account = ANN, number: int = NUMBER) -> StoredCommand:
        """Type a command; as the webhook brought it."""
        comment = self.bench.site.github.add_comment(SHOP, number, (author.name, int(author.id)), f"/flowdelta explain {words}")
        self.sent += 1
        call = Command(number, str(comment.number), author, comment.body)
        store = self.bench.steps.store
        store.accept("github", WebhookEvent(f"comment-{comment.number}", "issue_comment", "created", SHOP, (call,)))
        return next(stored for stored in store.undone_commands() if stored.command == call)

    def run(self, stored: StoredCommand, record: Record | None = None) -> str:
        return answer(stored, self.bench.steps, record or Record(), self.bench.retries)

    def say(self, words: str = PAIR, author: Account = ANN) -> str:
        return self.run(self.store(words, author))

    @property
    def replies(self) -> list[str]:
        return [body for body in self.bench.site.comments if "flowdelta:reply" in body]

    @property
    def reply(self) -> str:
        (body,) = self.replies
        return body

    @property
    def reactions(self) -> list[str]:
        """The reaction to the last command."""
        return [given for _, given in self.bench.site.github.comments(SHOP, NUMBER)[-1].reactions]


@pytest.fixture
def ask(bench: Bench) -> Ask:
    asking = Ask(bench)
    asking.bench = replace(bench, steps=replace(bench.steps, analyse=asking.analyse))
    return asking


@pytest.fixture
def reported(ask: Ask) -> Ask:
    assert ask.bench.run() == "done"
    return ask


def test_the_reply_says_verdict_and_steps_with_file_and_line(reported: Ask) -> None:
    assert reported.say(f"{PAIR} 9090/TCP") == "explain"
    assert "`shop/web[Deployment]` → `shop/cart[Deployment]`: 9090/TCP is allowed" in reported.reply
    assert "`policy.yaml:" in reported.reply
    (order,) = reported.orders
    settings = reported.bench.steps.settings
    assert (order.memory, order.cpu) == (settings.analysis_memory, int(settings.analysis_timeout) + 1)


def test_it_is_about_the_head_as_merged_into_the_base_that_the_report_is_about(ask: Ask) -> None:
    ask.bench.site.advance(shop(7070, other_yaml=policy("web", "cart", 8080)))
    assert ask.bench.run() == "done"
    ask.bench.site.advance(shop(7070, other_yaml=policy("web", "nobody", 1)))
    assert ask.say("shop/cart[Deployment] shop/web[Deployment] 8080/TCP") == "explain"
    assert "8080/TCP is allowed" in ask.reply
    assert "other.yaml" in ask.reply
    assert "merged into" in ask.reply


def test_one_that_conflicts_says_so(ask: Ask) -> None:
    ask.bench.site.advance(shop(6060))
    ask.bench.run()
    ask.say()
    assert "alone, as it cannot be merged" in ask.reply


def test_the_configuration_is_that_of_the_base(ask: Ask) -> None:
    """What a head writes into the file is nobody's word yet."""
    ask.bench.site.open(shop(7070), {**shop(9090), ".flowdelta.yaml": "no such: thing"})
    ask.bench.run()
    assert ask.say() == "explain"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_command_killed_around_any_step_has_one_reply(reported: Ask, after: bool) -> None:
    whole = Record()
    reported.run(reported.store(PAIR), whole)
    for position in range(len(whole.done)):
        author, known = Account(str(20 + position), f"person-{position}"), len(reported.replies)
        stored, record = reported.store(PAIR, author), Record(kill_at=position, after=after)
        with pytest.raises(Killed):
            reported.run(stored, record)
        reported.run(stored, record.again())
        assert len(reported.replies) == known + 1


def closed(ask: Ask) -> None:
    ask.bench.site.pull.state = "closed"


def pushed(ask: Ask) -> None:
    ask.bench.site.push(shop(5050))


def drafted(ask: Ask) -> None:
    ask.bench.site.pull.draft = True
    ask.bench = replace(ask.bench, steps=replace(ask.bench.steps, settings=replace(ask.bench.steps.settings, review_drafts=False)))


def forked(ask: Ask) -> None:
    ask.bench.site.pull.head_repository = "mallory/shop"


@pytest.mark.parametrize(
    ("words", "said", "before"),
    [
        ("", "Write `/flowdelta explain", lambda ask: None),
        ("shop/web[Deployment]", "Write `/flowdelta explain", lambda ask: None),
        ("a b c d", "Write `/flowdelta explain", lambda ask: None),
        (f"{PAIR} sometimes", "sometimes", lambda ask: None),
        ("shop/wob[Deployment] shop/cart[Deployment]", "did you mean", lambda ask: None),
        (f"{PAIR} --cluster prod", "cluster", lambda ask: None),
        (PAIR, "is not open", closed),
        (PAIR, "no report yet", pushed),
        (PAIR, "is a draft", drafted),
        (PAIR, "comes from a fork", forked),
    ],
)
def test_what_cannot_be_explained_is_told_why(reported: Ask, words: str, said: str, before: Callable[[Ask], Any]) -> None:
    before(reported)
    assert reported.say(words) == "refused"
    assert said in reported.reply


def test_what_has_no_report_is_not_analysed(ask: Ask) -> None:
    """It may be what kills workers, and a command is not counted as a review is."""
    assert ask.say() == "refused"
    assert ask.orders == []


def test_nothing_that_was_typed_breaks_out_of_the_reply(reported: Ask) -> None:
    assert reported.say("@octocat`<img> [here](https://evil.example)") == "refused"
    outside = reported.reply.split("```")[0] if "```" in reported.reply else reported.reply
    assert "@octocat`<img>" in outside
    assert "` @octocat" not in outside.replace("``@octocat`<img>``", "")


def test_an_analysis_that_fails_is_told_once_with_its_reason(reported: Ask) -> None:
    def fails(_order: Order, _timeout: float) -> Result:
        raise AnalysisError("timeout", "The analysis took longer than 300 seconds and was stopped.")

    reported.bench = replace(reported.bench, steps=replace(reported.bench.steps, analyse=fails))
    assert reported.say().startswith("failed: The analysis took longer")
    assert "took longer than 300 seconds" in reported.reply


def test_a_reply_is_capped(ask: Ask) -> None:
    many = {f"p{number}.yaml": policy("cart", "web", 9090).replace("name: cart", f"name: {'p' * 180}{number}") for number in range(150)}
    ask.bench.site.open(shop(7070), shop(9090) | many)
    ask.bench.run()
    assert ask.say() == "explain"
    assert 15_000 < len(ask.reply) < 21_000
    assert "more steps not shown" in ask.reply


def test_one_account_has_so_many_an_hour_and_then_a_reaction_and_no_reply(reported: Ask) -> None:
    for _ in range(MOST_OF_ONE):
        assert reported.say() == "explain"
    assert reported.say() == "refused: too often"
    assert reported.reactions == ["confused"]
    assert (len(reported.replies), len(reported.orders)) == (MOST_OF_ONE, MOST_OF_ONE)
    assert reported.say(author=Account("12", "bea")) == "explain"


def test_a_pull_request_has_so_many_an_hour_whoever_asks(reported: Ask) -> None:
    for number in range(MOST_OF_ALL):
        reported.store(PAIR, Account(str(100 + number), f"person-{number}"))
    assert reported.say() == "refused: too often"
    assert reported.orders == []


def test_other_commands_do_not_count(reported: Ask) -> None:
    for number in range(MOST_OF_ONE + 1):
        call = Command(NUMBER, str(9_000 + number), ANN, "/flowdelta help explain")
        reported.bench.steps.store.accept("github", WebhookEvent(f"help-{number}", "issue_comment", "created", SHOP, (call,)))
    assert reported.say() == "explain"


@pytest.mark.parametrize(("text", "waits"), [("/flowdelta EXPLAIN a b", True), ("/flowdelta help", False), ("/flowdelta nonsense", False)])
def test_what_analyses_waits_among_the_reviews(text: str, waits: bool) -> None:
    assert analyses(StoredCommand("github", SHOP, Command(NUMBER, "901", ANN, text), 1)) is waits

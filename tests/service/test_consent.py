"""Sign-off of a pull request from what is guarded to what is on record: a real database, a forge in memory, and every rule as a row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from service.checkout.mirror import Mirrors
from service.forges.port import Account, Command, Contributors, ForgeError, GivenReview, Pressed, Queued, Reaction, WebhookEvent
from service.review.command_flow import answer
from service.review.consent import Consent, Judged, Refused, Saying, replayed
from service.review.durable import Retries
from service.review.ledger import Ledger
from service.review.outcome import asks, buttons, labels
from service.review.steps import Steps
from service.settings import Settings
from service.signoff import wording
from service.signoff.approvals import Standing, Verb, Way
from service.signoff.audit import verify
from service.signoff.flows import Certainty, Change, FlowSet, Route
from service.signoff.guardrails import Condition, Demand, End, Exemption, Outcome, Signature
from service.signoff.matching import Guarded
from service.signoff.records import guarded_json
from service.signoff.wording import shown_digest
from service.store import Request, Store, subject_of_queue
from tests.service.forge_in_memory import ALICE, BOB, MAIN, ROBOT, ForgeInMemory, connected, environment
from tests.service.record import Record

CAROL, DAVE = Account("504", "carol"), Account("505", "dave")
H1, H2 = "a" * 40, "c" * 40
BASE = "b" * 40
SECURITY, NETWORK = Signature(("security",)), Signature(("network",))


def opening(*ports: int) -> FlowSet:
    route = Route(Change.OPENED, "", "shop/web[Deployment]", "pay/db[StatefulSet]", Certainty.MAY)
    numbers = IntervalSet.of((port, port) for port in ports)
    return FlowSet.of([(route, IntervalSet(((0, 0),)), ConnectionSet.of({Protocol.TCP: numbers}))])


def guardrail(*ports: int, asks: tuple[Signature, ...] = (SECURITY,), name: str = "into-pci", **more: Any) -> Guarded:
    return Guarded(name, 3, False, Demand(signatures=asks, labels=("needs-security",)), opening(*ports), **more)


@dataclass
class Case:
    """One pull request of ALICE. `security` is BOB, CAROL, ALICE and the robot; `network` is CAROL and DAVE."""

    store: Store
    forge: ForgeInMemory
    steps: Steps
    guarded: tuple[Guarded, ...] = field(default_factory=lambda: (guardrail(5432),))
    said: int = 0

    @property
    def consent(self) -> Consent:
        return self.steps.consent("github", "acme/shop")

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.store, "github", "acme/shop", 7)

    def push(self, head: str, *ports: int) -> None:
        self.forge.open(7, head)
        if ports:
            self.guarded = (guardrail(*ports),)

    def judge(self, request: Request | None = None) -> Judged:
        asked = request or self.store.request("github", "acme/shop", "7", "test")
        found = {"configuration": "c1", "organisation": "", "guarded": [guarded_json(each) for each in self.guarded]}
        pull = self.forge.pull_request("acme/shop", 7)
        return self.consent.judge(asked, pull, (BASE, pull.head_sha), found)

    def standing(self) -> Standing:
        return self.judge().decision.standing

    def say(self, verb: str, author: Account, *, digest: str = "", name: str = "into-pci") -> str:
        """Type a command; what became of it."""
        self.said += 1
        shown = digest or shown_digest(next(each.flows for each in self.guarded if each.name == name))
        words = f"/flowdelta {verb} {name}{f' {shown}' if verb == 'approve' else ''} because"
        return self.send(Command(7, f"{900 + self.said}", author, words))

    def send(self, call: Command | Pressed) -> str:
        event = WebhookEvent(f"delivery-{self.said}", "issue_comment", "created", "acme/shop", (call,))
        self.store.accept("github", event)
        (stored,) = self.store.undone_commands()
        return answer(stored, self.steps, Record(), Retries(attempts=4, first=1.0, longest=8.0))

    def review(self, account: Account, commit: str = H1, *, approves: bool = True, given: float | None = None) -> None:
        """Give a review, in place of an earlier one; `given` is when, in seconds since 1970."""
        self.said += 1
        self.forge.opinions = [each for each in self.forge.opinions if each.account != account]
        self.forge.opinions.append(GivenReview(account, approves, commit, str(self.said), given))

    @property
    def reply(self) -> str:
        return self.forge.answers[-1][2]

    def replays(self) -> bool:
        """Whether every decision on record follows from its record."""
        acts = {act.number: act for act in self.ledger.acts()}
        found = [(entry, json.loads(self.store.content(entry["guarded"]))) for entry in self.ledger.decisions()]
        return bool(found) and all(replayed(json.loads(json.dumps(entry)), acts, judged) for entry, judged in found)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    settings = Settings.from_environment(environment(str(tmp_path)))
    store, forge = Store.open(settings), ForgeInMemory()
    forge.open(7, H1)
    forge.tips["acme/shop", MAIN] = BASE
    forge.groups = {"security": {BOB.id, CAROL.id, ALICE.id, ROBOT.id}, "network": {CAROL.id, DAVE.id}}

    def never(*_: object) -> None:
        raise AssertionError("nothing is to be analysed")

    yield Case(store, forge, Steps(settings, store, connected(settings, forge), Mirrors(tmp_path), never, tmp_path))  # type: ignore[arg-type]
    assert list(verify(store.audit_rows())) == []
    assert store.misfiled() == []
    store.close()


def approved(case: Case) -> None:
    assert case.standing() is Standing.WAITING
    assert case.say("approve", BOB) == "approve"
    assert case.standing() is Standing.APPROVED


@dataclass(frozen=True)
class Row:
    """What happens after BOB approved the opening of 5432 at H1, and where that leaves the pull request."""

    rule: str
    happens: Callable[[Case], Any]
    standing: Standing


def grouped(case: Case, *members: Account) -> None:
    case.forge.groups["security"] = {member.id for member in members}


def contributed(case: Case, *accounts: Account, strangers: tuple[str, ...] = ()) -> None:
    case.forge.hands = Contributors(frozenset(account.id for account in accounts), strangers)


def retargeted(case: Case) -> None:
    case.forge.pulls["acme/shop", 7] = replace(case.forge.pulls["acme/shop", 7], base_ref="refs/heads/production")


def unknown_group(case: Case) -> None:
    del case.forge.groups["security"]


def ended(case: Case) -> None:
    """The exception that let 6379 pass is over."""
    nowhere = Condition(End(), End(), ConnectionSet())
    over = Exemption("into-pci", 9, nowhere, "for the migration", date(2026, 1, 1))
    case.guarded = (guardrail(5432, 6379, expired=(over,)),)


AFTER = [
    Row("nothing", lambda case: None, Standing.APPROVED),
    Row("a rebase keeps it", lambda case: case.push(H2), Standing.APPROVED),
    Row("one more flow lapses it", lambda case: case.push(H2, 5432, 6379), Standing.LAPSED),
    Row("an engine that finds one more flow in the same commit lapses it", lambda case: case.push(H1, 5432, 6379), Standing.LAPSED),
    Row("another flow lapses it", lambda case: case.push(H2, 6379), Standing.LAPSED),
    Row("an expired exception lapses it", ended, Standing.LAPSED),
    Row("revoked", lambda case: case.say("revoke", BOB), Standing.WAITING),
    Row("revoked by another", lambda case: case.say("revoke", CAROL), Standing.APPROVED),
    Row("rejected by another of the group", lambda case: case.say("reject", CAROL), Standing.REJECTED),
    Row("rejected by someone outside", lambda case: case.say("reject", DAVE), Standing.APPROVED),
    Row("membership is lost", lambda case: grouped(case, CAROL), Standing.WAITING),
    Row("the group is gone", unknown_group, Standing.WAITING),
    Row("who approved pushes a commit", lambda case: contributed(case, BOB), Standing.WAITING),
    Row("a commit by nobody known", lambda case: contributed(case, strangers=("x@example",)), Standing.WAITING),
    Row("it is to be merged elsewhere", retargeted, Standing.WAITING),
    Row(
        "a second group is asked for", lambda case: setattr(case, "guarded", (guardrail(5432, asks=(SECURITY, NETWORK)),)), Standing.WAITING
    ),
    Row("nothing is guarded any more", lambda case: setattr(case, "guarded", (guardrail(),)), Standing.NOT_NEEDED),
]


@pytest.mark.parametrize("row", AFTER, ids=lambda row: row.rule)
def test_what_becomes_of_an_approval(case: Case, row: Row) -> None:
    approved(case)
    row.happens(case)
    assert case.standing() is row.standing
    assert case.replays()


def test_a_narrower_set_keeps_it(case: Case) -> None:
    case.push(H1, 5432, 6379)
    approved(case)
    case.push(H2, 5432)
    assert case.standing() is Standing.APPROVED


@dataclass(frozen=True)
class Refusal:
    """Someone who may not, and what they are told."""

    who: str
    account: Account
    said: str
    before: Callable[[Case], Any] = lambda case: None


REFUSED = [
    Refusal("the author", ALICE, "the author does not count"),
    Refusal("a contributor", BOB, "contributed to the change", lambda case: contributed(case, BOB)),
    Refusal("someone outside the group", DAVE, "not among those who may"),
    Refusal("anyone, of a group that the forge does not show", BOB, "shows no group security", unknown_group),
    Refusal("anyone, after a commit by nobody known", BOB, "no account", lambda case: contributed(case, strangers=("x@example",))),
]


@pytest.mark.parametrize("refusal", REFUSED, ids=lambda refusal: refusal.who)
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_who_may_not_is_told_so_once_and_counts_for_nothing(case: Case, refusal: Refusal, verb: str) -> None:
    case.judge()
    refusal.before(case)
    assert case.say(verb, refusal.account) == "refused"
    ((_, reaction, reply),) = case.forge.answers
    assert reaction is Reaction.REFUSED
    assert refusal.said in reply
    assert case.standing() is Standing.WAITING
    assert [entry["kind"] for entry in case.ledger.entries()].count("refused") == 1


def test_what_a_commit_says_of_its_author_cannot_speak_in_our_voice(case: Case) -> None:
    case.judge()
    contributed(case, strangers=("@octocat <img src=x> [here](https://evil.example)",))
    assert case.say("approve", BOB) == "refused"
    spoken = re.sub(r"`[^`]*`", "", case.reply)  # a forge obeys nothing inside a code span
    assert not any(markup in spoken for markup in ("@octocat", "<img", "[here]("))


def test_a_bot_is_not_even_answered(case: Case) -> None:
    case.judge()
    assert case.say("approve", ROBOT).startswith("ignored")
    case.review(ROBOT)
    assert case.standing() is Standing.WAITING


def test_two_groups_are_both_needed(case: Case) -> None:
    case.guarded = (guardrail(5432, asks=(SECURITY, NETWORK)),)
    approved_by = []
    for account in (BOB, DAVE):
        assert case.standing() is Standing.WAITING
        approved_by.append(case.say("approve", account))
    assert (approved_by, case.standing()) == (["approve", "approve"], Standing.APPROVED)


def test_an_unknown_group_waits_with_the_reason_before_anyone_spoke(case: Case) -> None:
    unknown_group(case)
    (ruling,) = case.judge().decision.rulings
    assert (ruling.standing, ruling.why) == (Standing.WAITING, "the forge shows no group security")


def test_a_forge_that_is_away_is_an_error_and_not_a_decision(case: Case) -> None:
    case.judge()
    case.forge.down = ForgeError("away", retry=True)
    with pytest.raises(ForgeError):
        case.consent.say(7, Saying(Verb.APPROVE, Way.API, BOB, "into-pci", shown_digest(opening(5432))), "api:1")
    case.forge.down = None
    assert case.ledger.acts() == []


def test_a_group_of_the_settings_is_not_asked_of_the_forge(case: Case) -> None:
    unknown_group(case)
    case.steps = replace(case.steps, settings=replace(case.steps.settings, groups={"security": frozenset({"bob"})}))
    approved(case)
    assert case.consent.unasked(7, ["security"]) == []


def test_an_approval_typed_while_a_new_head_was_analysed_is_for_what_was_shown(case: Case) -> None:
    case.judge()
    case.forge.open(7, H2)
    assert case.say("approve", BOB) == "approve"
    (act,) = case.ledger.acts()
    assert (act.flows, act.head) == (opening(5432), H1)
    case.push(H2, 5432, 22)
    (ruling,) = case.judge().decision.rulings
    assert (ruling.standing, ruling.why) == (Standing.LAPSED, "bob agreed to fewer flows")


def test_a_digest_of_what_is_not_shown_any_more_is_refused(case: Case) -> None:
    case.judge()
    old = shown_digest(opening(5432))
    case.push(H2, 5432, 22)
    case.judge()
    assert case.say("approve", BOB, digest=old) == "refused"
    assert "digest" in case.reply


def test_a_digest_that_two_sets_share_is_refused(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes the change can look for two sets with the same first twelve digits: show one, and swap it for the other."""
    monkeypatch.setattr(wording, "DIGEST_LENGTH", 0)
    case.judge()
    case.push(H2, 22)
    case.judge()
    with pytest.raises(Refused, match="Two different sets"):
        case.consent.say(7, Saying(Verb.APPROVE, Way.COMMENT, BOB, "into-pci", ""), "901")


def test_two_approvals_at_the_same_instant_are_two_rows_in_one_order(case: Case) -> None:
    case.guarded = (guardrail(5432, asks=(structs.replace(SECURITY, count=2),)),)
    case.judge()
    for account in (BOB, CAROL):
        assert case.say("approve", account) == "approve"
    assert [act.person.name for act in case.ledger.acts()] == ["bob", "carol"]
    assert case.standing() is Standing.APPROVED


def test_an_edited_comment_gives_nothing_and_a_deleted_one_revokes_nothing(case: Case) -> None:
    """An edit is no new comment; the forges tell only of new ones, and what comes again under the same id is not heard."""
    case.judge()
    case.say("reject", BOB)
    event = WebhookEvent(
        "edited", "issue_comment", "created", "acme/shop", (Command(7, "901", BOB, f"/flowdelta approve into-pci {'0' * 12}"),)
    )
    case.store.accept("github", event)
    assert case.store.undone_commands() == []
    assert case.standing() is Standing.REJECTED


def test_a_command_that_another_process_carries_out_late_does_not_undo_what_came_after(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was paused between its look at the log and its row; meanwhile another process did its work, and the person took it back."""
    case.judge()
    saying = Saying(Verb.APPROVE, Way.COMMENT, BOB, "into-pci", shown_digest(opening(5432)))
    heard = Ledger.said

    def paused(ledger: Ledger, source: str) -> Any:
        found = heard(ledger, source)
        monkeypatch.undo()
        case.consent.say(7, saying, "901")
        case.consent.say(7, replace(saying, verb=Verb.REVOKE), "902")
        return found

    monkeypatch.setattr(Ledger, "said", paused)
    case.consent.say(7, saying, "901")
    assert [act.verb for act in case.ledger.acts()] == [Verb.APPROVE, Verb.REVOKE]
    assert case.standing() is Standing.WAITING


def test_an_approval_of_one_pull_request_is_none_of_another(case: Case) -> None:
    approved(case)
    pull = case.forge.open(8, H1)
    found = {"configuration": "c1", "organisation": "", "guarded": [guarded_json(each) for each in case.guarded]}
    request = case.store.request("github", "acme/shop", "8", "test")
    assert case.consent.judge(request, pull, (BASE, H1), found).decision.standing is Standing.WAITING


def test_a_pull_request_with_the_same_head_holds_the_check_back(case: Case) -> None:
    """A check is of a commit: the same commit towards a branch without guardrails must not turn it green."""
    case.judge()
    for number in (7, 8):
        case.store.saw("github", case.forge.open(number, H1), BASE)
    assert case.consent.beside(8, H1) == (7,)
    assert case.consent.beside(7, H1) == ()
    approve = case.say("approve", BOB)
    assert (approve, case.standing()) == ("approve", Standing.APPROVED)
    assert case.consent.beside(8, H1) == ()


class TestReviews:
    """Approving reviews, which speak of the commit that was reviewed."""

    def test_one_of_this_commit_counts(self, case: Case) -> None:
        case.judge()
        case.review(BOB)
        assert case.standing() is Standing.APPROVED
        assert case.replays()

    @pytest.mark.parametrize("commit", [H2, ""])
    def test_one_of_another_or_of_no_commit_does_not(self, case: Case, commit: str) -> None:
        case.judge()
        case.review(BOB, commit)
        assert case.standing() is Standing.WAITING

    def test_a_new_head_needs_a_new_one(self, case: Case) -> None:
        case.judge()
        case.review(BOB)
        assert case.standing() is Standing.APPROVED
        case.push(H2)
        assert case.standing() is Standing.WAITING

    def test_one_that_is_taken_back_counts_no_more(self, case: Case) -> None:
        case.judge()
        case.review(BOB)
        assert case.standing() is Standing.APPROVED
        case.review(BOB, approves=False)
        assert case.standing() is Standing.WAITING

    def test_it_is_for_what_was_shown_of_the_commit_and_not_for_what_a_new_base_makes_of_it(self, case: Case) -> None:
        case.judge()
        case.review(BOB)
        case.push(H1, 5432, 22)
        assert case.standing() is Standing.LAPSED

    def test_one_that_is_given_again_is_for_what_is_shown_then(self, case: Case) -> None:
        case.judge()
        case.review(BOB)
        case.push(H1, 5432, 22)
        assert [case.standing() for _ in range(2)] == [Standing.LAPSED] * 2
        case.review(BOB)
        assert [case.standing() for _ in range(2)] == [Standing.APPROVED] * 2
        assert [act.flows for act in case.ledger.acts()] == [opening(5432), opening(5432, 22)]
        assert case.replays()

    @pytest.mark.parametrize(("given", "standing"), [(1.0, Standing.LAPSED), (4e9, Standing.APPROVED), (None, Standing.APPROVED)])
    def test_one_that_is_heard_late_is_for_what_was_shown_when_it_was_given(
        self, case: Case, given: float | None, standing: Standing
    ) -> None:
        """The first report is the only one that was there in 1970; in 2096 the second is."""
        case.judge()
        case.push(H1, 5432, 22)
        assert case.standing() is Standing.WAITING
        case.review(BOB, given=given)
        assert case.standing() is standing

    def test_one_that_was_given_for_another_base_is_not_for_this_one(self, case: Case) -> None:
        case.judge()
        retargeted(case)
        case.review(BOB)
        ((vote,),) = ([vote for tally in ruling.tallies for vote in tally.votes] for ruling in case.judge().decision.rulings)
        assert vote.why == "it was given for another branch to merge into"
        case.review(BOB)
        assert case.standing() is Standing.APPROVED

    def test_one_given_again_does_not_outweigh_what_its_author_said_in_between(self, case: Case) -> None:
        case.judge()
        case.review(BOB)
        assert case.standing() is Standing.APPROVED
        assert case.say("revoke", BOB) == "revoke"
        case.review(BOB)
        assert case.standing() is Standing.WAITING

    def test_what_became_guarded_after_a_report_on_the_commit_was_not_reviewed(self, case: Case) -> None:
        request = case.store.request("github", "acme/shop", "7", "test")
        case.store.start(request)
        case.store.judged(request, H1, BASE)
        case.store.finish(request, "done", "")
        case.review(BOB)
        assert case.standing() is Standing.WAITING

    def test_it_does_not_outweigh_what_its_author_said_of_the_same_commit(self, case: Case) -> None:
        """The review may have come first and be seen last."""
        case.judge()
        assert case.say("reject", BOB) == "reject"
        case.review(BOB)
        assert case.standing() is Standing.REJECTED


class TestButtons:
    """Buttons beside the check."""

    def press(self, case: Case, action: str, account: Account = BOB) -> str:
        case.said += 1
        return case.send(Pressed(7, account, action, H1))

    def test_a_button_says_what_it_stands_beside(self, case: Case) -> None:
        (button,) = buttons(case.judge().decision)
        assert (button.label, button.description) == ("Approve", "into-pci")
        assert self.press(case, button.action) == "approve"
        assert [act.way for act in case.ledger.acts()] == [Way.BUTTON]
        assert case.standing() is Standing.APPROVED

    def test_two_guardrails_of_the_same_flows_have_two_buttons(self, case: Case) -> None:
        case.guarded = (guardrail(5432), guardrail(5432, name="twin"))
        first, second = buttons(case.judge().decision)
        assert first.action != second.action
        assert self.press(case, second.action) == "approve"
        assert [act.guardrail for act in case.ledger.acts()] == ["twin"]

    def test_who_may_not_approve_may_not_press(self, case: Case) -> None:
        (button,) = buttons(case.judge().decision)
        assert self.press(case, button.action, ALICE) == "refused"
        assert case.standing() is Standing.WAITING
        assert case.forge.answers == []

    def test_a_button_of_an_older_report_says_nothing(self, case: Case) -> None:
        (button,) = buttons(case.judge().decision)
        case.push(H2, 22)
        case.judge()
        assert self.press(case, button.action) == "refused"
        assert case.ledger.acts() == []


class TestMergeQueue:
    """The queue's commit is judged like the head that it holds."""

    def queued(self, case: Case) -> Judged:
        subject = subject_of_queue(Queued("d" * 40, "e" * 40, "refs/heads/gh-readonly-queue/main/pr-7", 7))
        return case.judge(case.store.request("github", "acme/shop", subject, "test"))

    def test_a_review_of_the_head_holds_for_it(self, case: Case) -> None:
        case.judge()
        case.review(BOB)
        assert case.standing() is Standing.APPROVED
        assert self.queued(case).decision.standing is Standing.APPROVED

    def test_flows_that_only_the_queue_has_lapse_an_approval_and_a_review_is_not_taken_for_them(self, case: Case) -> None:
        case.judge()
        case.review(BOB)
        assert case.standing() is Standing.APPROVED
        case.guarded = (guardrail(5432, 22),)
        assert self.queued(case).decision.standing is Standing.LAPSED

    def test_it_hears_nobody_anew(self, case: Case) -> None:
        case.judge()
        case.review(BOB)
        assert self.queued(case).decision.standing is Standing.WAITING
        assert case.ledger.acts() == []

    def test_it_is_not_what_the_pull_request_shows(self, case: Case) -> None:
        case.judge()
        shown = shown_digest(opening(5432))
        case.guarded = (guardrail(5432, 22),)
        self.queued(case)
        assert case.say("approve", BOB, digest=shown) == "approve"


def test_the_same_decision_is_recorded_once(case: Case) -> None:
    hashes = {case.judge().hash for _ in range(3)}
    assert len(hashes) == 1
    assert len(case.ledger.decisions()) == 1


def test_nothing_guarded_is_nothing_on_record_until_it_takes_something_back(case: Case) -> None:
    case.guarded = (guardrail(),)
    assert case.judge().hash == ""
    case.guarded = (guardrail(5432),)
    case.judge()
    case.guarded = (guardrail(),)
    assert case.judge().hash != ""
    assert [entry["decision"]["standing"] for entry in case.ledger.decisions()] == ["waiting", "not needed"]


def told(case: Case) -> None:
    judged = case.judge()
    present, absent = labels(judged.decision.rulings)
    request = case.store.request("github", "acme/shop", "7", "test")
    verdict = {"ask": list(asks(judged.decision)), "present": sorted(present), "absent": sorted(absent)}
    case.steps.tell(request, verdict)


def test_a_group_is_asked_once_and_not_on_every_push(case: Case) -> None:
    for head in (H1, H2):
        case.push(head, 5432, int(head == H2) + 80)
        told(case)
    assert case.forge.asked == [(7, ("security",))]


def test_labels_are_set_and_taken_away(case: Case) -> None:
    case.forge.labels[7] = {"mine"}
    told(case)
    assert case.forge.labels[7] == {"mine", "needs-security"}
    case.guarded = (guardrail(),)
    told(case)
    assert case.forge.labels[7] == {"mine"}


def test_labels_are_set_where_nobody_can_be_asked(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise ForgeError("no such team", retry=False)

    monkeypatch.setattr(ForgeInMemory, "request_review", refused)
    with pytest.raises(ForgeError):
        told(case)
    assert case.forge.labels[7] == {"needs-security"}


def test_a_blocked_guardrail_cannot_be_spoken_of(case: Case) -> None:
    case.guarded = (structs.replace(guardrail(5432), require=Demand(Outcome.BLOCK)),)
    assert case.standing() is Standing.BLOCKED
    assert case.say("approve", BOB) == "refused"
    assert "those that ask for approval: none" in case.reply


def test_a_tampered_record_does_not_replay(case: Case) -> None:
    approved(case)
    entry = case.ledger.decisions()[-1]
    acts = {act.number: act for act in case.ledger.acts()}
    found = json.loads(case.store.content(entry["guarded"]))
    assert replayed(entry, acts, found)
    wider = {**found, "guarded": [guarded_json(guardrail(5432, 6379))]}
    assert not replayed(entry, acts, wider)

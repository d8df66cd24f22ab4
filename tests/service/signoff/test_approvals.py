"""Who may agree to what, as rows; and the laws that no row may break."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from service.signoff.approvals import Act, Facts, Person, Standing, Verb, Way, decide
from service.signoff.flows import Certainty, Change, FlowSet, Route
from service.signoff.guardrails import Demand, Outcome, Signature
from service.signoff.matching import Guarded
from tests.service.signoff.strategies import flows

ANN, BOB, CY, EVE, BOT = (Person(str(number), name, name == "bot") for number, name in enumerate(["ann", "bob", "cy", "eve", "bot"], 1))
SECURITY, NETWORK = Signature(("security",)), Signature(("network",))
FACTS = Facts(EVE.id, frozenset({EVE.id}), (), {"security": frozenset({ANN.id, BOB.id, EVE.id, BOT.id}), "network": frozenset({CY.id})})


def opening(*ports: int) -> FlowSet:
    route = Route(Change.OPENED, "", "shop/web[Deployment]", "pay/db[StatefulSet]", Certainty.MAY)
    numbers = IntervalSet.of((port, port) for port in ports)
    return FlowSet.of([(route, IntervalSet(((0, 0),)), ConnectionSet.of({Protocol.TCP: numbers}))])


def act(verb: Verb, person: Person, ports: tuple[int, ...] = (5432,), way: Way = Way.COMMENT, head: str = "h1") -> Act:
    return Act(0, verb, way, person, "into-pci", opening(*ports), head)


def yes(person: Person, *ports: int, way: Way = Way.COMMENT, head: str = "h1") -> Act:
    return act(Verb.APPROVE, person, ports or (5432,), way, head)


@dataclass(frozen=True)
class Row:
    """One rule of sign-off: the guarded ports, what was said in order, and where that leaves the guardrail."""

    rule: str
    standing: Standing
    acts: tuple[Act, ...] = ()
    ports: tuple[int, ...] = (5432,)
    asks: tuple[Signature, ...] = (SECURITY,)
    facts: Facts = field(default=FACTS)
    head: str = "h1"
    why: str = ""


ROWS = [
    Row("no guarded flow needs no yes", Standing.NOT_NEEDED, ports=()),
    Row("nobody said anything", Standing.WAITING),
    Row("a member of the group says yes", Standing.APPROVED, (yes(ANN),)),
    Row("a rebase keeps it", Standing.APPROVED, (yes(ANN),), head="h2"),
    Row("a narrower set keeps it", Standing.APPROVED, (yes(ANN, 5432, 5433),)),
    Row("one more flow lapses it", Standing.LAPSED, (yes(ANN),), ports=(5432, 6379), why="ann agreed to fewer flows"),
    Row("a new yes to the larger set", Standing.APPROVED, (yes(ANN), yes(ANN, 5432, 6379)), ports=(5432, 6379)),
    Row("two half approvals of one person are no whole one", Standing.LAPSED, (yes(ANN, 5432), yes(ANN, 6379)), ports=(5432, 6379)),
    Row("another person's yes to the larger set", Standing.APPROVED, (yes(ANN), yes(BOB, 5432, 6379)), ports=(5432, 6379)),
    Row("the author's own yes does not count", Standing.WAITING, (yes(EVE),)),
    Row("unless the rule says so", Standing.APPROVED, (yes(EVE),), asks=(replace(SECURITY, author=True, contributors=True),)),
    Row("a contributor's yes does not count", Standing.WAITING, (yes(BOB),), facts=replace(FACTS, contributors=frozenset({BOB.id}))),
    Row("a bot is no person", Standing.WAITING, (yes(BOT),)),
    Row("someone outside the group", Standing.WAITING, (yes(CY),)),
    Row("a user by name, whatever the case", Standing.APPROVED, (yes(CY),), asks=(Signature(users=("Cy",)),)),
    Row("membership lost before the decision", Standing.WAITING, (yes(ANN),), facts=replace(FACTS, members={"security": frozenset()})),
    Row("a commit by nobody known stops approval", Standing.WAITING, (yes(ANN),), facts=replace(FACTS, strangers=("x@example",))),
    Row(
        "unless the rule allows it",
        Standing.APPROVED,
        (yes(ANN),),
        asks=(replace(SECURITY, unknown_contributors=True),),
        facts=replace(FACTS, strangers=("x@example",)),
    ),
    Row("the forge cannot say who is who", Standing.WAITING, (yes(ANN),), facts=replace(FACTS, problem="the forge did not answer")),
    Row("two people are asked for", Standing.WAITING, (yes(ANN),), asks=(replace(SECURITY, count=2),)),
    Row("one person twice is one", Standing.WAITING, (yes(ANN), yes(ANN, 5432, 1)), asks=(replace(SECURITY, count=2),)),
    Row("two people at the same instant", Standing.APPROVED, (yes(ANN), yes(BOB)), asks=(replace(SECURITY, count=2),)),
    Row("two groups are both needed", Standing.WAITING, (yes(ANN),), asks=(SECURITY, NETWORK)),
    Row("and both said yes", Standing.APPROVED, (yes(ANN), yes(CY)), asks=(SECURITY, NETWORK)),
    Row("either of two groups", Standing.APPROVED, (yes(CY),), asks=(Signature(("security", "network")),)),
    Row("a revoked approval", Standing.WAITING, (yes(ANN), act(Verb.REVOKE, ANN))),
    Row("nobody revokes another's", Standing.APPROVED, (yes(ANN), act(Verb.REVOKE, BOB))),
    Row("given again after it was revoked", Standing.APPROVED, (yes(ANN), act(Verb.REVOKE, ANN), yes(ANN))),
    Row("one no outweighs another's yes", Standing.REJECTED, (yes(ANN), act(Verb.REJECT, BOB)), why="bob rejected it"),
    Row("a no of someone outside counts for nothing", Standing.APPROVED, (yes(ANN), act(Verb.REJECT, CY))),
    Row("a no that was taken back", Standing.APPROVED, (yes(ANN), act(Verb.REJECT, BOB), act(Verb.REVOKE, BOB))),
    Row("a person changes from no to yes", Standing.APPROVED, (act(Verb.REJECT, ANN), yes(ANN))),
    Row("a no takes back all earlier yeses", Standing.WAITING, (yes(ANN), act(Verb.REJECT, ANN), act(Verb.REVOKE, ANN))),
    Row("a review of this commit", Standing.APPROVED, (yes(ANN, way=Way.REVIEW),)),
    Row("a review of another commit", Standing.WAITING, (yes(ANN, way=Way.REVIEW),), head="h2"),
    Row("given where it was to be merged elsewhere", Standing.WAITING, (yes(ANN),), facts=replace(FACTS, base="refs/heads/main")),
    Row("typed while a new head was being analysed", Standing.LAPSED, (yes(ANN, 5432, head="h1"),), ports=(5432, 22), head="h2"),
]


def guarded(row: Row) -> Guarded:
    return Guarded("into-pci", 3, False, Demand(signatures=row.asks), opening(*row.ports))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_rules_of_sign_off(row: Row) -> None:
    acts = [replace(each, number=number) for number, each in enumerate(row.acts, 1)]
    (ruling,) = decide([guarded(row)], acts, row.facts, row.head).rulings
    assert (ruling.standing, ruling.why) == (row.standing, row.why or ruling.why)


def test_an_approval_of_another_guardrail_is_none_of_this_one() -> None:
    other = replace(yes(ANN), guardrail="elsewhere")
    assert decide([guarded(ROWS[1])], [other], FACTS, "h1").standing is Standing.WAITING


def test_the_worst_standing_is_that_of_the_change() -> None:
    waiting = guarded(ROWS[1])
    blocked = replace(waiting, name="shut", require=Demand(Outcome.BLOCK))
    warned = replace(waiting, name="told", require=Demand(Outcome.WARN))
    assert decide([warned], [], FACTS, "h1").standing is Standing.WARNED
    assert decide([warned, waiting, blocked], [yes(ANN)], FACTS, "h1").standing is Standing.BLOCKED
    assert decide([], [], FACTS, "h1").standing is Standing.NOT_NEEDED


def test_what_cannot_be_judged_cannot_be_approved() -> None:
    unjudged = replace(guarded(ROWS[0]), problem="too many flows")
    assert decide([unjudged], [yes(ANN)], FACTS, "h1").standing is Standing.WAITING


people = st.sampled_from([ANN, BOB, CY, EVE, BOT])
acts = st.lists(
    st.builds(Act, st.just(0), st.sampled_from(Verb), st.sampled_from(Way), people, st.just("g"), flows(), st.sampled_from(["h1", "h2"])),
    max_size=6,
)
signatures = st.lists(
    st.builds(
        Signature, st.lists(st.sampled_from(["security", "network"]), min_size=1, max_size=2).map(tuple), st.just(()), st.integers(1, 2)
    ),
    min_size=1,
    max_size=2,
)


def standing(flows: FlowSet, acts: list[Act], asks: list[Signature]) -> Standing:
    numbered = [replace(act, number=number) for number, act in enumerate(acts, 1)]
    return decide([Guarded("g", 1, False, Demand(signatures=tuple(asks)), flows)], numbered, FACTS, "h1").standing


@given(flows(), flows(), acts, signatures)
def test_more_flows_never_approve(some: FlowSet, more: FlowSet, acts: list[Act], asks: list[Signature]) -> None:
    if not standing(some, acts, asks).passes:
        assert not standing(some | more, acts, asks).passes


@given(flows(), acts, signatures, st.data())
def test_fewer_approvals_never_approve(some: FlowSet, acts: list[Act], asks: list[Signature], data: st.DataObject) -> None:
    approvals = [position for position, act in enumerate(acts) if act.verb is Verb.APPROVE]
    if approvals and not standing(some, acts, asks).passes:
        gone = data.draw(st.sampled_from(approvals))
        assert not standing(some, acts[:gone] + acts[gone + 1 :], asks).passes


@given(flows(), acts, signatures)
def test_the_same_inputs_give_the_same_decision(some: FlowSet, acts: list[Act], asks: list[Signature]) -> None:
    numbered = [replace(act, number=number) for number, act in enumerate(acts, 1)]
    guarded = Guarded("g", 1, False, Demand(signatures=tuple(asks)), some)
    assert decide([guarded], numbered, FACTS, "h1") == decide([guarded], list(reversed(numbered)), FACTS, "h1")

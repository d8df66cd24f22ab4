"""What people said and what follows from it: from guarded flows, acts and facts to a decision that explains itself.

An approval binds to the set of flows that was shown when it was given, and counts as long as the guarded flows are a subset of it. Whoever
takes back an approval, or rejects, has none left; so no act but an approval can turn a waiting guardrail into an approved one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from service.signoff.flows import FlowSet
from service.signoff.guardrails import Outcome, Signature
from service.signoff.matching import Guarded


class Verb(StrEnum):
    """What a person did about a guardrail. A revocation takes back everything that the same person said before."""

    APPROVE = "approve"
    REJECT = "reject"
    REVOKE = "revoke"


class Way(StrEnum):
    """How a person said it. All ways lead through the same function; a review speaks of the commit that was reviewed and of no other."""

    COMMENT = "comment"
    REVIEW = "review"
    BUTTON = "button"
    API = "api"
    PAGE = "page"


class Person(Struct, frozen=True):
    """An account of the forge. `id` is the forge's own number."""

    id: str
    name: str
    bot: bool = False


class Act(Struct, frozen=True):
    """One thing that a person said: `number` is its place in the audit log, which orders acts; `flows` is the set that was shown, `head`
    the commit that it was shown for, and `base` the ref that this was to be merged into."""

    number: int
    verb: Verb
    way: Way
    person: Person
    guardrail: str
    flows: FlowSet
    head: str
    reason: str = ""
    base: str = ""


class Facts(Struct, frozen=True):
    """What the forge says at the time of the decision. `members` holds, for each group that a guardrail names, the ids of those who acted
    and are in it. `strangers` are commit emails that map to no account. `problem` says what could not be found out. `base` is the ref that
    the change is to be merged into."""

    author: str = ""
    contributors: frozenset[str] = frozenset()
    strangers: tuple[str, ...] = ()
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    problem: str = ""
    base: str = ""


class Standing(StrEnum):
    """Where a guardrail stands, from the best to the worst."""

    NOT_NEEDED = "not needed"
    WARNED = "warned"
    APPROVED = "approved"
    WAITING = "waiting"
    LAPSED = "lapsed"
    REJECTED = "rejected"
    BLOCKED = "blocked"

    @property
    def passes(self) -> bool:
        """Whether a merge may go on."""
        return self in (Standing.NOT_NEEDED, Standing.WARNED, Standing.APPROVED)


class Vote(Struct, frozen=True):
    """An act and what it is worth: it counts, or `why` it does not. `beyond` are the guarded flows that an approval does not speak of."""

    act: Act
    why: str = ""
    beyond: FlowSet = FlowSet()

    @property
    def counts(self) -> bool:
        """Whether it has an effect."""
        return not self.why


class Tally(Struct, frozen=True):
    """One signature that is asked for, the votes on it, and how many people are still missing."""

    signature: Signature
    votes: tuple[Vote, ...]
    missing: int


class Ruling(Struct, frozen=True):
    """What became of one guardrail, and why."""

    guarded: Guarded
    standing: Standing
    tallies: tuple[Tally, ...] = ()
    why: str = ""


class Decision(Struct, frozen=True):
    """What became of all of them."""

    rulings: tuple[Ruling, ...]

    @property
    def standing(self) -> Standing:
        """The worst of the standings."""
        order = list(Standing)
        return max((ruling.standing for ruling in self.rulings), key=order.index, default=Standing.NOT_NEEDED)


def decide(guarded: Iterable[Guarded], acts: Sequence[Act], facts: Facts, head: str) -> Decision:
    """Where every guardrail stands for the commit `head`."""
    return Decision(tuple(_ruling(each, [act for act in acts if act.guardrail == each.name], facts, head) for each in guarded))


def _ruling(guarded: Guarded, acts: Sequence[Act], facts: Facts, head: str) -> Ruling:
    if not guarded:
        return Ruling(guarded, Standing.NOT_NEEDED)
    demand = guarded.require
    if demand.outcome is Outcome.BLOCK:
        return Ruling(guarded, Standing.BLOCKED, why=guarded.problem or "nobody can agree to this")
    if not demand.signatures:
        return Ruling(guarded, Standing.WARNED, why=guarded.problem)
    tallies = tuple(_tally(signature, guarded, acts, facts, head) for signature in demand.signatures)
    standing, why = _standing(guarded, tallies, facts)
    return Ruling(guarded, standing, tallies, why)


def _standing(guarded: Guarded, tallies: Sequence[Tally], facts: Facts) -> tuple[Standing, str]:
    votes = [vote for tally in tallies for vote in tally.votes]
    if rejected := next((vote for vote in votes if vote.counts and vote.act.verb is Verb.REJECT), None):
        return Standing.REJECTED, f"{rejected.act.person.name} rejected it"
    if guarded.problem or facts.problem:
        return Standing.WAITING, guarded.problem or facts.problem
    if not any(tally.missing for tally in tallies):
        return Standing.APPROVED, ""
    if lapsed := next((vote for vote in votes if vote.beyond), None):
        return Standing.LAPSED, f"{lapsed.act.person.name} agreed to fewer flows"
    return Standing.WAITING, ""


def _tally(signature: Signature, guarded: Guarded, acts: Sequence[Act], facts: Facts, head: str) -> Tally:
    votes = tuple(_vote(signature, guarded.flows, act, facts, head) for act in _in_force(acts))
    people = {vote.act.person.id for vote in votes if vote.counts and vote.act.verb is Verb.APPROVE}
    return Tally(signature, votes, max(0, signature.count - len(people)))


def _in_force(acts: Sequence[Act]) -> list[Act]:
    """The acts that nothing later took back: a person's approvals stand beside each other until that person rejects or revokes."""
    standing: dict[str, list[Act]] = {}
    for act in sorted(acts, key=lambda act: act.number):
        kept = standing.setdefault(act.person.id, [])
        if act.verb is not Verb.APPROVE or any(each.verb is Verb.REJECT for each in kept):
            kept.clear()
        if act.verb is not Verb.REVOKE:
            kept.append(act)
    return sorted((act for kept in standing.values() for act in kept), key=lambda act: act.number)


def _vote(signature: Signature, flows: FlowSet, act: Act, facts: Facts, head: str) -> Vote:
    why = unfit(signature, act.person, facts)
    if why or act.verb is Verb.REJECT:
        return Vote(act, why)
    if act.base != facts.base:
        return Vote(act, "it was given for another branch to merge into")  # what is harmless in a sandbox is not in production
    if act.way is Way.REVIEW and act.head != head:
        return Vote(act, "the review speaks of another commit")
    beyond = flows - act.flows
    return Vote(act, "it was given for fewer flows" if beyond else "", beyond)


def unfit(signature: Signature, person: Person, facts: Facts) -> str:
    """Why a person's word does not count; empty where it does."""
    if facts.problem:
        return facts.problem
    if person.bot:
        return "a bot is no person"
    if not signature.author and person.id == facts.author:
        return "the author does not count"
    if not signature.contributors and person.id in facts.contributors:
        return "who contributed to the change does not count"
    if not signature.contributors and not signature.unknown_contributors and facts.strangers:
        return f"a commit is by {facts.strangers[0]}, which is no account of the forge"
    named = person.name.lower() in {user.lower() for user in signature.users}  # forges ignore case
    if not named and not any(person.id in facts.members.get(group, ()) for group in signature.groups):
        return "not among those who may"
    return ""

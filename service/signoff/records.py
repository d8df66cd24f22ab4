"""Guarded flows, acts, facts and decisions as JSON: what travels from the analysis, and what the audit log holds so that every decision can
be made again from its record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from analyzers.sets.connections import ConnectionSet
from service.signoff.approvals import Act, Decision, Facts, Person, Ruling, Tally, Verb, Vote, Way
from service.signoff.flows import FlowSet
from service.signoff.guardrails import Condition, Demand, End, Exemption, Outcome, Signature
from service.signoff.matching import Guarded

Json = dict[str, Any]


def guarded_json(guarded: Guarded) -> Json:
    """What a guardrail guards."""
    return {
        "name": guarded.name,
        "line": guarded.line,
        "invariant": guarded.invariant,
        "require": _demand_json(guarded.require),
        "flows": guarded.flows.to_json(),
        "excepted": guarded.excepted.to_json(),
        "expired": [{"line": each.line, "reason": each.reason, "expires": each.expires.isoformat()} for each in guarded.expired],
        "problem": guarded.problem,
    }


def guarded_from(value: Mapping[str, Any]) -> Guarded:
    """What `guarded_json` wrote; of the exceptions that ended only what is shown of them."""
    nowhere = Condition(End(), End(), ConnectionSet())
    ended = (
        Exemption(value["name"], each["line"], nowhere, each["reason"], date.fromisoformat(each["expires"])) for each in value["expired"]
    )
    flows, excepted = (FlowSet.from_json(value[name]) for name in ("flows", "excepted"))
    require = _demand_from(value["require"])
    return Guarded(value["name"], value["line"], value["invariant"], require, flows, excepted, tuple(ended), value["problem"])


def _demand_json(demand: Demand) -> Json:
    signatures = [
        {
            "groups": list(each.groups),
            "users": list(each.users),
            "count": each.count,
            "author": each.author,
            "contributors": each.contributors,
            "unknown_contributors": each.unknown_contributors,
        }
        for each in demand.signatures
    ]
    outcome = None if demand.outcome is None else demand.outcome.value
    return {"outcome": outcome, "signatures": signatures, "labels": list(demand.labels), "notify": list(demand.notify)}


def _demand_from(value: Mapping[str, Any]) -> Demand:
    signatures = (Signature(**{**each, "groups": tuple(each["groups"]), "users": tuple(each["users"])}) for each in value["signatures"])
    outcome = None if value["outcome"] is None else Outcome(value["outcome"])
    return Demand(outcome, tuple(signatures), tuple(value["labels"]), tuple(value["notify"]))


def person_json(person: Person) -> Json:
    """An account."""
    return {"id": person.id, "name": person.name, "bot": person.bot}


def act_json(act: Act, flows: str) -> Json:
    """What a person said; `flows` is the address of the set that was shown."""
    return {
        "verb": act.verb.value,
        "way": act.way.value,
        "person": person_json(act.person),
        "guardrail": act.guardrail,
        "flows": flows,
        "head": act.head,
        "base": act.base,
        "reason": act.reason,
    }


def act_from(number: int, value: Mapping[str, Any], flows: FlowSet) -> Act:
    """The act of an audit row, with the set of flows that its address holds."""
    verb, way, person = Verb(value["verb"]), Way(value["way"]), Person(**value["person"])
    return Act(number, verb, way, person, value["guardrail"], flows, value["head"], value["reason"], value["base"])


def facts_json(facts: Facts) -> Json:
    """What the forge said."""
    return {
        "author": facts.author,
        "contributors": sorted(facts.contributors),
        "strangers": list(facts.strangers),
        "members": {group: sorted(ids) for group, ids in facts.members.items()},
        "problem": facts.problem,
        "base": facts.base,
    }


def facts_from(value: Mapping[str, Any]) -> Facts:
    """What `facts_json` wrote."""
    members = {group: frozenset(ids) for group, ids in value["members"].items()}
    return Facts(value["author"], frozenset(value["contributors"]), tuple(value["strangers"]), members, value["problem"], value["base"])


def decision_json(decision: Decision) -> Json:
    """What became of every guardrail, and why: the explained tree."""
    return {"standing": decision.standing.value, "rulings": [_ruling_json(ruling) for ruling in decision.rulings]}


def _ruling_json(ruling: Ruling) -> Json:
    return {
        "guardrail": ruling.guarded.name,
        "standing": ruling.standing.value,
        "why": ruling.why,
        "flows": ruling.guarded.flows.digest if ruling.guarded.flows else "",
        "signatures": [_tally_json(tally) for tally in ruling.tallies],
    }


def _tally_json(tally: Tally) -> Json:
    return {"missing": tally.missing, "votes": [_vote_json(vote) for vote in tally.votes]}


def _vote_json(vote: Vote) -> Json:
    said = {"act": vote.act.number, "person": person_json(vote.act.person), "verb": vote.act.verb.value}
    return {**said, "counts": vote.counts, "why": vote.why, "beyond": vote.beyond.to_json()}

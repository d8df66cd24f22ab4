"""The sign-off section of the comment, and its one line for the check: which guardrails ask for what, who agreed, what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from analyzers.reports.markdown_inline import code, prose
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock
from service.signoff.approvals import Decision, Ruling, Standing, Tally, Verb, Vote
from service.signoff.flows import OUTSIDE, Cell, Certainty, Change, FlowSet, Route
from service.signoff.guardrails import Signature

DIGEST_LENGTH: Final = 12
"""How much of the digest of a flow set a person types: enough that nobody agrees to another set by accident."""
MOST_FLOWS: Final = 10
"""Flows of one guardrail that are listed."""

_HEADINGS = {
    Standing.NOT_NEEDED: "no guardrail asks for anything",
    Standing.WARNED: "a guardrail warns",
    Standing.APPROVED: "approved",
    Standing.WAITING: "waiting for approval",
    Standing.LAPSED: "an approval lapsed",
    Standing.REJECTED: "rejected",
    Standing.BLOCKED: "blocked by a guardrail",
}
_UNHEARD = "to agree: approve this commit in a review, and have the job run again; it hears no comments"
_VERBS = {Change.OPENED: "opens", Change.CLOSED: "closes", Change.PRESENT: "is open", Change.MISSING: "is missing"}


def line(decision: Decision) -> str:
    """What the check says about sign-off; empty where nothing was guarded."""
    asked = [ruling for ruling in decision.rulings if ruling.standing is not Standing.NOT_NEEDED]
    worst = [ruling.guarded.name for ruling in asked if ruling.standing is decision.standing]
    return f"{_HEADINGS[decision.standing]}: {', '.join(worst)}" if worst else ""


def section(decision: Decision, most: int = MOST_FLOWS, *, heard: bool = True) -> str:
    """The section as Markdown, with so many flows of each guardrail; empty where nothing was guarded. `heard` says whether anyone hears
    comments: of a CI job nobody does."""
    asked = [ruling for ruling in decision.rulings if ruling.standing is not Standing.NOT_NEEDED or ruling.guarded.excepted]
    if not asked:
        return ""
    parts = [f"**Sign-off: {_HEADINGS[decision.standing]}**\n", *(_ruling(ruling, most, heard) for ruling in asked)]
    return "\n".join(parts)


def shown_digest(flows: FlowSet) -> str:
    """What a person types to agree to a set of flows."""
    return flows.digest[:DIGEST_LENGTH]


def pressed(guardrail: str, digest: str) -> str:
    """What a button sends: it stands for one guardrail and the whole digest of one set of flows."""
    return f"approve:{hashlib.sha256(f'{guardrail}:{digest}'.encode()).hexdigest()[:DIGEST_LENGTH]}"


def flows_listed(flows: FlowSet, most: int = MOST_FLOWS) -> Iterator[str]:
    """The flows, one a line, and how many more there are."""
    seen = _seen(flows)
    for position, (route, cell, note) in enumerate(seen):
        if position == most:
            yield f"and {len(seen) - most:,} more"
            return
        yield _flow(route, cell, note)


def _ruling(ruling: Ruling, most: int, heard: bool) -> str:
    guarded = ruling.guarded
    kind = "invariant" if guarded.invariant else "guardrail"
    lines = [f"- {kind} {code(guarded.name)}: **{ruling.standing.value}**{_because(ruling)}"]
    lines += [f"  - {each}" for each in flows_listed(guarded.flows, most)]
    lines += [f"  - let pass by an exception: {each}" for each in flows_listed(guarded.excepted, min(most, 3))]
    lines += [f"  - an exception ended on {each.expires.isoformat()}: {prose(each.reason)}" for each in guarded.expired]
    lines += [f"  - {each}" for tally in ruling.tallies for each in _tally(tally)]
    if ruling.standing in (Standing.WAITING, Standing.LAPSED, Standing.REJECTED) and guarded.flows and not guarded.problem:
        command = f"to agree to exactly these flows: `/flowdelta approve {guarded.name} {shown_digest(guarded.flows)}`"
        lines.append(f"  - {command if heard else _UNHEARD}")
    return "\n".join(lines) + "\n"


def _because(ruling: Ruling) -> str:
    return f": {prose(ruling.why)}" if ruling.why else ""


def _tally(tally: Tally) -> Iterator[str]:
    if tally.missing:
        yield f"{tally.missing} of {_who(tally.signature)} must still agree"
    for vote in tally.votes:
        yield _vote(vote)


def _vote(vote: Vote) -> str:
    verb = "rejected" if vote.act.verb is Verb.REJECT else "agreed"
    said = f"{code(vote.act.person.name)} {verb}"
    if vote.beyond:
        first = next(flows_listed(vote.beyond, 1))
        more = len(_seen(vote.beyond)) - 1
        return f"{said} to fewer flows; not to {first}{f' and {more:,} more' if more else ''}"
    return said if vote.counts else f"{said}, which does not count: {prose(vote.why)}"


def _who(signature: Signature) -> str:
    names = [f"group {code(group)}" for group in signature.groups] + [code(user) for user in signature.users]
    return " or ".join(names)


def _seen(flows: FlowSet) -> list[tuple[Route, Cell, str]]:
    """The flows as people count them: a flow that is allowed for certain is one, not two."""
    certain = {_ends(route): cells for route, cells in flows.routes if route.certainty is Certainty.ALLOWED}
    maybe = {_ends(route): cells for route, cells in flows.routes if route.certainty is Certainty.MAY}
    found = []
    for route, cells in flows.routes:
        other = (maybe if route.certainty is Certainty.ALLOWED else certain).get(_ends(route))
        if route.certainty is Certainty.ALLOWED and other is not None:
            continue
        note = " for certain" if route.certainty is Certainty.ALLOWED and route.change is not Change.MISSING else ""
        if route.certainty is Certainty.MAY and other != cells:
            note = ", in part only perhaps" if other else ", perhaps"
        found += [(route, cell, note) for cell in cells]
    return found


def _ends(route: Route) -> tuple[str, ...]:
    return route.change, route.cluster, route.source, route.destination, str(route.family)


def _flow(route: Route, cell: Cell, note: str) -> str:
    addresses, connections = cell
    source, destination = (_end(end, route.family, addresses) for end in (route.source, route.destination))
    where = f"in cluster {code(route.cluster)}, " if route.cluster else ""
    return f"{where}{source} → {destination} {_VERBS[route.change]} on {connections}{note}"


def _end(end: str, family: int, addresses: IntervalSet) -> str:
    return f"outside ({code(IPBlock(Family(family), addresses).name())})" if end == OUTSIDE else code(end)

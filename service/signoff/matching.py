"""From the flows of an analysis to the flows that each guardrail guards: pure, one pass over the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Final

from analyzers.sets.connections import ConnectionSet
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock
from service.signoff.flows import OUTSIDE, Certainty, Change, FlowSet, Route, between
from service.signoff.guardrails import Condition, Demand, End, Exemption, Guardrail, Guardrails, Invariant, Law
from service.signoff.zones import Party, share

MOST_ROUTES: Final = 50_000
"""Nobody can read more guarded routes than this, let alone agree to them: such a guardrail is met by a smaller change only."""

Layers = Mapping[tuple[Change, Certainty], ConnectionSet]
_Flow = tuple[Route, IntervalSet, ConnectionSet]
_Part = tuple[Party, IntervalSet]
_NOTHING = FlowSet()
_NONE = ConnectionSet()


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One ordered pair of an analysis: the connections of each kind of change and certainty."""

    source: Party
    destination: Party
    layers: Layers


@dataclass(frozen=True, slots=True)
class Guarded:
    """What a guardrail or an invariant has to say of one change: `flows` are those that count, `excepted` those that an exception lets
    pass, `expired` the exceptions that would have. `problem` says what keeps it from being judged at all, which counts like a flow that
    nobody can agree to."""

    name: str
    line: int
    invariant: bool
    require: Demand
    flows: FlowSet
    excepted: FlowSet = _NOTHING
    expired: tuple[Exemption, ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        """Whether it asks for anything."""
        return bool(self.flows or self.problem)


def changed(base: ConnectionSet, head: ConnectionSet, opened: ConnectionSet, closed: ConnectionSet, may: ConnectionSet) -> Layers:
    """The layers of a row of a diff, from its members in the contract: a port that may be and becomes allowed gains certainty only."""
    return {
        (Change.OPENED, Certainty.MAY): opened - base,
        (Change.OPENED, Certainty.ALLOWED): (opened & base) | (opened - base - may),
        (Change.CLOSED, Certainty.MAY): closed - head,
        (Change.CLOSED, Certainty.ALLOWED): (closed & head) | (closed - head - may),
    }


def present(connections: ConnectionSet, may: ConnectionSet) -> Layers:
    """The layers of a row of a matrix."""
    return {(Change.PRESENT, Certainty.MAY): connections, (Change.PRESENT, Certainty.ALLOWED): connections - may}


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What is judged: the file, the flows of one cluster (`rows` of a diff, or of the matrix of head), every endpoint of the cluster by id,
    and the day."""

    rules: Guardrails
    rows: Sequence[Row]
    parties: Mapping[str, Party]
    cluster: str
    today: date


def guarded(case: Case) -> Iterator[Guarded]:
    """What each guardrail guards of the rows of a diff, in the order of the file; one without a flow is there too."""
    for rule in case.rules.guardrails:
        yield _judged(case, Guarded(rule.name, rule.line, False, rule.require, _NOTHING), _triggered(case, rule))


def upheld(case: Case) -> Iterator[Guarded]:
    """What breaks each invariant in the revision whose matrix the rows are."""
    for rule in case.rules.invariants:
        blank = Guarded(rule.name, rule.line, True, rule.require, _NOTHING)
        if rule.law is Law.NEVER:
            yield _judged(case, blank, _there(case, rule))
            continue
        required = list(islice(_required(case, rule), MOST_ROUTES + 1))
        if not required:
            yield replace(blank, problem="nothing is in its zones, so that it cannot hold")
        elif len(required) > MOST_ROUTES:
            yield replace(blank, problem=f"it asks for more than {MOST_ROUTES:,} flows, which is more than is checked; name smaller zones")
        else:
            there = ((replace(route, change=Change.MISSING), part, ports) for route, part, ports in _there(case, rule))
            yield _judged(case, blank, _flows(FlowSet.of(required) - FlowSet.of(there)))


def _triggered(case: Case, rule: Guardrail) -> Iterator[_Flow]:
    for when in rule.when:
        for row in case.rows:
            yield from _matching(row, when.condition, when.change, when.certainty, case.cluster)


def _there(case: Case, rule: Invariant) -> Iterator[_Flow]:
    for row in case.rows:
        yield from _matching(row, rule.condition, Change.PRESENT, rule.certainty, case.cluster)


def _judged(case: Case, blank: Guarded, flows: Iterable[_Flow]) -> Guarded:
    """The flows as a set, less what exceptions let pass."""
    listed = list(islice(flows, MOST_ROUTES + 1))
    if len(listed) > MOST_ROUTES:
        return replace(blank, problem=f"it guards more than {MOST_ROUTES:,} flows of this change, which is more than anyone can agree to")
    found = FlowSet.of(listed)
    excepted = [(each, FlowSet.of(_exempt(each, found, case.parties))) for each in case.rules.exceptions if each.guardrail == blank.name]
    valid = FlowSet.of(flow for each, flows in excepted if each.expires >= case.today for flow in _flows(flows))
    expired = tuple(each for each, flows in excepted if each.expires < case.today and flows)
    return replace(blank, flows=found - valid, excepted=valid, expired=expired)


def _flows(flows: FlowSet) -> Iterator[_Flow]:
    return ((route, *cell) for route, cells in flows.routes for cell in cells)


def _matching(row: Row, condition: Condition, change: Change, least: Certainty, cluster: str) -> Iterator[_Flow]:
    """The flows of a row that a condition means."""
    wanted = (Certainty.ALLOWED,) if least is Certainty.ALLOWED else tuple(Certainty)
    layers = [(certainty, row.layers.get((change, certainty), _NONE) & condition.ports) for certainty in wanted]
    if not any(connections for _, connections in layers):
        return
    source, destination = share(condition.source, row.source), share(condition.destination, row.destination)
    if source and destination:
        for certainty, connections in layers:
            if connections:
                yield _flow(change, cluster, certainty, (row.source, source), (row.destination, destination), connections)


def _required(case: Case, rule: Invariant) -> Iterator[_Flow]:
    """The flows that must be there."""
    condition = rule.condition
    sources, destinations = (list(_meant(end, case.parties)) for end in (condition.source, condition.destination))
    for source, part in sources:
        for destination, other in destinations:
            if source.id != destination.id and (source.block is None or destination.block is None):
                yield _flow(Change.MISSING, case.cluster, rule.certainty, (source, part), (destination, other), condition.ports)


def _meant(end: End, parties: Mapping[str, Party]) -> Iterator[tuple[Party, IntervalSet]]:
    """The parties that an end means: those of the cluster, and the addresses of its zones."""
    blocks = (Party(OUTSIDE, block=block) for zone in end.zones for block in zone.blocks or ())
    return ((party, part) for party in (*parties.values(), *blocks) if party.block is None or end.zones if (part := share(end, party)))


def _flow(change: Change, cluster: str, certainty: Certainty, one: _Part, other: _Part, connections: ConnectionSet) -> _Flow:
    (source, here), (destination, there) = one, other
    family, _ = between(source.block or destination.block)
    ends = [OUTSIDE if party.block is not None else party.id for party in (source, destination)]
    return Route(change, cluster, ends[0], ends[1], certainty, family), here if source.block is not None else there, connections


def _exempt(each: Exemption, flows: FlowSet, parties: Mapping[str, Party]) -> Iterator[_Flow]:
    """The part of a set of flows that an exception speaks of."""
    for route, cells in flows.routes:
        for addresses, connections in cells:
            outside = Party(OUTSIDE, block=IPBlock(Family(route.family), addresses)) if route.family else None
            source, destination = (outside if end == OUTSIDE else parties[end] for end in (route.source, route.destination))
            assert source is not None
            assert destination is not None
            here, there = share(each.condition.source, source), share(each.condition.destination, destination)
            if here and there:
                yield route, here if source.block is not None else there, connections & each.condition.ports

"""From the flows of an analysis to the flows that each guardrail guards: pure, one pass over the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from analyzers.sets.connections import ConnectionSet
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock
from service.signoff.flows import OUTSIDE, Certainty, Change, FlowSet, Route, between
from service.signoff.guardrails import Demand, End, Exemption, Guardrails, Invariant, Law, Trigger
from service.signoff.zones import Party, share, sure_share

MOST_FLOWS: Final = 50_000
"""Nobody can read more guarded flows than this, let alone agree to them: such a guardrail is met by a smaller change only."""

NOBODY_THERE: Final = "nothing is in its zones, so that it cannot hold"

Layers = Mapping[tuple[Change, Certainty], ConnectionSet]
_Flow = tuple[Route, IntervalSet, ConnectionSet]
_Part = tuple[Party, IntervalSet]
_NOTHING = FlowSet()
_NONE = ConnectionSet()


class Row(Struct, frozen=True, eq=False):
    """One ordered pair of an analysis: the connections of each kind of change and certainty."""

    source: Party
    destination: Party
    layers: Layers


class Guarded(Struct, frozen=True):
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


_BLANK = Guarded("", 0, False, Demand(), _NOTHING)


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


class Case(Struct, frozen=True, eq=False):
    """What is judged: the file, the flows of one cluster (`rows` of a diff, or of the matrix of head; they are gone through once), every
    endpoint by id, and the day."""

    rules: Guardrails
    rows: Iterable[Row]
    parties: Mapping[str, Party]
    cluster: str
    today: date


class _Watch:
    """Gathers the flows of some triggers while the rows pass by."""

    def __init__(self, triggers: Sequence[Trigger], cluster: str) -> None:
        self.flows: list[_Flow] = []
        self._triggers, self._cluster = triggers, cluster
        self._shares: dict[tuple[int, str], IntervalSet] = {}

    @property
    def overflows(self) -> bool:
        """Whether there is more than can be listed; nothing is gathered any more then."""
        return len(self.flows) > MOST_FLOWS

    def take(self, row: Row) -> None:
        """Look at one row."""
        if not self.overflows:
            self.flows += (flow for trigger in self._triggers for flow in self._matching(trigger, row))

    def _matching(self, trigger: Trigger, row: Row) -> Iterator[_Flow]:
        wanted = (Certainty.ALLOWED,) if trigger.certainty is Certainty.ALLOWED else tuple(Certainty)
        layers = [(certainty, row.layers.get((trigger.change, certainty), _NONE) & trigger.condition.ports) for certainty in wanted]
        if not any(connections for _, connections in layers):
            return
        here, there = self._share(trigger.condition.source, row.source), self._share(trigger.condition.destination, row.destination)
        if here and there:
            for certainty, connections in layers:
                if connections:
                    yield flow_of(trigger.change, self._cluster, certainty, (row.source, here), (row.destination, there), connections)

    def _share(self, end: End, party: Party) -> IntervalSet:
        """See `share`; an endpoint stands in many rows."""
        key = (id(end), party.id)
        if key not in self._shares:
            self._shares[key] = share(end, party)
        return self._shares[key]


def guarded(case: Case) -> Iterator[Guarded]:
    """What each guardrail guards of the rows of a diff, in the order of the file; one without a flow is there too."""
    watches = [_Watch(rule.when, case.cluster) for rule in case.rules.guardrails]
    _pass(case.rows, watches)
    for rule, watch in zip(case.rules.guardrails, watches, strict=True):
        yield _judged(case, Guarded(rule.name, rule.line, False, rule.require, _NOTHING), watch)


def upheld(case: Case) -> Iterator[Guarded]:
    """What breaks each invariant in the revision whose matrix the rows are."""
    watches = [_Watch([Trigger(Change.PRESENT, rule.condition, rule.certainty)], case.cluster) for rule in case.rules.invariants]
    _pass(case.rows, watches)
    for rule, watch in zip(case.rules.invariants, watches, strict=True):
        blank = Guarded(rule.name, rule.line, True, rule.require, _NOTHING)
        yield _judged(case, blank, watch) if rule.law is Law.NEVER else _always(case, rule, blank, watch)


def _pass(rows: Iterable[Row], watches: Sequence[_Watch]) -> None:
    for row in rows if watches else ():
        for watch in watches:
            watch.take(row)


def _always(case: Case, rule: Invariant, blank: Guarded, watch: _Watch) -> Guarded:
    """What must be there and is not."""
    required = list(islice(_required(case, rule), MOST_FLOWS + 1))
    if not required:
        return replace(blank, problem=NOBODY_THERE)
    if len(required) > MOST_FLOWS or watch.overflows:
        return replace(blank, problem=f"it asks for more than {MOST_FLOWS:,} flows, which is more than is checked; name smaller zones")
    there = FlowSet.of((replace(route, change=Change.MISSING), part, ports) for route, part, ports in watch.flows)
    watch.flows = list(_flows(FlowSet.of(required) - there))
    return _judged(case, blank, watch)


def let_pass(case: Case, name: str, found: FlowSet, blank: Guarded = _BLANK) -> Guarded:
    """What is left of the flows of a rule when exceptions have let theirs pass."""
    excepted = [(each, FlowSet.of(_exempt(each, found, case.parties))) for each in case.rules.exceptions if each.guardrail == name]
    valid = FlowSet.of(flow for each, flows in excepted if each.expires >= case.today for flow in _flows(flows))
    expired = tuple(each for each, flows in excepted if each.expires < case.today and flows)
    return replace(blank, flows=found - valid, excepted=valid, expired=expired)


def _judged(case: Case, blank: Guarded, watch: _Watch) -> Guarded:
    """The flows as a set, less what exceptions let pass."""
    if watch.overflows:
        return replace(blank, problem=f"it guards more than {MOST_FLOWS:,} flows of this change, which is more than anyone can agree to")
    return let_pass(case, blank.name, FlowSet.of(watch.flows), blank)


def _flows(flows: FlowSet) -> Iterator[_Flow]:
    return ((route, *cell) for route, cells in flows.routes for cell in cells)


def _required(case: Case, rule: Invariant) -> Iterator[_Flow]:
    """The flows that must be there."""
    condition = rule.condition
    sources, destinations = (list(_meant(end, case.parties)) for end in (condition.source, condition.destination))
    for source, part in sources:
        for destination, other in destinations:
            if source.id != destination.id and (source.block is None or destination.block is None):
                yield flow_of(Change.MISSING, case.cluster, rule.certainty, (source, part), (destination, other), condition.ports)


def _meant(end: End, parties: Mapping[str, Party]) -> Iterator[tuple[Party, IntervalSet]]:
    """The parties that an end means: those of the cluster, and the addresses of its zones."""
    blocks = (Party(OUTSIDE, block=block) for zone in end.zones for block in zone.blocks or ())
    return ((party, part) for party in (*parties.values(), *blocks) if party.block is None or end.zones if (part := share(end, party)))


def flow_of(change: Change, cluster: str, certainty: Certainty, one: _Part, other: _Part, connections: ConnectionSet) -> _Flow:
    """The part of a flow set that runs between the given parts of two parties."""
    (source, here), (destination, there) = one, other
    family, _ = between(source.block or destination.block)
    ends = [OUTSIDE if party.block is not None else party.id for party in (source, destination)]
    return Route(change, cluster, ends[0], ends[1], certainty, family), here if source.block is not None else there, connections


def _exempt(each: Exemption, flows: FlowSet, parties: Mapping[str, Party]) -> Iterator[_Flow]:
    """The part of a set of flows that an exception surely speaks of."""
    for route, cells in flows.routes:
        for addresses, connections in cells:
            outside = Party(OUTSIDE, block=IPBlock(Family(route.family), addresses)) if route.family else None
            source, destination = (outside if end == OUTSIDE else parties[end] for end in (route.source, route.destination))
            assert source is not None
            assert destination is not None
            here, there = sure_share(each.condition.source, source), sure_share(each.condition.destination, destination)
            if here and there:
                yield route, here if source.block is not None else there, connections & each.condition.ports

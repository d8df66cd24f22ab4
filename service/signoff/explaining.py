"""Why a rule matches what it matches: how many flows are left after each of its conditions, and which fell out there. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from analyzers.sets.connections import ConnectionSet
from analyzers.sets.intervals import IntervalSet
from service.signoff.flows import Certainty, Change, FlowSet, Route, between
from service.signoff.guardrails import End, Guardrail, Guardrails, Invariant, Law, Trigger, Zone
from service.signoff.matching import Case, Row, flow_of, let_pass
from service.signoff.wording import flows_listed
from service.signoff.zones import Party, share

EXAMPLES: Final = 3
"""Flows that are shown of those that fell out at one step."""


class Step(Struct, frozen=True):
    """One condition: what it is, how many flows are left after it, and the first of those that it left out, with why."""

    condition: str
    left: int
    fallen: tuple[str, ...] = ()


class Explanation(Struct, frozen=True):
    """One trigger of a rule, condition by condition. A flow here is what one pair of endpoints has."""

    about: str
    steps: tuple[Step, ...]


class _Held(Struct, frozen=True):
    """What is left of a row: addresses of either end, and connections of each certainty."""

    row: Row
    source: IntervalSet
    destination: IntervalSet
    layers: tuple[tuple[Certainty, ConnectionSet], ...]

    def __bool__(self) -> bool:
        return bool(self.source and self.destination and any(connections for _, connections in self.layers))


class _Condition(Struct, frozen=True):
    """A condition as it is written, what it leaves of a row, and why it leaves nothing."""

    text: str
    keep: Callable[[_Held], _Held]
    why: Callable[[_Held], str]


def find(rules: Guardrails, name: str) -> Guardrail | Invariant | None:
    """The rule of a name."""
    return next((rule for rule in rules.rules if rule.name == name), None)


def explained(case: Case, rule: Guardrail | Invariant) -> tuple[Explanation, ...]:
    """Each trigger of a rule. The rows of the case are those of a diff for a guardrail, and of head's matrix for an invariant."""
    rows = tuple(case.rows)
    if isinstance(rule, Guardrail):
        return tuple(_explained(case, rows, rule.name, trigger, f"when {trigger.change.value}") for trigger in rule.when)
    about = "must never be there" if rule.law is Law.NEVER else "must be there"
    return (_explained(case, rows, rule.name, Trigger(Change.PRESENT, rule.condition, rule.certainty), about),)


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """It as JSON."""
    steps = [{"condition": step.condition, "left": step.left, "fallen": list(step.fallen)} for step in explanation.steps]
    return {"about": explanation.about, "steps": steps}


def lines(explanation: Explanation) -> Iterator[str]:
    """It as text, one step a line, what fell out below."""
    yield f"{explanation.about}:"
    for step in explanation.steps:
        yield f"  {step.left:,} left after {step.condition}"
        yield from (f"    left out: {each}" for each in step.fallen)


def _explained(case: Case, rows: Sequence[Row], name: str, trigger: Trigger, about: str) -> Explanation:
    held = [_Held(row, _whole(row.source), _whole(row.destination), _all(row)) for row in rows]
    steps = [Step("nothing: every flow of the comparison", len(held))]
    for condition in _conditions(trigger):
        kept = [(before, condition.keep(before)) for before in held]
        fallen = (f"{_shown(case, trigger, before)}: {condition.why(before)}" for before, after in kept if not after)
        steps.append(Step(condition.text, sum(1 for _, after in kept if after), tuple(_first(fallen))))
        held = [after for _, after in kept if after]
    steps.append(_exceptions(case, name, trigger, held))
    return Explanation(about, tuple(steps))


def _conditions(trigger: Trigger) -> Iterator[_Condition]:
    """The conditions of a trigger, in the order in which they are told."""
    condition = trigger.condition
    yield _Condition(f"the change: {trigger.change.value}", lambda held: _of_change(held, trigger), lambda _: f"it is not {trigger.change}")
    certainty = trigger.certainty
    yield _Condition(f"certainty: {certainty}", lambda held: _certain(held, certainty), lambda _: "it only may be, and is not certain")
    ports = condition.ports
    yield _Condition(f"ports: {ports}", lambda held: _on(held, ports), lambda held: f"it is on {_connections(held)} alone")
    for field, end, is_source in (("from", condition.source, True), ("to", condition.destination, False)):
        inside = replace(end, beside=())
        yield _Condition(
            f"{field}: {_names(end.zones) or 'anywhere'}", _within(inside, is_source), _outside(is_source, "is not in", end.zones, end)
        )
        if end.beside:
            yield _Condition(f"not_{field}: {_names(end.beside)}", _within(end, is_source), _outside(is_source, "is in", end.beside, end))


def _of_change(held: _Held, trigger: Trigger) -> _Held:
    found = ((certainty, held.row.layers.get((trigger.change, certainty), ConnectionSet())) for certainty in Certainty)
    return replace(held, layers=tuple(found))


def _certain(held: _Held, least: Certainty) -> _Held:
    wanted = (Certainty.ALLOWED,) if least is Certainty.ALLOWED else tuple(Certainty)
    return replace(held, layers=tuple(layer for layer in held.layers if layer[0] in wanted))


def _on(held: _Held, ports: ConnectionSet) -> _Held:
    return replace(held, layers=tuple((certainty, connections & ports) for certainty, connections in held.layers))


def _within(end: End, is_source: bool) -> Callable[[_Held], _Held]:
    def keep(held: _Held) -> _Held:
        if is_source:
            return replace(held, source=held.source & share(end, held.row.source))
        return replace(held, destination=held.destination & share(end, held.row.destination))

    return keep


def _outside(is_source: bool, verb: str, zones: Sequence[Zone], end: End) -> Callable[[_Held], str]:
    def why(held: _Held) -> str:
        party = held.row.source if is_source else held.row.destination
        return f"{party.id} {verb} {_names(zones) or end.endpoint}"

    return why


def _exceptions(case: Case, name: str, trigger: Trigger, held: Sequence[_Held]) -> Step:
    """The last step: what no exception that still holds lets pass."""
    left = 0
    fallen: list[str] = []
    for each in held:
        judged = let_pass(case, name, FlowSet.of(_flows(case, trigger, each)))
        left += bool(judged.flows)
        if judged.excepted and len(fallen) < EXAMPLES:
            reasons = ", ".join(one.reason for one in case.rules.exceptions if one.guardrail == name and one.expires >= case.today)
            fallen.append(f"{next(flows_listed(judged.excepted, 1))}: let pass by an exception ({reasons})")
    return Step("exceptions", left, tuple(fallen))


def _flows(case: Case, trigger: Trigger, held: _Held) -> Iterator[tuple[Route, IntervalSet, ConnectionSet]]:
    for certainty, connections in held.layers:
        ends = (held.row.source, held.source), (held.row.destination, held.destination)
        yield flow_of(trigger.change, case.cluster, certainty, *ends, connections)


def _shown(case: Case, trigger: Trigger, held: _Held) -> str:
    """A flow before the condition that left it out, in the words of the comment."""
    change = next((change for (change, _), connections in held.row.layers.items() if connections), trigger.change)
    shown = FlowSet.of(_flows(case, replace(trigger, change=change), held))
    return next(flows_listed(shown, 1), f"{held.row.source.id} → {held.row.destination.id}")


def _first(texts: Iterator[str]) -> Iterator[str]:
    for _, text in zip(range(EXAMPLES), texts, strict=False):
        yield text


def _whole(party: Party) -> IntervalSet:
    return between(party.block)[1]


def _all(row: Row) -> tuple[tuple[Certainty, ConnectionSet], ...]:
    return tuple((certainty, connections) for (_, certainty), connections in row.layers.items())


def _connections(held: _Held) -> ConnectionSet:
    found = ConnectionSet()
    for _, connections in held.layers:
        found = found | connections
    return found


def _names(zones: Sequence[Zone]) -> str:
    return " or ".join(zone.name for zone in zones)

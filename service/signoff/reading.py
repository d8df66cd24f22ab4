"""Reads guardrails from a parsed .flowdelta.yaml. Every mistake is an `InvalidObject` with its field and line: a rule that is not
understood must not become a rule that does not hold."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final

from analyzers.model.manifest import Field
from analyzers.model.metadata import read_port_number, read_selector
from analyzers.model.selectors import LabelSelector
from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock, parse_cidr
from service.signoff.flows import Certainty, Change
from service.signoff.guardrails import (
    EVERYTHING,
    Condition,
    Demand,
    End,
    Exemption,
    Guardrail,
    Guardrails,
    Invariant,
    Law,
    Outcome,
    Signature,
    Trigger,
    Zone,
)

SECTIONS: Final = ("zones", "guardrails", "exceptions", "invariants")
"""The top-level fields that this module reads."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(TCP|UDP|SCTP))?")
_WHO = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,98}[A-Za-z0-9_-])?")
_CONDITION: Final = ("from", "to", "not_from", "not_to", "ports")


def read_guardrails(root: Field, source: str) -> Guardrails:
    """The guardrails of a file whose top level is `root`; `source` is the digest of its text. Raises `InvalidObject`."""
    zones: dict[str, Zone] = {}
    for name, field in root["zones"].fields():
        zones[_name(field, name)] = _zone(name, field)
    reader = _Reader(zones)
    guardrails = tuple(reader.guardrail(field) for field in root["guardrails"].items())
    invariants = tuple(reader.invariant(field) for field in root["invariants"].items())
    known = _distinct((*guardrails, *invariants), root)
    exceptions = tuple(reader.exemption(field, known) for field in root["exceptions"].items())
    return Guardrails(source, zones, guardrails, invariants, exceptions)


def _distinct(rules: Iterable[Guardrail | Invariant], root: Field) -> set[str]:
    names: set[str] = set()
    for rule in rules:
        if rule.name in names:
            raise Field(None, "guardrails", rule.line).fail(f"the name {rule.name!r} is used twice")
        names.add(rule.name)
    return names


def _name(field: Field, text: str) -> str:
    if not _NAME.fullmatch(text):
        raise field.fail(f"{text!r} is no name: at most 63 of a-z, 0-9 and -")
    return text


def _zone(name: str, field: Field) -> Zone:
    field.only("namespaces", "pods", "external", "cidrs")
    inside, outside = bool(field["namespaces"] or field["pods"]), bool(field["external"] or field["cidrs"])
    if inside is outside:
        raise field.fail("must have either namespaces or pods, or else external: true or cidrs")
    if outside:
        return _outside(name, field)
    names, namespaces = _namespaces(field["namespaces"])
    return Zone(name, field.line, names, namespaces, read_selector(field["pods"]))


def _namespaces(field: Field) -> tuple[frozenset[str] | None, LabelSelector]:
    """Names, where any are given, and a selector; a namespace must meet both."""
    field.only("matchNames", "matchLabels", "matchExpressions")
    if not field["matchNames"]:
        return None, read_selector(field)
    names = frozenset(each.text() for each in field["matchNames"].items())
    if not names:
        raise field["matchNames"].fail("must name at least one namespace")
    return names, read_selector(field) if field["matchLabels"] or field["matchExpressions"] else EVERYTHING


def _outside(name: str, field: Field) -> Zone:
    if field["external"]:
        if not field["external"].flag() or field["cidrs"]:
            raise field["external"].fail("must be true, without cidrs beside it")
        everything = tuple(IPBlock(family, family.everything) for family in Family)
        return Zone(name, field.line, blocks=everything, through_controllers=True)
    spans: dict[Family, list[tuple[int, int]]] = {}
    for each in field["cidrs"].items():
        try:
            family, span, masked = parse_cidr(each.text())
        except ValueError as error:
            raise each.fail(str(error)) from error
        if masked:
            raise each.fail(f"{each.text()} has host bits set")
        spans.setdefault(family, []).append(span)
    if not spans:
        raise field["cidrs"].fail("must hold at least one CIDR")
    return Zone(name, field.line, blocks=tuple(IPBlock(family, IntervalSet.of(spans[family])) for family in sorted(spans)))


class _Reader:
    """Reads what speaks of zones."""

    def __init__(self, zones: Mapping[str, Zone]) -> None:
        self.zones = zones

    def guardrail(self, field: Field) -> Guardrail:
        """One guardrail."""
        field.only("name", "when", "require")
        field["when"].only(Change.OPENED.value, Change.CLOSED.value)
        when = tuple(self.trigger(Change(name), each) for name, each in field["when"].fields())
        if not when:
            raise field["when"].fail("must say opened or closed")
        return Guardrail(_name(field["name"], field["name"].text()), field.line, when, _demand(field["require"]))

    def trigger(self, change: Change, field: Field) -> Trigger:
        """What opened or closed; an empty condition means every flow."""
        field.only(*_CONDITION, "certainty")
        return Trigger(change, self.condition(field), _certainty(field["certainty"], Certainty.MAY))

    def invariant(self, field: Field) -> Invariant:
        """One invariant. What must never be may not even be possible; what must always be must be certain; unless it says otherwise."""
        field.only("name", "never", "always", "require")
        if bool(field["never"]) is bool(field["always"]):
            raise field.fail("must have one of never and always")
        law = Law.NEVER if field["never"] else Law.ALWAYS
        body = field[law]
        body.only(*_CONDITION, "certainty")
        condition = self.condition(body)
        if law is Law.ALWAYS and not (condition.source.zones and condition.destination.zones):
            raise body.fail("must say from and to")
        certainty = _certainty(body["certainty"], Certainty.MAY if law is Law.NEVER else Certainty.ALLOWED)
        demand = _demand(field["require"]) if field["require"] else Demand(Outcome.BLOCK)
        return Invariant(_name(field["name"], field["name"].text()), field.line, law, condition, certainty, demand)

    def exemption(self, field: Field, known: Collection[str]) -> Exemption:
        """One exception, which names its guardrail, says why, and ends."""
        field.only("guardrail", "flow", "reason", "expires")
        name = field["guardrail"].text()
        if name not in known:
            raise field["guardrail"].fail(f"there is no guardrail or invariant {name!r}")
        flow = field["flow"]
        flow.only("from", "to", "ports")
        condition = Condition(self.exempted(flow["from"]), self.exempted(flow["to"]), _ports(flow["ports"]))
        if not field["reason"].text().strip():
            raise field["reason"].fail("must say why")
        return Exemption(name, field.line, condition, field["reason"].text(), _day(field["expires"]))

    def condition(self, field: Field) -> Condition:
        """Two ends and ports."""
        return Condition(self.end(field["from"], field["not_from"]), self.end(field["to"], field["not_to"]), _ports(field["ports"]))

    def end(self, inside: Field, beside: Field) -> End:
        """An end by the zones that it is in, and by those that it is not in."""
        return End(self.listed(inside), self.listed(beside))

    def listed(self, field: Field) -> tuple[Zone, ...]:
        """Zones by name: one, or a list of them."""
        if not field:
            return ()
        each = [field] if field.is_text() else list(field.items())
        if not each:
            raise field.fail("must name at least one zone")
        return tuple(self.zone(one) for one in each)

    def zone(self, field: Field) -> Zone:
        """A zone by name."""
        if field.text() not in self.zones:
            raise field.fail(f"there is no zone {field.text()!r}; known are {', '.join(self.zones) or 'none'}")
        return self.zones[field.text()]

    def exempted(self, field: Field) -> End:
        """An end of an exception: a zone, or one workload by its id."""
        text = field.text()
        if "[" in text and text.endswith("]"):
            return End(endpoint=text)
        return End((self.zone(field),))


def _certainty(field: Field, default: Certainty) -> Certainty:
    text = field.text(default.value)
    if text not in list(Certainty):
        raise field.fail(f"{text!r} is not one of {', '.join(Certainty)}")
    return Certainty(text)


def _ports(field: Field) -> ConnectionSet:
    """Ports such as 443, 8000-8080/TCP or 53/UDP, without a protocol of all of them; no ports means every one."""
    if not field:
        return ConnectionSet.everything()
    found: dict[Protocol, IntervalSet] = {}
    for each in field.items():
        text = each.value if isinstance(each.value, str) else str(read_port_number(each))
        match = _PORTS.fullmatch(text)
        if match is None:
            raise each.fail(f"{text!r} is not a port such as 443, 8000-8080/TCP or 53/UDP")
        low, high = int(match[1]), int(match[2] or match[1])
        if not 1 <= low <= high <= 65_535:
            raise each.fail(f"{text!r} is not a range of ports from 1 to 65535")
        for protocol in [Protocol(match[3])] if match[3] else list(Protocol):
            found[protocol] = found.get(protocol, IntervalSet()) | IntervalSet(((low, high),))
    if not found:
        raise field.fail("must hold at least one port")
    return ConnectionSet.of(found)


def _day(field: Field) -> date:
    try:
        return date.fromisoformat(field.text())
    except ValueError as error:
        raise field.fail(f"{field.text()!r} is not a day such as 2027-03-31") from error


def _demand(field: Field) -> Demand:
    """`block`, `warn`, or the parts of a demand."""
    if field.is_text():
        if field.text() not in list(Outcome):
            raise field.fail(f"{field.text()!r} is not one of {', '.join(Outcome)}, nor an object")
        return Demand(Outcome(field.text()))
    field.only("signoff", "label", "notify")
    demand = Demand(
        None,
        tuple(_signature(each) for each in _one_or_more(field["signoff"])),
        tuple(each.text() for each in _one_or_more(field["label"])),
        tuple(_who(each) for each in _one_or_more(field["notify"])),
    )
    if demand == Demand():
        raise field.fail("must ask for something: signoff, label or notify")
    return demand


def _one_or_more(field: Field) -> list[Field]:
    if not field:
        return []
    return list(field.items()) if isinstance(field.value, list) else [field]


def _signature(field: Field) -> Signature:
    field.only("groups", "users", "count", "not", "unknown_contributors")
    groups, users = (tuple(_who(each) for each in field[name].items()) for name in ("groups", "users"))
    if not groups and not users:
        raise field.fail("must name groups or users")
    count = field["count"].number() if field["count"] else 1
    if not 1 <= count <= 20:
        raise field["count"].fail("must be from 1 to 20")
    excluded = [each.text() for each in field["not"].items()] if field["not"] else ["author", "contributors"]
    for name in excluded:
        if name not in ("author", "contributors"):
            raise field["not"].fail(f"{name!r} is not one of author, contributors")
    unknown = field["unknown_contributors"].text("refuse")
    if unknown not in ("refuse", "allow"):
        raise field["unknown_contributors"].fail(f"{unknown!r} is not one of refuse, allow")
    return Signature(groups, users, count, "author" not in excluded, "contributors" not in excluded, unknown == "allow")


def _who(field: Field) -> str:
    if not _WHO.fullmatch(field.text()):
        raise field.fail(f"{field.text()!r} is not the name of a group or an account")
    return field.text()

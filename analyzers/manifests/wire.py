"""Readings as bytes and back: plain JSON lists, so that reading a kept one runs no code and costs little.

The shape is private to this file. Whoever keeps readings must forget them when the code that makes them changes.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from analyzers.manifests.shelf import FileReading
from analyzers.model.cluster import NamedPort, PodShape, Service, ServicePort
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.policy import (
    EVERY_PORT,
    AnyPeer,
    Direction,
    IPPeer,
    NumberedPorts,
    Peer,
    PodPeer,
    Policy,
    PolicyRef,
    PortMatch,
    Rule,
    Tier,
)
from analyzers.model.records import Identity, Meaning, NamespaceMeaning, ObjectKey, ObjectRecord, PodMeaning, PolicyMeaning, ServiceMeaning
from analyzers.model.selectors import Labels, LabelSelector, Operator, Requirement
from analyzers.sets.connections import Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock


def encode(reading: FileReading[ObjectRecord]) -> bytes:
    """The bytes of a reading of one file."""
    records = [_record_out(record) for record in reading.found]
    notes = [_diagnostic_out(each) for each in reading.diagnostics]
    return json.dumps([records, notes, reading.template_line, reading.nodes], separators=(",", ":")).encode()


def decode(data: bytes, path: str) -> FileReading[ObjectRecord]:
    """The reading of the file at `path`. Raises ValueError, KeyError, TypeError or IndexError for bytes that `encode` did not write."""
    records, notes, template_line, nodes = json.loads(data)
    found = tuple(_record_in(record, path) for record in records)
    return FileReading(found, tuple(_diagnostic_in(each, path) for each in notes), template_line, nodes)


def _record_out(record: ObjectRecord) -> list[Any]:
    key = record.key
    notes = [_diagnostic_out(each) for each in record.diagnostics]
    return [key.group, key.kind, key.namespace, key.name, record.location.line, record.content, _meaning_out(record.meaning), notes]


def _record_in(data: list[Any], path: str) -> ObjectRecord:
    group, kind, namespace, name, line, content, meaning, notes = data
    key = ObjectKey(group, kind, namespace, name)
    location = SourceLocation(path, line)
    return ObjectRecord(key, location, content, _meaning_in(meaning, key, location), tuple(_diagnostic_in(each, path) for each in notes))


def _diagnostic_out(each: Diagnostic) -> list[Any]:
    return [each.code, each.message, each.line]


def _diagnostic_in(data: list[Any], path: str) -> Diagnostic:
    code, message, line = data
    return Diagnostic(code, message, path, line)


def _meaning_out(meaning: Meaning | None) -> list[Any] | None:
    if meaning is None:
        return None
    if isinstance(meaning, PodMeaning):
        owner = meaning.controller
        ports = [[named.name, named.protocol, number] for named, number in meaning.shape.named_ports]
        controller = [owner.namespace, owner.name, owner.kind] if owner else None
        return ["pod", meaning.shape.labels, ports, meaning.shape.host_network, controller]
    if isinstance(meaning, NamespaceMeaning):
        return ["namespace", meaning.labels]
    if isinstance(meaning, ServiceMeaning):
        ports = [[port.name, port.protocol, port.port, port.target] for port in meaning.service.ports]
        return ["service", meaning.service.selector, ports]
    return ["policies", [_policy_out(policy) for policy in meaning.policies]]


def _meaning_in(data: list[Any] | None, key: ObjectKey, location: SourceLocation) -> Meaning | None:
    if data is None:
        return None
    what, *rest = data
    if what == "pod":
        labels, ports, host_network, controller = rest
        named = tuple((NamedPort(name, Protocol(protocol)), number) for name, protocol, number in ports)
        return PodMeaning(PodShape(_labels_in(labels), named, host_network), Identity(*controller) if controller else None)
    if what == "namespace":
        return NamespaceMeaning(_labels_in(rest[0]))
    if what == "service":
        selector, ports = rest
        listed = tuple(ServicePort(name, Protocol(protocol), port, target) for name, protocol, port, target in ports)
        return ServiceMeaning(Service(key.namespace, key.name, None if selector is None else _labels_in(selector), listed, location))
    if what == "policies":
        return PolicyMeaning(tuple(_policy_in(policy, key, location) for policy in rest[0]))
    raise ValueError(f"unknown meaning {what!r}")


def _labels_in(data: list[list[str]]) -> Labels:
    return tuple((key, value) for key, value in data)


def _policy_out(policy: Policy) -> list[Any]:
    rules = [_rule_out(rule) for rule in policy.rules]
    return [policy.tier, _peer_out(policy.subject), sorted(policy.isolates), rules]


def _policy_in(data: list[Any], key: ObjectKey, location: SourceLocation) -> Policy:
    tier, subject, isolates, rules = data
    pods = _peer_in(subject)
    if not isinstance(pods, PodPeer):
        raise ValueError("the subject of a policy is no pods")
    ref = PolicyRef(key.kind, key.namespace, key.name)
    read = tuple(_rule_in(rule, location.path) for rule in rules)
    return Policy(ref, Tier(tier), pods, frozenset(map(Direction, isolates)), read, location)


def _rule_out(rule: Rule) -> list[Any]:
    ports = None if rule.ports == EVERY_PORT else [_port_out(port) for port in rule.ports]
    return [rule.direction, rule.index, rule.origin.line, [_peer_out(peer) for peer in rule.peers], ports]


def _rule_in(data: list[Any], path: str) -> Rule:
    direction, index, line, peers, ports = data
    matched = EVERY_PORT if ports is None else tuple(_port_in(*port) for port in ports)
    return Rule(Direction(direction), index, tuple(map(_peer_in, peers)), matched, SourceLocation(path, line))


def _port_out(port: PortMatch) -> list[Any]:
    if isinstance(port, NamedPort):
        return [port.protocol, port.name]
    (span,) = port.numbers.intervals
    return [port.protocol, *span]


@lru_cache(maxsize=4096)
def _port_in(protocol: str, first: str | int, last: int = 0) -> PortMatch:
    if isinstance(first, str):
        return NamedPort(first, Protocol(protocol))
    return NumberedPorts(Protocol(protocol), IntervalSet(((first, last),)))


def _peer_out(peer: Peer) -> str:
    """A peer as text, so that equal peers of many policies are read once and shared."""
    if isinstance(peer, AnyPeer):
        return ""
    if isinstance(peer, PodPeer):
        where = peer.namespaces if isinstance(peer.namespaces, str) else _selector_out(peer.namespaces)
        return json.dumps([where, _selector_out(peer.pods)], separators=(",", ":"))
    spans = [list(span) for span in peer.block.addresses.intervals]
    return json.dumps([peer.block.family, spans, peer.cidr], separators=(",", ":"))


@lru_cache(maxsize=65536)
def _peer_in(text: str) -> Peer:
    if not text:
        return AnyPeer()
    parts = json.loads(text)
    if len(parts) == 2:
        where, pods = parts
        return PodPeer(where if isinstance(where, str) else _selector_in(where), _selector_in(pods))
    family, spans, cidr = parts
    return IPPeer(IPBlock(Family(family), IntervalSet(tuple((low, high) for low, high in spans))), cidr)


def _selector_out(selector: LabelSelector) -> list[Any]:
    return [[each.key, each.operator, each.values] for each in selector.requirements]


def _selector_in(data: list[Any]) -> LabelSelector:
    return LabelSelector(tuple(Requirement(key, Operator(operator), tuple(values)) for key, operator, values in data))

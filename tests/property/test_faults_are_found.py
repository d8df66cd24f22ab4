"""Deliberate faults in the product, one for each trap that an engine can fall into, one at a time: the examiner finds every one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from analyzers.dialects import networkpolicy
from analyzers.model.cluster import Cluster, NamedPort, Workload
from analyzers.model.policy import AnyPeer, Direction, NumberedPorts, PodPeer
from analyzers.model.selectors import LabelSelector, Operator
from analyzers.reachability import decide, delta, index, universe
from analyzers.reachability.cover import NOTHING
from analyzers.sets.connections import PORTS
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock
from tests.oracle.cases import case
from tests.property.examination import broken

pytestmark = pytest.mark.slow

SEEDS = 200

Reader = networkpolicy._Reader
right_rule, right_peer, right_ip_block, right_port = Reader.rule, Reader.peer, Reader.ip_block, Reader.port
right_isolates, right_match, right_joint_groups = networkpolicy._isolates, universe._match, delta._joint_groups
right_columns = delta._column_phase
right_meeting, right_mask, right_hosts, right_egress = index.Postings._meeting, decide._mask, decide._hosts, decide._egress_pieces


def _empty_list_is_nobody(self: Any, direction: Direction, number: int, field: Any) -> Any:
    rule = right_rule(self, direction, number, field)
    written = field["from" if direction is Direction.INGRESS else "to"].value
    return replace(rule, peers=()) if written == [] else rule


def _pod_selector_alone_means_everywhere(self: Any, field: Any) -> Any:
    peer = right_peer(self, field)
    return PodPeer(LabelSelector(), peer.pods) if isinstance(peer, PodPeer) and isinstance(peer.namespaces, str) else peer


def _all_namespaces_mean_outside_too(self: Any, field: Any) -> Any:
    peer = right_peer(self, field)
    return AnyPeer() if peer == PodPeer(LabelSelector(), LabelSelector()) else peer


def _except_is_ignored(self: Any, field: Any) -> Any:
    peer = right_ip_block(self, field)
    family, whole = self.cidr(field["cidr"])
    return replace(peer, block=IPBlock(family, whole))


def _end_port_is_ignored(self: Any, field: Any) -> Iterator[Any]:
    for match in right_port(self, field):
        first = field["port"].value
        yield NumberedPorts(match.protocol, IntervalSet(((first, first),))) if isinstance(first, int) else match


def _missing_types_isolate_both_ways(spec: Any) -> Any:
    return right_isolates(spec) if any(spec["policyTypes"].items()) else frozenset(Direction)


def _no_rules_do_not_isolate(spec: Any) -> Any:
    return frozenset(direction for direction in right_isolates(spec) if any(spec[direction].items()))


def _absence_fails(self: Any, requirement: Any) -> Any:
    found = right_meeting(self, requirement)
    if requirement.operator is Operator.NOT_IN:
        found &= sum(1 << number for number in self._by_key.get(requirement.key, ()))
    return found


def _without_object_no_labels(self: Cluster, namespace: str) -> Any:
    return self.namespaces.get(namespace, ())


def _names_whatever_protocol(self: Any, number: int, named: NamedPort) -> Any:
    shape = self._shapes[number]
    return {port.name: value for port, value in shape.named_ports}.get(named.name) if shape is not None else None


def _names_mean_addresses(ports: Any, space: Any, resolve: Any) -> Any:
    unresolved = [port for port in ports if isinstance(port, NamedPort) and resolve(port) is None]
    return right_mask(ports, space, resolve) | sum({space.mask(port.protocol, PORTS) for port in unresolved})


def _names_never_resolve_for_egress(rule: Any, numbered: int, *rest: Any) -> Any:
    return right_egress(replace(rule, ports=tuple(port for port in rule.ports if not isinstance(port, NamedPort))), numbered, *rest)


def _only_the_first_label_set(shapes: Any) -> Any:
    return right_match(shapes)[:1]


def _phantoms(*revisions: Any) -> Any:
    return [replace(each, head=each.base) if each.head is NOTHING else each for each in right_joint_groups(*revisions)]


def _nodes_are_admitted_for_certain(direction: Any, outside: Any, pods: Any, space: Any) -> Iterator[Any]:
    return ((classes, space.settled(space.layers(mask)[1])) for classes, mask in right_hosts(direction, outside, pods, space))


def _rows_twice(sources: Any, owned: list[int], destinations: Any) -> Any:
    return right_columns(sources, [0] * len(owned), destinations)


FAULTS: list[tuple[str, Any, str, Any]] = [
    ("an empty list of peers is nobody", Reader, "rule", _empty_list_is_nobody),
    ("podSelector alone means every namespace", Reader, "peer", _pod_selector_alone_means_everywhere),
    ("all namespaces mean outside too", Reader, "peer", _all_namespaces_mean_outside_too),
    ("except is ignored", Reader, "ip_block", _except_is_ignored),
    ("endPort is ignored", Reader, "port", _end_port_is_ignored),
    ("policyTypes missing isolates both ways", networkpolicy, "_isolates", _missing_types_isolate_both_ways),
    ("no rules do not isolate", networkpolicy, "_isolates", _no_rules_do_not_isolate),
    ("NotIn fails when the key is absent", index.Postings, "_meeting", _absence_fails),
    ("a namespace without an object has no labels", Cluster, "namespace_labels", _without_object_no_labels),
    ("a named port resolves in any protocol", index.PodIndex, "resolve", _names_whatever_protocol),
    ("a named port means addresses", decide, "_mask", _names_mean_addresses),
    ("a named port never resolves for egress", decide, "_egress_pieces", _names_never_resolve_for_egress),
    ("only one label set counts", universe, "_match", _only_the_first_label_set),
    ("a replica is the same pod", Workload, "has_replicas", property(lambda self: False)),
    ("what was removed stays in head", delta, "_joint_groups", _phantoms),
    ("the column phase is forgotten", delta, "_column_phase", lambda *_: ()),
    ("the column phase repeats the rows", delta, "_column_phase", _rows_twice),
    ("a host-network pod is admitted for certain where it only may be", decide, "_hosts", _nodes_are_admitted_for_certain),
]


@pytest.mark.parametrize(("where", "name", "fault"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_the_examiner_finds_the_fault(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, fault: Any) -> None:
    monkeypatch.setattr(where, name, fault)
    assert any(_found(seed) for seed in range(SEEDS)), f"{SEEDS} random clusters do not show it"


def _found(seed: int) -> bool:
    return next(broken(case(seed)), None) is not None

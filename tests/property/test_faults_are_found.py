"""Deliberate faults in the product, one for each trap that an engine can fall into, one at a time: the examiner finds every one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from analyzers.dialects import clusternetworkpolicy, networkpolicy
from analyzers.dialects.admin_rules import AdminReader
from analyzers.model.cluster import Cluster, NamedPort, Workload
from analyzers.model.pod_network import Held, PodNetwork
from analyzers.model.policy import Action, AnyPeer, Direction, NumberedPorts, PodPeer, Tier
from analyzers.model.selectors import LabelSelector, Operator, Requirement
from analyzers.reachability import compiled, decide, delta, index, tiers, universe
from analyzers.reachability.cover import NOTHING
from analyzers.reachability.matching import Matching
from analyzers.reachability.tiers import Walk
from analyzers.sets.connections import PORTS, Protocol
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
right_meeting, right_mask, right_hosts, right_pods = index.Postings._meeting, Matching._mask, decide._hosts, Matching.pods
right_ruled, right_perhaps, right_any_order, right_tier = Walk._ruled, Walk._perhaps_ruled, Walk._in_any_order, Walk.tier
right_walked, right_held = Walk._policy, PodNetwork.held_by
right_policy, right_peers, right_select, right_decide = AdminReader.policy, AdminReader._peers, index.PodIndex.select, decide.decide


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
        found &= right_meeting(self, Requirement(requirement.key, Operator.EXISTS))
    return found


def _without_object_no_labels(self: Cluster, namespace: str) -> Any:
    return self.namespaces.get(namespace, ())


def _names_whatever_protocol(self: Any, number: int, named: NamedPort) -> Any:
    shape = self.shapes[number]
    return {port.name: value for port, value in shape.named_ports}.get(named.name) if shape is not None else None


def _names_mean_addresses(self: Any, ports: Any, resolve: Any) -> Any:
    unresolved = [port for port in ports if isinstance(port, NamedPort) and resolve(port) is None]
    return right_mask(self, ports, resolve) | sum({self.space.mask(port.protocol, PORTS) for port in unresolved})


def _names_never_resolve_for_egress(self: Any, rule: Any, numbered: int) -> Any:
    return right_pods(self, replace(rule, ports=tuple(port for port in rule.ports if not isinstance(port, NamedPort))), numbered)


def _only_the_first_label_set(shapes: Any) -> Any:
    return right_match(shapes)[:1]


def _phantoms(*revisions: Any) -> Any:
    return [replace(each, head=each.base) if each.head is NOTHING else each for each in right_joint_groups(*revisions)]


def _nodes_are_admitted_for_certain(direction: Any, outside: Any, pods: Any, space: Any) -> Iterator[Any]:
    return ((classes, space.settled(space.layers(mask)[1])) for classes, mask in right_hosts(direction, outside, pods, space))


def _a_pass_allows(self: Any, before: Any, action: Action, ports: int) -> Any:
    return right_ruled(self, before, Action.ALLOW if action is Action.PASS else action, ports)


def _a_pass_does_nothing(self: Any, before: Any, action: Action, ports: int) -> Any:
    return before if action is Action.PASS else right_ruled(self, before, action, ports)


def _the_last_rule_decides(self: Any, policy: Any, places: int) -> Any:
    return right_walked(self, replace(policy, rules=policy.rules[::-1]), places)


def _higher_numbers_come_first(self: Any, policies: Any, places: int) -> Any:
    turned = [replace(each, priority=None if each.priority is None else 1000 - each.priority) for each in policies]
    return right_tier(self, turned, places)


def _equal_priorities_have_an_order(self: Any, one: Any, other: Any) -> Any:
    return tiers._overlaid(one, other, tiers.Outcome.then)


def _nodes_match_nothing(self: Any, before: Any, action: Action, ports: int, condition: str) -> Any:
    return before


def _nodes_match_for_certain(self: Any, before: Any, action: Action, ports: int, condition: str) -> Any:
    return right_ruled(self, before, action, ports)


def _baseline_before_network_policy(direction: Any, policies: Any, *rest: Any) -> Any:
    moved = [replace(each, tier=Tier.ADMIN, priority=2000) if each.tier is Tier.BASELINE else each for each in policies]
    return right_decide(direction, moved, *rest)


def _network_policy_before_admin(direction: Any, policies: Any, *rest: Any) -> Any:
    isolated = any(each.tier is Tier.NETWORK_POLICY for each in policies)
    return right_decide(direction, [each for each in policies if each.tier is not Tier.ADMIN or not isolated], *rest)


def _hosts_are_pods(self: Any, peer: Any) -> Any:
    return right_select(self, replace(peer, host_network=True))


def _an_unknown_peer_is_passed_over(self: Any, *rest: Any) -> Any:
    return right_peers(self, *rest) or ()


def _the_older_baseline_comes_first(self: Any, tier: Tier, priority: Any, *rest: Any) -> Any:
    return right_policy(self, tier, priority or 0, *rest)


def _names_of_tcp_alone(field: Any) -> Any:
    return iter([NamedPort(field.text(), Protocol.TCP)])


def _one_block_is_all(self: PodNetwork, blocks: Any) -> Held:
    return Held.NETWORK if (found := right_held(self, blocks)) is Held.PERHAPS else found


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
    ("a named port means addresses", Matching, "_mask", _names_mean_addresses),
    ("a named port never resolves for egress", Matching, "pods", _names_never_resolve_for_egress),
    ("only one label set counts", universe, "_match", _only_the_first_label_set),
    ("a replica is the same pod", Workload, "has_replicas", property(lambda self: False)),
    ("what was removed stays in head", delta, "_joint_groups", _phantoms),
    ("the column phase is forgotten", delta, "_column_phase", lambda *_: ()),
    ("the column phase repeats the rows", delta, "_column_phase", _rows_twice),
    ("a host-network pod is admitted for certain where it only may be", decide, "_hosts", _nodes_are_admitted_for_certain),
    ("a Pass allows", Walk, "_ruled", _a_pass_allows),
    ("a Pass does nothing", Walk, "_ruled", _a_pass_does_nothing),
    ("the last rule that matches decides", Walk, "_policy", _the_last_rule_decides),
    ("higher numbers come first", Walk, "tier", _higher_numbers_come_first),
    ("equal priorities have an order", Walk, "_in_any_order", _equal_priorities_have_an_order),
    ("nodes and domain names match nothing", Walk, "_perhaps_ruled", _nodes_match_nothing),
    ("nodes and domain names match for certain", Walk, "_perhaps_ruled", _nodes_match_for_certain),
    ("baseline comes before NetworkPolicy", compiled, "decide", _baseline_before_network_policy),
    ("NetworkPolicy comes before the admin tier", compiled, "decide", _network_policy_before_admin),
    ("networks match no pod", PodNetwork, "held_by", lambda self, blocks: Held.NONE),
    ("every network matches pods", PodNetwork, "held_by", lambda self, blocks: Held.ALL if any(blocks) else Held.NONE),
    ("one block of the pod network is all of it", PodNetwork, "held_by", _one_block_is_all),
    ("an ipBlock never holds pods", PodNetwork, "meets", lambda self, block: False),
    ("every ipBlock holds pods", PodNetwork, "meets", lambda self, block: bool(self)),
    ("whether an ipBlock matches pods is never in doubt", Matching, "untold_pods", lambda self, rule, numbered: iter(())),
    ("host-network pods are subjects and members", index.PodIndex, "select", _hosts_are_pods),
    ("an unknown peer is passed over", AdminReader, "_peers", _an_unknown_peer_is_passed_over),
    ("the older baseline has priority 0", AdminReader, "policy", _the_older_baseline_comes_first),
    ("a port name means TCP alone", clusternetworkpolicy, "named_port", _names_of_tcp_alone),
    ("every ClusterNetworkPolicy is of the Admin tier", clusternetworkpolicy, "_tier", lambda field: Tier.ADMIN),
]


FIRST = {
    "higher numbers come first": 75,
    "a port name means TCP alone": 36,
    "host-network pods are subjects and members": 26,
    "every network matches pods": 23,
    "nodes and domain names match for certain": 23,
    "nodes and domain names match nothing": 23,
    "one block of the pod network is all of it": 23,
}
"""The clusters that show a fault where a search for one would be long; all are searched where that one shows it no more."""


@pytest.mark.parametrize(("title", "where", "name", "fault"), FAULTS, ids=[row[0] for row in FAULTS])
def test_the_examiner_finds_the_fault(monkeypatch: pytest.MonkeyPatch, title: str, where: Any, name: str, fault: Any) -> None:
    monkeypatch.setattr(where, name, fault)
    assert any(_found(seed) for seed in (FIRST.get(title, 0), *range(SEEDS))), f"{SEEDS} random clusters do not show it"


def _found(seed: int) -> bool:
    return next(broken(case(seed)), None) is not None

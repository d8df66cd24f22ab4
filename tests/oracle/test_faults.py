"""Would a fault be found? Each trap is walked into on purpose, here in the examiner itself: some random cluster must tell the two apart.

What the generator and the sample points cannot tell apart, a comparison with the product could not find either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.oracle import admin, evaluator, matching, reading, tables
from tests.oracle.cases import Case, case
from tests.oracle.points import Address
from tests.oracle.reading import Variant
from tests.oracle.tables import Revision, diff, universe

pytestmark = pytest.mark.slow

SEEDS = 300

_FUNCTIONS = ("isolates", "peer_is_pod", "peer_is_address", "peers", "port_matches")
right = {name: getattr(evaluator, name) for name in _FUNCTIONS}


def _isolates_both(spec: Any, direction: str) -> bool:
    return direction in (spec.get("policyTypes") or ("Ingress", "Egress"))


def _isolates_when_egress_is_written(spec: Any, direction: str) -> bool:
    types = spec.get("policyTypes")
    return direction in types if types else direction == "Ingress" or "egress" in spec


def _isolates_only_with_rules(spec: Any, direction: str) -> bool:
    return bool(right["isolates"](spec, direction) and spec.get(direction.lower()))


def _reads_rules_of_every_direction(spec: Any, direction: str) -> bool:
    return bool(right["isolates"](spec, direction) or spec.get(direction.lower()))


def _empty_list_is_nobody(rule: Any, direction: str) -> Any:
    found = rule.get("from" if direction == "Ingress" else "to")
    return right["peers"](rule, direction) if found is None else found


def _pods_of_every_namespace(peer: Any, namespace: str, pod: Variant, cluster: Any) -> Any:
    return right["peer_is_pod"]({"namespaceSelector": {}, **peer}, namespace, pod, cluster)


def _either_selector(peer: Any, namespace: str, pod: Variant, cluster: Any) -> Any:
    parts = [{key: value} for key, value in peer.items() if value is not None]
    return any(right["peer_is_pod"](part, namespace, pod, cluster) for part in parts)


def _blocks_mean_pods(peer: Any, namespace: str, pod: Variant, cluster: Any) -> Any:
    return peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" or right["peer_is_pod"](peer, namespace, pod, cluster)


def _all_namespaces_mean_outside(peer: Any, address: Address) -> Any:
    return peer.get("namespaceSelector") == {} or right["peer_is_address"](peer, address)


def _except_is_ignored(peer: Any, address: Address) -> Any:
    block = peer.get("ipBlock")
    return block is not None and right["peer_is_address"]({"ipBlock": {"cidr": block["cidr"]}}, address)


def _one_family(peer: Any, address: Address) -> Any:
    return address.version == 4 and right["peer_is_address"](peer, address)


def _names_whatever_protocol(name: str, protocol: str, pod: Variant) -> Any:
    return next((port.number for port in pod.ports if port.name == name), None)


def _names_mean_addresses(entry: Any, protocol: str, number: int, destination: Any) -> Any:
    if isinstance(entry.get("port"), str) and not isinstance(destination, Variant):
        return protocol == (entry.get("protocol") or "TCP")
    return right["port_matches"](entry, protocol, number, destination)


def _end_port_is_ignored(entry: Any, protocol: str, number: int, destination: Any) -> Any:
    return right["port_matches"]({**entry, "endPort": None}, protocol, number, destination)


def _no_protocol_is_every_protocol(entry: Any, protocol: str, number: int, destination: Any) -> Any:
    return right["port_matches"]({"protocol": protocol, **entry}, protocol, number, destination)


def _absence_fails(key: str, operator: str, values: list[str], labels: Any) -> bool:
    return (operator == "DoesNotExist" and key not in labels) or (
        key in labels
        and (operator == "Exists" or (operator == "In" and labels[key] in values) or (operator == "NotIn" and labels[key] not in values))
    )


def _last_name_counts(ports: Any) -> Any:
    return list({(port.name, port.protocol): port for port in ports}.values())


def _labels_without_object(cluster: Any, name: str) -> Any:
    return {**cluster.namespaces[name], reading.NAME_LABEL: name} if name in cluster.namespaces else {}


def _labels_as_written(cluster: Any, name: str) -> Any:
    return {reading.NAME_LABEL: name, **cluster.namespaces.get(name, {})}


def _replicas_are_one_pod(self: Revision, source: Any, destination: Any) -> Any:
    if source is not None and source == destination:
        return evaluator.Cell(self.points.ports.full, 0)
    return right_cell(self, source, destination)


def _phantoms(base: Any, head: Any) -> Any:
    return [(old, new or old) for old, new in right_match(base, head)]


def _first_label_set_only(base: Any, head: Any) -> Any:
    return right_match(base, head)[:1]


def _nodes_are_admitted(self: Any, direction: str, subject: Any, peer: Any, adverse: Any) -> Any:
    return right_side(self, direction, subject, peer, () if self.is_node(peer) else adverse)


def _one_order(policies: Any) -> Any:
    return [next(right_orders(policies))]


def _higher_numbers_first(policies: Any) -> Any:
    return right_orders([each._replace(priority=None if each.priority is None else -each.priority) for each in policies])


def _a_pass_allows(policies: Any, below: int, full: int, adverse: Any) -> Any:
    return right_in_order(policies, full, full, adverse)


def _isolation_is_not_the_end(self: Any, *ends: Any) -> Any:
    return self.ports.full


def _hosts_are_pods(peer: Any, pod: Variant, cluster: Any) -> Any:
    return right_peer_is_pod(peer, replace(pod, host_network=False), cluster)


def _unknown_peers_are_passed_over(rule: Any, direction: str) -> Any:
    found = right_read_rule(rule, direction)
    return replace(found, peers=[]) if found.peers == admin.EVERYONE else found


def _nodes_are_outside(self: Any, peer: Any, cluster: Any) -> Any:
    return {admin.UNRESOLVED: admin.YES}.get(found := right_about(self, peer, cluster), found)


def _one_block_of_pods_is_all(peers: Any, pod: Variant, cluster: Any) -> Any:
    return admin.YES if right_by_address(peers, pod, cluster) != admin.NO else admin.NO


def _a_part_of_pods_is_all(peers: Any, cidr: str) -> Any:
    return right_holds(peers, cidr) or any(right_holds([{"networks": [cidr]}], each) for each in admin.networks(peers))


right_orders, right_in_order, right_peer_is_pod, right_read_rule = admin.orders, admin._in_order, admin.peer_is_pod, admin.read_rule
right_about, right_by_address, right_holds = admin.Rule.about, admin.by_address, admin.holds
right_cell, right_match, right_side = Revision.cell, tables.match, evaluator.Evaluator.side

FAULTS: list[tuple[str, Any, str, Callable[..., Any]]] = [
    ("policyTypes missing isolates both ways", evaluator, "isolates", _isolates_both),
    ("egress written but empty isolates", evaluator, "isolates", _isolates_when_egress_is_written),
    ("no rules do not isolate", evaluator, "isolates", _isolates_only_with_rules),
    ("rules count in spite of policyTypes", evaluator, "isolates", _reads_rules_of_every_direction),
    ("an empty list of peers is nobody", evaluator, "peers", _empty_list_is_nobody),
    ("podSelector alone means every namespace", evaluator, "peer_is_pod", _pods_of_every_namespace),
    ("two selectors in a peer are alternatives", evaluator, "peer_is_pod", _either_selector),
    ("a block means pods", evaluator, "peer_is_pod", _blocks_mean_pods),
    ("all namespaces mean outside too", evaluator, "peer_is_address", _all_namespaces_mean_outside),
    ("except is ignored", evaluator, "peer_is_address", _except_is_ignored),
    ("IPv6 is ignored", evaluator, "peer_is_address", _one_family),
    ("a named port resolves in any protocol", matching, "resolve", _names_whatever_protocol),
    ("a named port means addresses", evaluator, "port_matches", _names_mean_addresses),
    ("endPort is ignored", evaluator, "port_matches", _end_port_is_ignored),
    ("a missing protocol is every protocol", evaluator, "port_matches", _no_protocol_is_every_protocol),
    ("NotIn fails when the key is absent", matching, "requirement_holds", _absence_fails),
    ("the last container that names a port counts", reading, "first_of_each", _last_name_counts),
    ("a namespace without an object has no labels", reading.Cluster, "namespace_labels", _labels_without_object),
    ("a namespace's name label can be chosen", reading.Cluster, "namespace_labels", _labels_as_written),
    ("a replica is the same pod", Revision, "cell", _replicas_are_one_pod),
    ("what was removed stays in head", tables, "match", _phantoms),
    ("only one label set is diffed", tables, "match", _first_label_set_only),
    ("a host-network pod is admitted for certain where it only may be", evaluator.Evaluator, "side", _nodes_are_admitted),
    ("equal priorities have an order", admin, "orders", _one_order),
    ("higher numbers come first", admin, "orders", _higher_numbers_first),
    ("a Pass allows", admin, "_in_order", _a_pass_allows),
    ("a NetworkPolicy isolates nothing", evaluator.Evaluator, "isolated", _isolation_is_not_the_end),
    ("host-network pods are subjects and members", admin, "peer_is_pod", _hosts_are_pods),
    ("unknown peers are passed over", admin, "read_rule", _unknown_peers_are_passed_over),
    ("nodes are any address for certain", admin.Rule, "about", _nodes_are_outside),
    ("networks match no pod", admin, "covers_every_pod", lambda peers: False),
    ("networks that hold the pod network match no pod", admin, "by_address", lambda *_: admin.NO),
    ("one block of the pod network is all of it", admin, "by_address", _one_block_of_pods_is_all),
    ("a part of a block of pods is all of it", admin, "holds", _a_part_of_pods_is_all),
    ("an ipBlock never holds pods", evaluator, "peer_holds_pods", lambda *_: False),
    ("every ipBlock holds pods", evaluator, "peer_holds_pods", lambda peer, pod_cidrs: bool(pod_cidrs and peer.get("ipBlock"))),
    ("every ClusterNetworkPolicy is of the Admin tier", admin, "tier_of", lambda policy: "Admin"),
    ("the older baseline has priority 0", admin, "priority_of", lambda policy: policy["spec"].get("priority", 0)),
]


@pytest.fixture(scope="module")
def truths() -> list[tuple[Case, Any]]:
    """Cases beside the right answer to each."""
    return [(made, _answer(made)) for made in map(case, range(SEEDS))]


@pytest.mark.parametrize(("where", "name", "fault"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_some_random_cluster_shows_the_fault(
    truths: list[tuple[Case, Any]], monkeypatch: pytest.MonkeyPatch, where: Any, name: str, fault: Callable[..., Any]
) -> None:
    monkeypatch.setattr(where, name, fault)
    assert any(_showing(truths)), f"{SEEDS} random clusters do not show it"


def _showing(truths: list[tuple[Case, Any]]) -> Iterator[bool]:
    return (_answer(made) != truth for made, truth in truths)


def _answer(made: Case) -> Any:
    points = universe(made.base, made.head)
    base, head = (Revision(documents, points, *made.reading) for documents in (made.base, made.head))
    return base.matrix(), head.matrix(), diff(base, head)

"""Random admin policies of every kind, small and nasty: few priorities, so that they are equal, and every sort of peer and port."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from tests.oracle.policies import BLOCKS, NAMESPACE_WORDS, POD_WORDS, selector
from tests.oracle.reading import ADMIN_GROUP, Document

KINDS = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
PRIORITIES = (0, 7, 7, 50, 1000)
NUMBERS = (1, 53, 80, 81, 443, 8080, 9090, 65535)
DOMAINS = ("example.com", "*.example.org", "api.example.net")

PortOf = Callable[[Random], Document]


def admin_policies(rng: Random) -> list[Document]:
    """One to four admin policies; of the baseline kind of the older API at most one."""
    kinds = [rng.choice(KINDS) for _ in range(rng.choice((1, 1, 2, 3, 4)))]
    kinds = [kind for index, kind in enumerate(kinds) if kind != KINDS[1] or KINDS[1] not in kinds[:index]]
    policies = [policy(rng, kind, f"admin{index}") for index, kind in enumerate(kinds)]
    return [*policies, *(rival(rng, each, f"rival{index}") for index, each in enumerate(policies) if rng.random() < 0.3)]


def policy(rng: Random, kind: str, name: str) -> Document:
    """A whole policy of a kind."""
    new = kind == "ClusterNetworkPolicy"
    spec: Document = {"subject": pods(rng, wide=0.5)}
    if kind != "BaselineAdminNetworkPolicy":
        spec["priority"] = rng.choice(PRIORITIES)
    if new:
        spec["tier"] = rng.choice(("Admin", "Admin", "Baseline"))
    for direction in ("ingress", "egress"):
        if rng.random() < 0.75:
            spec[direction] = [rule(rng, kind, direction) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    metadata = {"name": "default" if kind == "BaselineAdminNetworkPolicy" else name}
    return {"apiVersion": f"{ADMIN_GROUP}/{'v1alpha2' if new else 'v1alpha1'}", "kind": kind, "metadata": metadata, "spec": spec}


def rival(rng: Random, of: Document, name: str) -> Document:
    """A policy of the newer API between which and the given one there is no order, with other actions for much the same traffic."""
    made = migrated(of) if of["kind"] != "ClusterNetworkPolicy" else deepcopy(of)
    made["metadata"] = {"name": name}
    if of["kind"] == "BaselineAdminNetworkPolicy":
        made["spec"]["priority"] = rng.choice(PRIORITIES)
    for each in [*(made["spec"].get("ingress") or []), *(made["spec"].get("egress") or [])]:
        each["action"] = rng.choice(_actions(made["kind"]))
        if rng.random() < 0.3:
            each.pop("protocols", None)
    return made


def rule(rng: Random, kind: str, direction: str) -> Document:
    """One rule of a direction."""
    new = kind == "ClusterNetworkPolicy"
    made: Document = {"action": rng.choice(_actions(kind))}
    if rng.random() < 0.3:
        made["name"] = rng.choice(("first", "deny everything else", ""))
    named = rng.random() < 0.3
    peers = [peer(rng, kind, direction, resolvable=named) for _ in range(rng.choice((1, 1, 2)))]
    made["from" if direction == "ingress" else "to"] = peers
    if named or rng.random() < 0.5:
        entries = [(new_port if new else old_port)(rng) for _ in range(rng.choice((1, 1, 2)))]
        field = "destinationNamedPort" if new else "namedPort"
        made["protocols" if new else "ports"] = [*entries, {field: rng.choice(("http", "metrics", "dns", "absent"))}] if named else entries
    return made


def _actions(kind: str) -> tuple[str, ...]:
    if kind == "BaselineAdminNetworkPolicy":
        return ("Allow", "Deny", "Deny")
    return ("Accept" if kind == "ClusterNetworkPolicy" else "Allow", "Deny", "Pass")


def peer(rng: Random, kind: str, direction: str, resolvable: bool) -> Document:
    """Pods, or for egress also networks, nodes and domain names; now and then something that the API does not know."""
    choice = rng.random()
    if choice < 0.03 and not resolvable:
        return {"futures": {}}
    if direction == "ingress" or resolvable or choice < 0.5:
        return pods(rng, wide=0.25)
    if choice < 0.85:
        return {"networks": networks(rng)}
    if choice < 0.92 or kind == "BaselineAdminNetworkPolicy":
        return {"nodes": rng.choice(({}, {"matchLabels": {"pool": "infra"}}))}
    return {"domainNames": rng.sample(DOMAINS, rng.choice((1, 2)))}


def networks(rng: Random) -> list[str]:
    """Blocks of addresses; all of IPv4 in one block or in two."""
    whole = (["0.0.0.0/0"], ["0.0.0.0/0", "::/0"], ["0.0.0.0/1", "128.0.0.0/1"])
    return rng.choice(whole) if rng.random() < 0.4 else rng.sample(BLOCKS, rng.choice((1, 1, 2)))


def pods(rng: Random, wide: float) -> Document:
    """Whole namespaces, or pods of them."""
    if rng.random() < 0.5:
        return {"namespaces": selector(rng, NAMESPACE_WORDS, wide)}
    return {"pods": {"namespaceSelector": selector(rng, NAMESPACE_WORDS, 0.6), "podSelector": selector(rng, POD_WORDS, wide)}}


def old_port(rng: Random) -> Document:
    """A number or a range as v1alpha1 writes it."""
    protocol = rng.choice(({}, {"protocol": "TCP"}, {"protocol": "UDP"}, {"protocol": "SCTP"}))
    if rng.random() < 0.6:
        return {"portNumber": {**protocol, "port": rng.choice(NUMBERS)}}
    return {"portRange": {**protocol, **span(rng)}}


def new_port(rng: Random) -> Document:
    """A number or a range as v1alpha2 writes it."""
    port = {"number": rng.choice(NUMBERS)} if rng.random() < 0.6 else {"range": span(rng)}
    return {rng.choice(("tcp", "tcp", "udp", "sctp")): {"destinationPort": port}}


def span(rng: Random) -> dict[str, int]:
    """A range of at least two ports."""
    start = rng.choice(NUMBERS[:-1])
    return {"start": start, "end": min(65535, start + rng.choice((1, 28, 1000, 65535)))}


def migrated(policy: Document) -> Document:
    """The ClusterNetworkPolicy of the Admin tier, or for the baseline kind of the Baseline tier, that says what an older policy says."""
    made = deepcopy(policy)
    made |= {"apiVersion": f"{ADMIN_GROUP}/v1alpha2", "kind": "ClusterNetworkPolicy"}
    made["spec"] = {"priority": 0, **made["spec"], "tier": "Admin" if policy["kind"] == "AdminNetworkPolicy" else "Baseline"}
    for each in [*(made["spec"].get("ingress") or []), *(made["spec"].get("egress") or [])]:
        each["action"] = "Accept" if each["action"] == "Allow" else each["action"]
        if "ports" in each:
            each["protocols"] = [_migrated_port(port) for port in each.pop("ports")]
    return made


def _migrated_port(entry: dict[str, Any]) -> Document:
    if "namedPort" in entry:
        return {"destinationNamedPort": entry["namedPort"]}
    ((kind, port),) = entry.items()
    match = {"number": port["port"]} if kind == "portNumber" else {"range": {"start": port["start"], "end": port["end"]}}
    return {port.get("protocol", "TCP").lower(): {"destinationPort": match}}

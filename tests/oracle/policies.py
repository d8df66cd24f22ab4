"""Random NetworkPolicies with every feature of the API, and the difference between missing, null, empty and full."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from ipaddress import ip_network
from random import Random
from typing import Any

from tests.oracle.reading import HASH_LABEL, NAME_LABEL, Document

BLOCKS = (
    *("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "192.168.0.0/16"),
    *("0.0.0.0/32", "255.255.255.255/32", "10.1.2.3/8", "172.16.0.0/12"),
    *("::/0", "::/1", "8000::/1", "2001:db8::/32", "2001:db8:1::/48", "fc00::/7", "::1/128", "2001:db8::5/32"),
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
)
POD_WORDS = {
    "app": ("web", "api", "db"),
    "tier": ("front", "back", ""),
    "example.com/team": ("a", "B_2.x"),
    "canary": ("on", "017", "true"),
    HASH_LABEL: ("5d4f8c7b9",),
}
NAMESPACE_WORDS = {
    NAME_LABEL: ("default", "shop", "data", "kube-system", "elsewhere"),
    "env": ("prod", "dev", "null"),
    "example.com/team": ("a", "B_2.x"),
}
Words = dict[str, tuple[str, ...]]


POD_NETWORKS = (
    *(("10.1.0.0/16",), ("10.1.2.0/24",), ("10.0.0.0/8",), ("0.0.0.0/2", "192.168.128.0/17"), ("10.1.2.0/24", "192.168.0.0/16")),
    *(("192.168.0.0/17", "192.168.128.0/17"), ("10.1.0.0/16", "2001:db8:1::/48"), ("2001:db8::/32",), ("2001:db8:1::/48", "fd00::/48")),
    *(("172.16.0.0/11",), ("203.0.113.0/24",)),
)
"""Addresses of pods: inside blocks, around them, across their ends, in one family and in both."""


def pod_cidrs(rng: Random, written: Sequence[str]) -> tuple[str, ...]:
    """Where pods have their addresses from, given the networks that policies name; in some clusters nobody says."""
    choice = rng.random()
    if choice < 0.25:
        return ()
    if choice < 0.5 or not written:
        return rng.choice(POD_NETWORKS)
    named = {str(ip_network(each, strict=False)) for each in rng.sample(written, min(len(written), rng.choice((1, 1, 2))))}
    return (*sorted(named), *rng.choice(((), (), ("192.168.77.0/24",), ("fd00::/48",))))


def network_policy(rng: Random, metadata: Document) -> Document:
    """A whole policy."""
    spec: Document = {}
    if rng.random() < 0.9:
        spec["podSelector"] = selector(rng, POD_WORDS, wide=0.45)
    types = rng.choice((None, None, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"], ["Egress", "Ingress"]))
    if types is not None:
        spec["policyTypes"] = types
    for direction in ("ingress", "egress"):
        some = [rule(rng, direction) for _ in range(rng.randint(1, 3))]
        written: list[Document] | None = rng.choice((None, [], [Document()], some, some, some, some))
        if written is not None or rng.random() < 0.1:
            spec[direction] = written
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def rule(rng: Random, direction: str) -> Document:
    """One rule of a direction."""
    made: Document = {}
    some = [peer(rng) for _ in range(rng.randint(1, 3))]
    peers = rng.choice((None, [], some, some, some, some))
    if peers is not None or rng.random() < 0.1:
        made["from" if direction == "ingress" else "to"] = peers
    some = [port(rng) for _ in range(rng.randint(1, 3))]
    ports = rng.choice((None, [], some, some, some))
    if ports is not None or rng.random() < 0.1:
        made["ports"] = ports
    return made


def peer(rng: Random) -> Document:
    """Pods here, pods of some namespaces, whole namespaces, or addresses."""
    choice = rng.random()
    if choice < 0.35:
        return {"ipBlock": block(rng)}
    made: Document = {}
    if choice < 0.8:
        words = NAMESPACE_WORDS if rng.random() < 0.6 else {NAME_LABEL: NAMESPACE_WORDS[NAME_LABEL]}
        made["namespaceSelector"] = selector(rng, words, wide=0.25)
    if choice > 0.6:
        made["podSelector"] = selector(rng, POD_WORDS, wide=0.2)
    if choice > 0.97:
        made["namespaceSelector"] = None
    return made


def block(rng: Random) -> Document:
    """A block of addresses, perhaps with exceptions, which may leave nothing of it."""
    made: Document = {"cidr": rng.choice(BLOCKS)}
    inside = _inside(made["cidr"])
    choice = rng.random()
    if choice < 0.4 and inside:
        made["except"] = rng.sample(inside, min(len(inside), rng.randint(1, 3)))
    elif choice < 0.5 and not made["cidr"].endswith(("/32", "/128")):
        made["except"] = [str(half) for half in ip_network(made["cidr"], strict=False).subnets(1)][: rng.randint(1, 2)]
    elif choice < 0.6:
        made["except"] = rng.choice(([], None))
    return made


def port(rng: Random) -> Document:
    """A number, a range, a name, or a whole protocol."""
    made: Document = {}
    if rng.random() < 0.7:
        made["protocol"] = rng.choice(("TCP", "TCP", "UDP", "SCTP"))
    choice = rng.random()
    if choice < 0.45:
        made["port"] = rng.choice(("http", "metrics", "dns", "absent"))
    elif choice < 0.9:
        made["port"] = rng.choice((1, 53, 80, 81, 443, 8080, 9090, 65535))
        if rng.random() < 0.5:
            made["endPort"] = min(65535, made["port"] + rng.choice((0, 1, 28, 1000, 65535)))
    return made


def selector(rng: Random, words: Words, wide: float) -> Document:
    """A label selector; with probability `wide` one that matches everything."""
    if rng.random() < wide:
        return rng.choice(({}, {"matchLabels": {}}, {"matchLabels": None, "matchExpressions": []}))
    made: Document = {}
    if rng.random() < 0.55:
        made["matchLabels"] = {key: rng.choice(words[key]) for key in rng.sample(list(words), min(len(words), rng.choice((1, 1, 2))))}
    if not made or rng.random() < 0.25:
        made["matchExpressions"] = [requirement(rng, words) for _ in range(rng.choice((1, 1, 2)))]
    return made


def requirement(rng: Random, words: Words) -> dict[str, Any]:
    """One expression of a selector."""
    key = rng.choice((*words, "absent"))
    operator = rng.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    made: dict[str, Any] = {"key": key, "operator": operator}
    if operator in {"In", "NotIn"}:
        known = words.get(key, ("x",))
        made["values"] = rng.sample(known, rng.randint(1, len(known)))
    elif rng.random() < 0.2:
        made["values"] = []
    return made


@cache
def _inside(outer: str) -> tuple[str, ...]:
    return tuple(inner for inner in BLOCKS if _strictly_inside(inner, outer))


def _strictly_inside(inner: str, outer: str) -> bool:
    a, b = ip_network(inner, strict=False), ip_network(outer, strict=False)
    starts_inside = int(b.network_address) <= int(a.network_address) <= int(b.broadcast_address)
    return a.version == b.version and a.prefixlen > b.prefixlen and starts_inside

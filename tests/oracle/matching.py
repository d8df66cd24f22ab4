"""Selectors, blocks and port names: what NetworkPolicy and the admin tiers read alike."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from tests.oracle.points import Address
from tests.oracle.reading import Labels, Variant


def selects(selector: dict[str, Any] | None, labels: Labels) -> bool:
    """Whether a label selector matches; a missing one reads as the empty one, which matches everything."""
    selector = selector or {}
    wanted = (selector.get("matchLabels") or {}).items()
    return all(labels.get(key) == value for key, value in wanted) and all(
        requirement_holds(r["key"], r["operator"], r.get("values") or [], labels) for r in selector.get("matchExpressions") or []
    )


def requirement_holds(key: str, operator: str, values: list[str], labels: Labels) -> bool:
    """One requirement of a selector; what asks for absence holds for pods that lack the key."""
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    raise ValueError(f"unknown operator {operator}")


def contains(cidr: str, address: Address) -> bool:
    """Whether a block, its host bits masked, holds an address."""
    network = _NETWORKS.get(cidr)
    if network is None:
        parsed = ip_network(cidr, strict=False)
        network = _NETWORKS[cidr] = (parsed.version, int(parsed.network_address), int(parsed.broadcast_address))
    return network[0] == address.version and network[1] <= address.value <= network[2]


_NETWORKS: dict[str, tuple[int, int, int]] = {}


def resolve(name: str, protocol: str, pod: Variant) -> int | None:
    """The number of a named port on a pod; the name counts together with its protocol."""
    return next((p.number for p in pod.ports if p.name == name and p.protocol == protocol), None)

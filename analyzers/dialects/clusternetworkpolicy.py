"""ClusterNetworkPolicy, policy.networking.k8s.io/v1alpha2 and v1beta1: rules before any NetworkPolicy or after all, as `tier` says."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.dialects.admin_rules import GROUP, AdminReader, Shape, named_port, port_range, unknown_version
from analyzers.dialects.dialect import Dialect, Lowered
from analyzers.model.manifest import Field, Manifest
from analyzers.model.metadata import read_port_number
from analyzers.model.pod_network import UNKNOWN_NETWORK, PodNetwork
from analyzers.model.policy import Action, NumberedPorts, PortMatch, Tier
from analyzers.sets.connections import Protocol
from analyzers.sets.intervals import IntervalSet

_TIERS = {"Admin": Tier.ADMIN, "Baseline": Tier.BASELINE}
_PROTOCOLS = {"tcp": Protocol.TCP, "udp": Protocol.UDP, "sctp": Protocol.SCTP}


def lower(manifest: Manifest, network: PodNetwork = UNKNOWN_NETWORK) -> Lowered:
    """The policy that one ClusterNetworkPolicy states. Raises InvalidObject for what the API server would reject."""
    reader = AdminReader(manifest, _SHAPE, network)
    return unknown_version(manifest, _SHAPE) or reader.policy(_tier(reader.spec["tier"]), reader.priority(), ("tier", "priority"))


def _tier(field: Field) -> Tier:
    if field.text() not in _TIERS:
        raise field.fail(f"{field.text()!r} is not one of {', '.join(_TIERS)}")
    return _TIERS[field.text()]


def _protocol(reader: AdminReader, field: Field) -> Iterator[PortMatch]:
    """One entry of `protocols`: ports of one protocol by number, or a name in whatever protocol."""
    fields = (*_PROTOCOLS, "destinationNamedPort")
    reader.check_known(field, fields)
    kind, match = reader.only(field, fields)
    if kind == "destinationNamedPort":
        yield from named_port(match)
    else:
        reader.check_known(match, ("destinationPort",))
        _, port = reader.only(match, ("destinationPort",))
        yield _port(reader, _PROTOCOLS[kind], port)


def _port(reader: AdminReader, protocol: Protocol, field: Field) -> NumberedPorts:
    reader.check_known(field, ("number", "range"))
    kind, port = reader.only(field, ("number", "range"))
    if kind == "range":
        reader.check_known(port, ("start", "end"))
        return port_range(protocol, port)
    number = read_port_number(port)
    return NumberedPorts(protocol, IntervalSet(((number, number),)))


_SHAPE = Shape(
    versions=("v1alpha2", "v1beta1"),
    actions={"Accept": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS},
    most_rules=25,
    most_entries=25,
    egress_peers=("nodes", "networks", "domainNames"),
    ports="protocols",
    port=_protocol,
    pods_require=("podSelector",),
)

DIALECT = Dialect("ClusterNetworkPolicy", frozenset({(GROUP, "ClusterNetworkPolicy")}), lower)

"""AdminNetworkPolicy, policy.networking.k8s.io/v1alpha1: rules before any NetworkPolicy."""

from __future__ import annotations

from analyzers.dialects.admin_ports import read_port
from analyzers.dialects.admin_rules import GROUP, AdminReader, Shape, unknown_version
from analyzers.dialects.dialect import Dialect, Lowered
from analyzers.model.manifest import Manifest
from analyzers.model.pod_network import UNKNOWN_NETWORK, PodNetwork
from analyzers.model.policy import Action, Tier

_SHAPE = Shape(
    versions=("v1alpha1",),
    actions={"Allow": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS},
    most_rules=100,
    most_entries=100,
    egress_peers=("nodes", "networks", "domainNames"),
    ports="ports",
    port=read_port,
    pods_require=("namespaceSelector", "podSelector"),
)


def lower(manifest: Manifest, network: PodNetwork = UNKNOWN_NETWORK) -> Lowered:
    """The policy that one AdminNetworkPolicy states. Raises InvalidObject for what the API server would reject."""
    reader = AdminReader(manifest, _SHAPE, network)
    return unknown_version(manifest, _SHAPE) or reader.policy(Tier.ADMIN, reader.priority(), ("priority",))


DIALECT = Dialect("AdminNetworkPolicy", frozenset({(GROUP, "AdminNetworkPolicy")}), lower)

"""BaselineAdminNetworkPolicy, policy.networking.k8s.io/v1alpha1: rules for what no NetworkPolicy isolates; there is one, called default."""

from __future__ import annotations

from analyzers.dialects.admin_ports import read_port
from analyzers.dialects.admin_rules import GROUP, AdminReader, Shape, unknown_version
from analyzers.dialects.dialect import Dialect, Lowered
from analyzers.model.manifest import Manifest, root
from analyzers.model.pod_network import UNKNOWN_NETWORK, PodNetwork
from analyzers.model.policy import Action, Tier

_SHAPE = Shape(
    versions=("v1alpha1",),
    actions={"Allow": Action.ALLOW, "Deny": Action.DENY},
    most_rules=100,
    most_entries=100,
    egress_peers=("nodes", "networks"),
    ports="ports",
    port=read_port,
    pods_require=("namespaceSelector", "podSelector"),
)


def lower(manifest: Manifest, network: PodNetwork = UNKNOWN_NETWORK) -> Lowered:
    """The policy that one BaselineAdminNetworkPolicy states. Raises InvalidObject for what the API server would reject."""
    if manifest.name != "default":
        raise root(manifest)["metadata"]["name"].fail(f"{manifest.name!r}: a cluster has one of this kind, and it is called 'default'")
    # The API gives it no priority; beside baseline policies of the newer kind its place is not known.
    return unknown_version(manifest, _SHAPE) or AdminReader(manifest, _SHAPE, network).policy(Tier.BASELINE, None)


DIALECT = Dialect("BaselineAdminNetworkPolicy", frozenset({(GROUP, "BaselineAdminNetworkPolicy")}), lower)

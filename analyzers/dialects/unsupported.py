"""Policy kinds that are known and not analysed: reported by name, so that nobody reads a partial answer as a whole one."""

from __future__ import annotations

UNSUPPORTED_GROUPS: dict[str, frozenset[str]] = {
    "projectcalico.org": frozenset({"GlobalNetworkPolicy", "GlobalNetworkSet", "NetworkSet", "Tier", "HostEndpoint"}),
    "crd.projectcalico.org": frozenset({"GlobalNetworkPolicy", "GlobalNetworkSet", "NetworkSet", "Tier", "HostEndpoint"}),
    "cilium.io": frozenset({"CiliumCIDRGroup", "CiliumEgressGatewayPolicy", "CiliumLocalRedirectPolicy"}),
    "security.istio.io": frozenset({"AuthorizationPolicy", "PeerAuthentication"}),
    "policy.linkerd.io": frozenset({"Server", "ServerAuthorization", "AuthorizationPolicy", "NetworkAuthentication"}),
    "k8s.ovn.org": frozenset({"EgressFirewall", "UserDefinedNetwork", "ClusterUserDefinedNetwork"}),
    "crd.antrea.io": frozenset({"ClusterGroup", "Group", "Tier"}),
}


def is_policy_shaped(group: str, kind: str) -> bool:
    """Whether an object of this group and kind decides traffic: one of the table, or anything that calls itself a NetworkPolicy."""
    return kind.endswith("NetworkPolicy") or kind in UNSUPPORTED_GROUPS.get(group, ())

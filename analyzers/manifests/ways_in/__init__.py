"""Ways in: Ingress, Route and the Gateway API, read one by one, then settled once all objects are known.

`READERS` is the whole registry: a new kind is one reader and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analyzers.manifests.ways_in.gateway_api import (
    GROUP,
    read_gateway,
    read_gateway_class,
    read_reference_grant,
    read_route,
)
from analyzers.manifests.ways_in.ingress import read_ingress, read_ingress_class
from analyzers.manifests.ways_in.openshift import read_openshift_route
from analyzers.manifests.ways_in.settled import settled_ways
from analyzers.model.manifest import Manifest
from analyzers.model.ways_in import WayMeaning

__all__ = ["CLUSTER_SCOPED", "READERS", "settled_ways"]

Read = Callable[[Manifest], WayMeaning]
"""What an object means. Raises InvalidObject."""

READERS: Mapping[tuple[str, str], Read] = {
    ("networking.k8s.io", "Ingress"): read_ingress,
    ("extensions", "Ingress"): read_ingress,
    ("networking.k8s.io", "IngressClass"): read_ingress_class,
    ("route.openshift.io", "Route"): read_openshift_route,
    ("", "Route"): read_openshift_route,  # OpenShift before 3.6, still common in repositories
    (GROUP, "Gateway"): read_gateway,
    (GROUP, "GatewayClass"): read_gateway_class,
    (GROUP, "HTTPRoute"): read_route,
    (GROUP, "GRPCRoute"): read_route,
    (GROUP, "TLSRoute"): read_route,
    (GROUP, "TCPRoute"): read_route,
    (GROUP, "UDPRoute"): read_route,
    (GROUP, "ReferenceGrant"): read_reference_grant,
}

CLUSTER_SCOPED = frozenset({("networking.k8s.io", "IngressClass"), (GROUP, "GatewayClass")})

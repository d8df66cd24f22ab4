"""The cluster: namespaces, workloads and the endpoints between which traffic flows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from analyzers.model.diagnostics import SourceLocation
from analyzers.model.selectors import Labels
from analyzers.model.uses import Use
from analyzers.model.ways_in import WayIn
from analyzers.sets.connections import Protocol
from analyzers.sets.ip_blocks import IPBlock

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the API server gives every namespace; its value is the namespace's name."""


class HostNetwork(StrEnum):
    """How pods with `hostNetwork: true` are read: as addresses of their node (the common implementation), or as any other pod."""

    NODE = "node"
    POD = "pod"


class NamedPort(Struct, frozen=True, array_like=True, tag=True):
    """A container port's name; it resolves together with its protocol."""

    name: str
    protocol: Protocol

    def __str__(self) -> str:
        return f"{self.protocol} {self.name}"


class PodShape(Struct, frozen=True, array_like=True):
    """Everything about a pod that policy can see. `named_ports` is sorted by (name, protocol)."""

    labels: Labels
    named_ports: tuple[tuple[NamedPort, int], ...] = ()
    host_network: bool = False


class Workload(Struct, frozen=True, array_like=True):
    """One workload: its pods differ in `shapes` at most (sorted; most workloads have one). `origins` are the objects that declare it or
    its pods. With `by_operator` an operator makes its pods, and their labels are those that the operator documents. `uses` are what it says
    that it talks to."""

    namespace: str
    name: str
    kind: str
    shapes: tuple[PodShape, ...]
    origins: tuple[SourceLocation, ...]
    by_operator: bool = False
    uses: tuple[Use, ...] = ()

    @property
    def id(self) -> str:
        """The endpoint id: `shop/cart[Deployment]`."""
        return f"{self.namespace}/{self.name}[{self.kind}]"

    @property
    def has_replicas(self) -> bool:
        """Whether the workload can have another replica for its traffic to reach; a bare Pod is alone."""
        return self.kind != "Pod"

    @property
    def host_network(self) -> bool:
        """Whether any of its pods uses its node's network."""
        return any(shape.host_network for shape in self.shapes)


class ExternalBlock(Struct, frozen=True):
    """Addresses of one family outside the cluster between which policy makes no difference."""

    block: IPBlock

    @property
    def id(self) -> str:
        """The endpoint id: the block's CIDRs."""
        return self.block.name()


class IngressController(Struct, frozen=True):
    """Traffic that enters through an ingress controller or a gateway, wherever it runs."""

    @property
    def id(self) -> str:
        """The endpoint id: one stands for all of them."""
        return "{ingress-controller}"


INGRESS_CONTROLLER = IngressController()

Endpoint = Workload | ExternalBlock | IngressController


class ServicePort(Struct, frozen=True, array_like=True):
    """A port of a Service. `target` is a number or the name of a container port; `node_port` is 0 where none is written."""

    name: str
    protocol: Protocol
    port: int
    target: int | str
    node_port: int = 0


class Publishing(StrEnum):
    """How a Service publishes its pods to outside the cluster."""

    LOAD_BALANCER = "LoadBalancer"
    NODE_PORT = "NodePort"
    EXTERNAL_IPS = "ExternalIPs"


class Service(Struct, frozen=True, array_like=True):
    """A Service. `selector` is None when it has none, and then it selects no pod. `source_ranges` are the only addresses that its load
    balancer admits; `()` admits all. The name of one that is `headless` stands for the addresses of its pods."""

    namespace: str
    name: str
    selector: Labels | None
    ports: tuple[ServicePort, ...]
    origin: SourceLocation
    published: tuple[Publishing, ...] = ()
    source_ranges: tuple[IPBlock, ...] = ()
    headless: bool = False

    @property
    def title(self) -> str:
        """How messages name it: `Service shop/cart`."""
        return f"Service {self.namespace}/{self.name}"


class Cluster(Struct, frozen=True, eq=False, array_like=True):
    """One revision's inventory. `namespaces` maps a name to its labels, for each namespace that has an object or a workload or policy in
    it; `workloads`, `services` and `ways_in` are sorted by id."""

    namespaces: Mapping[str, Labels]
    workloads: tuple[Workload, ...]
    services: tuple[Service, ...] = ()
    ways_in: tuple[WayIn, ...] = ()

    def namespace_labels(self, namespace: str) -> Labels:
        """The labels of a namespace; one without an object still has its name label."""
        return self.namespaces.get(namespace, ((NAMESPACE_NAME_LABEL, namespace),))

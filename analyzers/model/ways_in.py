"""Ways in: what leads traffic from outside to Services, as written, and as it stands once all objects are known.

An Ingress, a Route or a route of the Gateway API leads through a controller, which speaks to pods as a pod does. A Service of type
LoadBalancer or NodePort, or with external addresses, publishes its pods directly (`Service.published`).
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from analyzers.model.diagnostics import SourceLocation
from analyzers.model.selectors import Labels, LabelSelector
from analyzers.sets.connections import Protocol


class Backend(Struct, frozen=True, array_like=True):
    """What one reference to a Service names. `port` is a port of the Service by number or name, and None for all of them; with `on_pods`
    it is the number of a port of the pods instead."""

    namespace: str
    service: str
    port: int | str | None
    origin: SourceLocation
    on_pods: bool = False

    def __str__(self) -> str:
        named = f"Service {self.namespace}/{self.service}"
        return named if self.port is None else f"{named} port {self.port}"


class EntryMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object is an Ingress or a Route. `class_name` says which controller serves it; empty where the object does not."""

    class_name: str
    backends: tuple[Backend, ...]


class ClassMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object names a controller for an Ingress or Gateway class; `default` is the class of an Ingress that names none."""

    controller: str
    default: bool


class Admits(StrEnum):
    """From which namespaces a listener admits routes, as the API spells it."""

    ALL = "All"
    SAME = "Same"
    SELECTOR = "Selector"
    NONE = "None"


class RouteKind(Struct, frozen=True, array_like=True):
    """A kind of route, or of what may refer to another namespace."""

    group: str
    kind: str


class Listener(Struct, frozen=True, array_like=True):
    """One listener of a Gateway. `selector` counts where `admits` says so; `kinds` are the routes that it takes, `()` those of its
    protocol; an empty `hostname` is any."""

    name: str
    port: int
    protocol: str
    hostname: str
    admits: Admits
    selector: LabelSelector
    kinds: tuple[RouteKind, ...]


class GatewayMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object is a Gateway."""

    class_name: str
    listeners: tuple[Listener, ...]


class Parent(Struct, frozen=True, array_like=True):
    """The Gateway that a route wants to be attached to; an empty `section` and a `port` of 0 are any of its listeners."""

    namespace: str
    name: str
    section: str
    port: int


class RouteMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object is a route of the Gateway API."""

    parents: tuple[Parent, ...]
    hostnames: tuple[str, ...]
    backends: tuple[Backend, ...]


class GrantMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object lets others refer to Services of its namespace: `sources` are (kind, namespace), `services` their names, "" all."""

    sources: tuple[tuple[RouteKind, str], ...]
    services: tuple[str, ...]


WayMeaning = EntryMeaning | ClassMeaning | GatewayMeaning | RouteMeaning | GrantMeaning


class PodsLike(Struct, frozen=True, array_like=True):
    """Pods with these labels, in one namespace, or in any where it is ""."""

    namespace: str
    labels: Labels


class WayIn(Struct, frozen=True, array_like=True):
    """A way through a controller, as it stands once all objects are known.

    `controllers` are what the pods of its controller are known by, `()` where nothing is known of them. Unless it is `certain` it depends
    on a Gateway that the manifests do not hold.
    """

    kind: str
    namespace: str
    name: str
    protocol: Protocol
    backends: tuple[Backend, ...]
    origin: SourceLocation
    controllers: tuple[PodsLike, ...] = ()
    certain: bool = True

    @property
    def title(self) -> str:
        """How messages name it: `Ingress shop/web`."""
        return f"{self.kind} {self.namespace}/{self.name}"

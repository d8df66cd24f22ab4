"""Landings: on which ports of which pods the traffic of a way in arrives, through the Service that it leads to. Policy comes later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from analyzers.model.cluster import Cluster, NamedPort, PodShape, Publishing, Service, ServicePort
from analyzers.model.selectors import Labels, LabelSelector, Operator, Requirement
from analyzers.model.ways_in import Backend, PodsLike, WayIn
from analyzers.reachability.bits import members_of, span_bits
from analyzers.reachability.index import Postings
from analyzers.reachability.universe import Universe
from analyzers.sets.connections import Protocol


class Landing(Struct, frozen=True):
    """The classes behind one port of a Service, and the port of theirs (`target`) to which it leads. `backend` is None, and `way` too, for
    a Service that publishes its pods directly."""

    service: Service
    port: ServicePort
    target: int
    classes: int
    way: WayIn | None = None
    backend: Backend | None = None

    @property
    def protocol(self) -> Protocol:
        """The protocol of the port."""
        return self.port.protocol


class Landings:
    """Where the ways in of one revision arrive. Empty, and made at no cost, where there are none. `shapes` are its pods, by class."""

    def __init__(self, universe: Universe, shapes: Sequence[PodShape | None], cluster: Cluster) -> None:
        published = [service for service in cluster.services if service.published]
        self._pods = Pods(universe, shapes) if cluster.ways_in or published else None
        known = {(service.namespace, service.name): service for service in cluster.services} if cluster.ways_in else {}
        self.through: tuple[Landing, ...] = tuple(
            landing
            for way in cluster.ways_in
            for backend in way.backends
            if (service := known.get((backend.namespace, backend.service))) is not None
            for landing in self._through(way, backend, service)
        )
        self.published: tuple[Landing, ...] = tuple(landing for service in published for landing in self._published(service))

    @property
    def ports(self) -> Iterator[tuple[Protocol, int]]:
        """The ports at which ways through controllers arrive: verdicts about them must be asked apart."""
        return ((landing.protocol, landing.target) for landing in self.through)

    def like(self, pods: PodsLike) -> int:
        """The classes of pods with some labels, however policy reads them."""
        return self._pods.like(pods) if self._pods is not None else 0

    def _through(self, way: WayIn, backend: Backend, service: Service) -> Iterator[Landing]:
        for landing in self._published(service, [port for port in service.ports if _is_named(backend, port, way.protocol)]):
            if not backend.on_pods or landing.target == backend.port:
                yield Landing(service, landing.port, landing.target, landing.classes, way, backend)

    def _published(self, service: Service, ports: Iterable[ServicePort] | None = None) -> Iterator[Landing]:
        assert self._pods is not None
        selected = self._pods.selected(service)
        for port in service.ports if ports is None else ports:
            yield from (Landing(service, port, target, classes) for target, classes in self._pods.targets(selected, port))


def _is_named(backend: Backend, port: ServicePort, protocol: Protocol) -> bool:
    """Whether a backend may lead to a port of its Service; where it names a port of the pods, that is told once names are resolved."""
    if port.protocol is not protocol:
        return False
    if backend.port is None or backend.on_pods:
        return True
    return backend.port == (port.name if isinstance(backend.port, str) else port.port)


class Pods:
    """Every pod of one revision, those on the network of their node included: Services select them all."""

    def __init__(self, universe: Universe, shapes: Sequence[PodShape | None]) -> None:
        self._universe, self._shapes = universe, shapes
        self._labelled = Postings((number, shape.labels) for number, shape in enumerate(shapes) if shape is not None)

    def like(self, pods: PodsLike) -> int:
        """The classes with some labels, in one namespace or in all."""
        found = self._labelled.select(_selector(pods.labels))
        return found & self._within(pods.namespace) if pods.namespace else found

    def selected(self, service: Service) -> int:
        """The classes that a Service selects."""
        return self.like(PodsLike(service.namespace, service.selector)) if service.selector else 0

    def targets(self, classes: int, port: ServicePort) -> Iterator[tuple[int, int]]:
        """Each port number that a port of a Service leads to, with the classes where it does. A number counts whether or not a container
        declares it."""
        if isinstance(port.target, int):
            if classes:
                yield port.target, classes
            return
        named, found = NamedPort(port.target, port.protocol), dict[int, int]()
        for number in members_of(classes):
            shape = self._shapes[number]
            target = dict(shape.named_ports).get(named) if shape is not None else None
            if target is not None:
                found[target] = found.get(target, 0) | 1 << number
        yield from sorted(found.items())

    def _within(self, namespace: str) -> int:
        return span_bits(*self._universe.spans.get(namespace, (0, 0)))


def _selector(labels: Labels) -> LabelSelector:
    return LabelSelector(tuple(sorted(Requirement(key, Operator.IN, (value,)) for key, value in labels)))


def narrowed(service: Service) -> bool:
    """Whether only some addresses reach the pods that a Service publishes."""
    return bool(service.source_ranges) and service.published == (Publishing.LOAD_BALANCER,)

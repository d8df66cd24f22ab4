"""Ways in, once all objects are known: which controller serves each, which Gateway admits it, and what leads nowhere. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from analyzers.manifests.ways_in.attachment import Gateways
from analyzers.manifests.ways_in.controllers import pods_of_any, pods_of_class
from analyzers.manifests.ways_in.grants import Grants
from analyzers.model.cluster import Service, ServicePort
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.records import ObjectRecord
from analyzers.model.selectors import Labels
from analyzers.model.ways_in import Backend, ClassMeaning, EntryMeaning, GatewayMeaning, GrantMeaning, PodsLike, RouteMeaning, WayIn
from analyzers.sets.connections import Protocol


def settled_ways(
    objects: Iterable[ObjectRecord], services: Iterable[Service], labels_of: Callable[[str], Labels]
) -> tuple[tuple[WayIn, ...], tuple[Diagnostic, ...]]:
    """The ways in of one revision, by id, and what was noticed on the way. `labels_of` gives the labels of a namespace."""
    settling = _Settling(tuple(objects), labels_of)
    known = {(service.namespace, service.name): service for service in services}
    ways = sorted(settling.ways(), key=lambda way: (way.namespace, way.name, way.kind))
    lost = (diagnostic for way in ways for diagnostic in _leading_nowhere(way, known))
    return tuple(ways), (*settling.diagnostics, *lost)


def ports_of(backend: Backend, service: Service, protocol: Protocol) -> tuple[ServicePort, ...]:
    """The ports of a Service that a backend names."""
    ports = (port for port in service.ports if port.protocol is protocol)
    if backend.port is None:
        return tuple(ports)
    if backend.on_pods:
        return tuple(port for port in ports if port.target == backend.port or isinstance(port.target, str))
    return tuple(port for port in ports if backend.port == (port.name if isinstance(backend.port, str) else port.port))


class _Settling:
    """The objects of one revision that ways in depend on."""

    def __init__(self, objects: tuple[ObjectRecord, ...], labels_of: Callable[[str], Labels]) -> None:
        meanings = [(each.key, each.meaning) for each in objects]
        self._objects = objects
        self._classes: Mapping[tuple[str, str], ClassMeaning] = {
            (key.kind, key.name): meaning for key, meaning in meanings if isinstance(meaning, ClassMeaning)
        }
        gateways = {(key.namespace, key.name): meaning for key, meaning in meanings if isinstance(meaning, GatewayMeaning)}
        self._gateways = Gateways(gateways, {name: each.controller for (kind, name), each in self._classes.items()}, labels_of)
        self._grants = Grants((key.namespace, meaning) for key, meaning in meanings if isinstance(meaning, GrantMeaning))
        self.diagnostics: list[Diagnostic] = []

    def ways(self) -> Iterator[WayIn]:
        """Every way through a controller."""
        for each in self._objects:
            if isinstance(each.meaning, EntryMeaning):
                controllers = self._serving(each.meaning.class_name)
                yield WayIn(
                    each.key.kind, each.key.namespace, each.key.name, Protocol.TCP, each.meaning.backends, each.location, controllers
                )
            elif isinstance(each.meaning, RouteMeaning):
                yield from self._attached(each, each.meaning)

    def _serving(self, class_name: str) -> tuple[PodsLike, ...]:
        """The pods that serve an Ingress of a class; of none, those of the default class, else of any controller that is known."""
        if not class_name:
            default = next((each for (kind, _), each in sorted(self._classes.items()) if kind == "IngressClass" and each.default), None)
            return pods_of_class("", default.controller) if default is not None else pods_of_any()
        named = self._classes.get(("IngressClass", class_name))
        return pods_of_class(class_name, named.controller if named is not None else "")

    def _attached(self, route: ObjectRecord, meaning: RouteMeaning) -> Iterator[WayIn]:
        """A route as the Gateways that it names admit it; one that none of them admits leads nowhere."""
        if not meaning.parents:
            return
        attachment = self._gateways.attach(route.key, meaning)
        if attachment is None:
            names = ", ".join(f"{each.namespace}/{each.name}" for each in meaning.parents)
            self._note(f"{route.key.title} is attached to no listener: Gateway {names} does not admit it", route)
            return
        granted = tuple(backend for backend in meaning.backends if self._grants.admit(route.key, backend))
        for backend in meaning.backends:
            if backend not in granted:
                problem = f"{route.key.title} leads to {backend}, and no ReferenceGrant of namespace {backend.namespace} admits that"
                self.diagnostics.append(Diagnostic.at("leads-nowhere", problem, backend.origin))
        protocol = Protocol.UDP if route.key.kind == "UDPRoute" else Protocol.TCP
        yield WayIn(
            route.key.kind,
            route.key.namespace,
            route.key.name,
            protocol,
            granted,
            route.location,
            attachment.controllers,
            attachment.certain,
        )

    def _note(self, problem: str, record: ObjectRecord) -> None:
        self.diagnostics.append(Diagnostic.at("leads-nowhere", problem, record.location))


def _leading_nowhere(way: WayIn, services: Mapping[tuple[str, str], Service]) -> Iterator[Diagnostic]:
    for backend in way.backends:
        service = services.get((backend.namespace, backend.service))
        if service is None:
            problem = f"{way.title} leads to {backend}, which the manifests do not hold"
        elif not ports_of(backend, service, way.protocol) and not backend.on_pods:
            problem = f"{way.title} leads to {backend}, and the Service has no such {way.protocol} port"
        else:
            continue
        yield Diagnostic.at("leads-nowhere", problem, backend.origin)

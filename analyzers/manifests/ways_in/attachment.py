"""Attachment: whether a Gateway admits a route, by its listeners. Source: the Gateway API's rules for attaching routes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from analyzers.manifests.ways_in.controllers import pods_of_class, pods_of_gateway
from analyzers.manifests.ways_in.gateway_api import GROUP
from analyzers.model.records import ObjectKey
from analyzers.model.selectors import Labels
from analyzers.model.ways_in import Admits, GatewayMeaning, Listener, Parent, PodsLike, RouteKind, RouteMeaning

_KINDS_OF_PROTOCOL: Mapping[str, frozenset[str]] = {
    "HTTP": frozenset({"HTTPRoute", "GRPCRoute"}),
    "HTTPS": frozenset({"HTTPRoute", "GRPCRoute"}),
    "TLS": frozenset({"TLSRoute", "TCPRoute"}),
    "TCP": frozenset({"TCPRoute"}),
    "UDP": frozenset({"UDPRoute"}),
}
"""The routes that a listener takes where it does not say; one of another protocol, which an implementation defines, takes any."""

_WITH_HOSTNAMES = frozenset({"HTTPRoute", "GRPCRoute", "TLSRoute"})


class Attachment(Struct, frozen=True):
    """A route is attached. `controllers` are what the pods of the Gateways are known by; it is not `certain` where only Gateways that the
    manifests do not hold could admit it."""

    controllers: tuple[PodsLike, ...]
    certain: bool


class Gateways:
    """The Gateways of one revision; `controllers` maps a class to its controller's name."""

    def __init__(
        self, gateways: Mapping[tuple[str, str], GatewayMeaning], controllers: Mapping[str, str], labels_of: Callable[[str], Labels]
    ) -> None:
        self._gateways, self._controllers, self._labels_of = gateways, controllers, labels_of

    def attach(self, route: ObjectKey, meaning: RouteMeaning) -> Attachment | None:
        """How the Gateways that a route names admit it; None where none does."""
        admitting = [parent for parent in meaning.parents if self._admits(parent, route, meaning)]
        unknown = [parent for parent in meaning.parents if (parent.namespace, parent.name) not in self._gateways]
        pods = tuple(dict.fromkeys(each for parent in admitting or unknown for each in self._pods(parent)))
        return Attachment(pods, bool(admitting)) if admitting or unknown else None

    def _admits(self, parent: Parent, route: ObjectKey, meaning: RouteMeaning) -> bool:
        gateway = self._gateways.get((parent.namespace, parent.name))
        if gateway is None:
            return False
        listeners = (each for each in gateway.listeners if parent.section in {"", each.name} and parent.port in {0, each.port})
        return any(self._takes(listener, parent, route, meaning) for listener in listeners)

    def _takes(self, listener: Listener, parent: Parent, route: ObjectKey, meaning: RouteMeaning) -> bool:
        return (
            _takes_kind(listener, route)
            and self._admits_namespace(listener, parent.namespace, route.namespace)
            and (route.kind not in _WITH_HOSTNAMES or _share_a_host(listener.hostname, meaning.hostnames))
        )

    def _admits_namespace(self, listener: Listener, own: str, namespace: str) -> bool:
        if listener.admits is Admits.SELECTOR:
            return listener.selector.matches(dict(self._labels_of(namespace)))
        return listener.admits is Admits.ALL or (listener.admits is Admits.SAME and namespace == own)

    def _pods(self, parent: Parent) -> Iterator[PodsLike]:
        yield from pods_of_gateway(parent.namespace, parent.name)
        gateway = self._gateways.get((parent.namespace, parent.name))
        if gateway is not None:
            yield from pods_of_class(gateway.class_name, self._controllers.get(gateway.class_name, ""))


def _takes_kind(listener: Listener, route: ObjectKey) -> bool:
    if listener.kinds:
        return RouteKind(route.group, route.kind) in listener.kinds
    return route.group == GROUP and route.kind in _KINDS_OF_PROTOCOL.get(listener.protocol, {route.kind})


def _share_a_host(one: str, others: tuple[str, ...]) -> bool:
    """Whether a listener and a route have a host name in common; an empty name, or none, is every host."""
    return not one or not others or any(_overlap(one, other) or _overlap(other, one) for other in others)


def _overlap(one: str, other: str) -> bool:
    """Whether the first name is the second, or a wildcard that holds it: `*.example.com` holds any number of labels before its suffix."""
    return one == other or (one.startswith("*.") and other.removeprefix("*").endswith(one[1:]))

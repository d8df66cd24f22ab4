"""Gateways, routes and grants. Source: gateway.networking.k8s.io, v1 and the versions before it."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.model.diagnostics import SourceLocation
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_port_number, read_selector
from analyzers.model.ways_in import (
    Admits,
    Backend,
    ClassMeaning,
    GatewayMeaning,
    GrantMeaning,
    Listener,
    Parent,
    RouteKind,
    RouteMeaning,
)

GROUP = "gateway.networking.k8s.io"

_LISTENER_SETS = frozenset({(GROUP, "ListenerSet"), ("gateway.networking.x-k8s.io", "XListenerSet")})


def read_gateway_class(manifest: Manifest) -> ClassMeaning:
    """The controller of a class. Raises InvalidObject."""
    return ClassMeaning(root(manifest)["spec"]["controllerName"].text(""), default=False)


def read_gateway(manifest: Manifest) -> GatewayMeaning:
    """The listeners of a Gateway. Raises InvalidObject."""
    spec = root(manifest)["spec"]
    return GatewayMeaning(spec["gatewayClassName"].text(), tuple(map(_listener, spec["listeners"].items())))


def read_route(manifest: Manifest) -> RouteMeaning:
    """The parents and backends of a route of any kind. Raises InvalidObject."""
    spec = root(manifest)["spec"]
    parents = (parent for field in spec["parentRefs"].items() for parent in _parent(field, manifest))
    backends = (backend for rule in spec["rules"].items() for backend in _backends(rule, manifest))
    return RouteMeaning(tuple(parents), tuple(each.text() for each in spec["hostnames"].items()), tuple(dict.fromkeys(backends)))


def read_reference_grant(manifest: Manifest) -> GrantMeaning:
    """Who may refer to which Services of the grant's namespace. Raises InvalidObject."""
    spec = root(manifest)["spec"]
    sources = tuple((RouteKind(each["group"].text(), each["kind"].text()), each["namespace"].text()) for each in spec["from"].items())
    targets = (each for each in spec["to"].items() if (each["group"].text(), each["kind"].text()) == ("", "Service"))
    return GrantMeaning(sources, tuple(each["name"].text("") for each in targets))


def _listener(field: Field) -> Listener:
    routes = field["allowedRoutes"]
    origin = routes["namespaces"]["from"]
    if origin.text(Admits.SAME) not in set(Admits):
        raise origin.fail(f"{origin.text()!r} is not one of {', '.join(Admits)}")
    return Listener(
        field["name"].text(),
        read_port_number(field["port"]),
        field["protocol"].text(),
        field["hostname"].text(""),
        Admits(origin.text(Admits.SAME)),
        read_selector(routes["namespaces"]["selector"]),
        tuple(RouteKind(each["group"].text(GROUP), each["kind"].text()) for each in routes["kinds"].items()),
    )


def _parent(field: Field, manifest: Manifest) -> Iterator[Parent]:
    """The Gateway that is referred to; a set of listeners counts as one that the manifests do not hold. A parent of another kind (a
    Service, of a mesh) is no way in."""
    group, kind = field["group"].text(GROUP), field["kind"].text("Gateway")
    name = field["name"].text() if kind == "Gateway" else f"{kind} {field['name'].text()}"
    if (group, kind) == (GROUP, "Gateway") or (group, kind) in _LISTENER_SETS:
        namespace = field["namespace"].text("") or manifest.namespace
        port = read_port_number(field["port"]) if field["port"] else 0
        yield Parent(namespace, name, field["sectionName"].text(""), port)


def _backends(rule: Field, manifest: Manifest) -> Iterator[Backend]:
    """Where a rule sends traffic, mirrored requests included."""
    references = list(rule["backendRefs"].items())
    yield from (backend for field in references for backend in _backend(field, manifest))
    filters = (each for holder in (rule, *references) for each in holder["filters"].items())
    yield from (backend for each in filters if each["requestMirror"] for backend in _backend(each["requestMirror"]["backendRef"], manifest))


def _backend(field: Field, manifest: Manifest) -> Iterator[Backend]:
    """The Service that is referred to; a reference of weight 0 gets no traffic."""
    is_service = (field["group"].text(""), field["kind"].text("Service")) == ("", "Service")
    if not is_service or (field["weight"] and field["weight"].number() == 0):
        return
    place = SourceLocation(manifest.location.path, field.line)
    port = read_port_number(field["port"])
    yield Backend(field["namespace"].text("") or manifest.namespace, field["name"].text(), port, place)

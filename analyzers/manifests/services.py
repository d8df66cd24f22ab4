"""Services: what they select, to which ports they lead, and how they publish pods to outside the cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from analyzers.model.cluster import Cluster, NamedPort, PodShape, Publishing, Service, ServicePort
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_labels, read_port_number, read_protocol
from analyzers.model.selectors import Labels
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock, parse_cidr

_Key = tuple[str, tuple[str, str]]
"""A namespace, and a label of pods in it."""


def read_service(manifest: Manifest) -> Service:
    """What a Service means; the selector of one that is a name of another host counts for nothing. Raises InvalidObject."""
    spec = root(manifest)["spec"]
    kind = spec["type"].text("ClusterIP")
    selector = read_labels(spec["selector"]) or None
    ports = tuple(map(_port, spec["ports"].items()))
    published = _published(spec, kind)
    ranges = tuple(_range(each) for each in spec["loadBalancerSourceRanges"].items()) if Publishing.LOAD_BALANCER in published else ()
    selects = selector if kind != "ExternalName" else None
    headless = spec["clusterIP"].text("") == "None"
    return Service(manifest.namespace, manifest.name, selects, ports, manifest.location, published, ranges, headless)


def service_notes(cluster: Cluster) -> Iterator[Diagnostic]:
    """The Services that select no pod, and their ports that no selected pod has under the name that they lead to.

    Of pods that an operator makes not every port is known, so nothing is said of what they lack.
    """
    selecting = [service for service in cluster.services if service.selector]
    if not selecting:
        return
    pods = _pods_near(cluster, selecting)
    known: dict[tuple[str, Labels], _Selected] = {}
    for service in selecting:
        assert service.selector is not None
        key = (service.namespace, service.selector)
        if key not in known:
            near = pods.get((service.namespace, service.selector[0]), ())
            known[key] = _Selected.of(each for each in near if frozenset(service.selector).issubset(each[0].labels))
        yield from _notes(service, service.selector, known[key])


class _Selected(Struct, frozen=True):
    """What a selector selects: whether any pod, whether an operator makes some of them, and the names of their ports."""

    some: bool
    operated: bool
    ports: frozenset[NamedPort]

    @classmethod
    def of(cls, pods: Iterable[tuple[PodShape, bool]]) -> _Selected:
        """The pods of one selector, each with whether an operator makes it."""
        held = list(pods)
        return cls(bool(held), any(made for _, made in held), frozenset(named for shape, _ in held for named, _ in shape.named_ports))


def _notes(service: Service, selector: Labels, selected: _Selected) -> Iterator[Diagnostic]:
    if not selected.some:
        problem = f"{service.title} selects no pod of the manifests: {_written(selector)}"
        yield Diagnostic.at("service-selects-nothing", problem, service.origin)
    for port in service.ports if selected.some and not selected.operated else ():
        if isinstance(port.target, str) and NamedPort(port.target, port.protocol) not in selected.ports:
            problem = (
                f"{service.title} leads its port {port.port} to {port.protocol} port {port.target!r}, which no pod that it selects has"
            )
            yield Diagnostic.at("target-port-unknown", problem, service.origin)


def _pods_near(cluster: Cluster, services: Sequence[Service]) -> Mapping[_Key, list[tuple[PodShape, bool]]]:
    """The pods that carry the first label of some Service's selector, and whether an operator makes them: only labels that Services ask for
    are looked at."""
    asked = {(service.namespace, service.selector[0]) for service in services if service.selector}
    namespaces = {namespace for namespace, _ in asked}
    found: dict[_Key, list[tuple[PodShape, bool]]] = defaultdict(list)
    for workload in cluster.workloads:
        if workload.namespace in namespaces:
            for shape in workload.shapes:
                for label in shape.labels:
                    if (workload.namespace, label) in asked:
                        found[workload.namespace, label].append((shape, workload.by_operator))
    return found


def _written(labels: Labels) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels)


def _published(spec: Field, kind: str) -> tuple[Publishing, ...]:
    direct = (Publishing(kind),) if kind in {Publishing.LOAD_BALANCER, Publishing.NODE_PORT} else ()
    external = any(True for _ in spec["externalIPs"].items()) and kind != "ExternalName"
    return (*direct, Publishing.EXTERNAL_IPS) if external else direct


def _range(field: Field) -> IPBlock:
    try:
        family, span, _ = parse_cidr(field.text().strip())
    except ValueError as problem:
        raise field.fail(str(problem)) from problem
    return IPBlock(family, IntervalSet((span,)))


def _port(field: Field) -> ServicePort:
    number, target = read_port_number(field["port"]), field["targetPort"]
    resolved = number if not target else target.text() if target.is_text() else read_port_number(target)
    node_port = field["nodePort"].number() if field["nodePort"] else 0
    return ServicePort(field["name"].text(""), read_protocol(field["protocol"]), number, resolved, node_port)

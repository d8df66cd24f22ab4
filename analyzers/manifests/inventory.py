"""The inventory: namespaces, workloads and services of one revision. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from analyzers.manifests.ownership import Owners, controller_of
from analyzers.manifests.workload_kinds import WORKLOADS_BY_KIND
from analyzers.model.cluster import NAMESPACE_NAME_LABEL, Cluster, HostNetwork, PodShape, Service, ServicePort, Workload
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_labels, read_named_ports, read_port_number, read_protocol
from analyzers.model.records import Identity, Meaning, NamespaceMeaning, ObjectRecord, PodMeaning, ServiceMeaning
from analyzers.model.selectors import Labels, canonical_labels

INVENTORY_KINDS = frozenset({("", "Namespace"), ("", "Service"), *WORKLOADS_BY_KIND})

_MOST_NAMED = 5


def read_inventory(manifest: Manifest) -> Meaning:
    """What an object of an inventory kind means. Raises InvalidObject."""
    if manifest.kind == "Namespace":
        return NamespaceMeaning(_namespace_labels(manifest))
    if manifest.kind == "Service":
        return ServiceMeaning(_service(manifest))
    return PodMeaning(_pod_shape(manifest), controller_of(manifest))


def take_inventory(objects: Iterable[ObjectRecord]) -> Cluster:
    """The cluster that the objects describe; those of other kinds are passed over."""
    namespaces: dict[str, Labels] = {}
    services: list[Service] = []
    pods: list[tuple[ObjectRecord, PodMeaning]] = []
    for each in objects:
        if isinstance(each.meaning, PodMeaning):
            pods.append((each, each.meaning))
        elif isinstance(each.meaning, NamespaceMeaning):
            namespaces[each.key.name] = each.meaning.labels
        elif isinstance(each.meaning, ServiceMeaning):
            services.append(each.meaning.service)
    return Cluster(namespaces, _workloads(pods), tuple(sorted(services, key=lambda service: (service.namespace, service.name))))


def host_network_note(cluster: Cluster, reading: HostNetwork) -> tuple[Diagnostic, ...]:
    """Which pods the hostNetwork setting concerns, so that the report says how they were read."""
    concerned = [workload for workload in cluster.workloads if workload.host_network]
    if not concerned:
        return ()
    named = ", ".join(workload.id for workload in concerned[:_MOST_NAMED]) + (", …" if len(concerned) > _MOST_NAMED else "")
    read_as = "as addresses of their nodes, which policy does not select" if reading is HostNetwork.NODE else "like any other pod"
    counted, verb = ("1 workload uses", "is") if len(concerned) == 1 else (f"{len(concerned)} workloads use", "are")
    first = min((origin for workload in concerned for origin in workload.origins), key=lambda each: (each.path, each.line))
    return (Diagnostic.at("host-network", f"{counted} hostNetwork and {verb} read {read_as}: {named}", first),)


def _workloads(pods: list[tuple[ObjectRecord, PodMeaning]]) -> tuple[Workload, ...]:
    """Every workload with the distinct shapes of its pods, by id."""
    owners = Owners(pods)
    shapes: dict[Identity, set[PodShape]] = defaultdict(set)
    origins: dict[Identity, list[SourceLocation]] = defaultdict(list)
    for record, meaning in pods:
        identity = owners.workload_of(record.key, meaning)
        shapes[identity].add(meaning.shape)
        origins[identity].append(record.location)
    found = (_workload(identity, shapes[identity], origins[identity]) for identity in shapes)
    return tuple(sorted(found, key=lambda workload: workload.id))


def _workload(identity: Identity, shapes: set[PodShape], origins: list[SourceLocation]) -> Workload:
    return Workload(identity.namespace, identity.name, identity.kind, tuple(sorted(shapes, key=_shape_order)), tuple(origins))


def _shape_order(shape: PodShape) -> tuple[object, ...]:
    return (shape.labels, [(port.name, port.protocol.value, number) for port, number in shape.named_ports], shape.host_network)


def _pod_shape(manifest: Manifest) -> PodShape:
    pod = root(manifest)
    for step in WORKLOADS_BY_KIND[manifest.group, manifest.kind].template:
        pod = pod[step]
    if not pod:
        raise pod.fail("is required: a workload without a pod template is no object of its own")
    spec = pod["spec"]
    return PodShape(read_labels(pod["metadata"]["labels"]), read_named_ports(spec), spec["hostNetwork"].flag())


def _namespace_labels(manifest: Manifest) -> Labels:
    """The namespace's labels, with the name label that the API server sets whatever was written."""
    return canonical_labels({**dict(read_labels(root(manifest)["metadata"]["labels"])), NAMESPACE_NAME_LABEL: manifest.name})


def _service(manifest: Manifest) -> Service:
    spec = root(manifest)["spec"]
    selector = read_labels(spec["selector"]) or None
    ports = tuple(_service_port(field) for field in spec["ports"].items())
    return Service(manifest.namespace, manifest.name, selector, ports, manifest.location)


def _service_port(field: Field) -> ServicePort:
    number, target = read_port_number(field["port"]), field["targetPort"]
    resolved = number if not target else target.text() if target.is_text() else read_port_number(target)
    return ServicePort(field["name"].text(""), read_protocol(field["protocol"]), number, resolved)

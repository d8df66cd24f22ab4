"""The inventory: namespaces, workloads and services of one revision. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from analyzers.manifests.objects import understand
from analyzers.manifests.ownership import Identity, Owners, controller_of
from analyzers.manifests.workload_kinds import WORKLOADS_BY_KIND
from analyzers.model.cluster import NAMESPACE_NAME_LABEL, Cluster, HostNetwork, PodShape, Service, ServicePort, Workload
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_labels, read_named_ports, read_port_number, read_protocol
from analyzers.model.selectors import Labels, canonical_labels

INVENTORY_KINDS = frozenset({("", "Namespace"), ("", "Service"), *WORKLOADS_BY_KIND})

_MOST_NAMED = 5


def take_inventory(manifests: Iterable[Manifest]) -> tuple[Cluster, tuple[Diagnostic, ...]]:
    """The cluster that the objects describe. Objects of other kinds are passed over; invalid ones are diagnostics and take no part."""
    diagnostics: list[Diagnostic] = []
    listed = [each for each in manifests if (each.group, each.kind) in INVENTORY_KINDS]
    objects = [each for each in listed if understand(each, lambda one: (controller_of(one),), diagnostics)]
    read_namespaces = ((each.name, understand(each, _namespace_labels, diagnostics)) for each in objects if each.kind == "Namespace")
    namespaces = {name: labels for name, labels in read_namespaces if labels is not None}
    read_services = [understand(each, _service, diagnostics) for each in objects if each.kind == "Service"]
    services = tuple(sorted(filter(None, read_services), key=lambda each: (each.namespace, each.name)))
    return Cluster(namespaces, _workloads(objects, diagnostics), services), tuple(diagnostics)


def host_network_note(cluster: Cluster, reading: HostNetwork) -> tuple[Diagnostic, ...]:
    """Which pods the hostNetwork setting concerns, so that the report says how they were read."""
    concerned = [workload for workload in cluster.workloads if workload.host_network]
    if not concerned:
        return ()
    named = ", ".join(workload.id for workload in concerned[:_MOST_NAMED]) + (", …" if len(concerned) > _MOST_NAMED else "")
    read_as = "as addresses of their nodes, which policy does not select" if reading is HostNetwork.NODE else "like any other pod"
    first = min((origin for workload in concerned for origin in workload.origins), key=lambda each: (each.path, each.line))
    return (Diagnostic.at("host-network", f"{len(concerned)} workloads use hostNetwork and are read {read_as}: {named}", first),)


def _workloads(objects: Iterable[Manifest], diagnostics: list[Diagnostic]) -> tuple[Workload, ...]:
    """Every workload with the distinct shapes of its pods."""
    pods = [each for each in objects if (each.group, each.kind) in WORKLOADS_BY_KIND]
    owners = Owners(pods)
    shapes: dict[Identity, set[PodShape]] = defaultdict(set)
    origins: dict[Identity, list[SourceLocation]] = defaultdict(list)
    for manifest in pods:
        shape = understand(manifest, _pod_shape, diagnostics)
        if shape is not None:
            identity = owners.workload_of(manifest, dict(shape.labels))
            shapes[identity].add(shape)
            origins[identity].append(manifest.location)
    found = (
        Workload(each.namespace, each.name, each.kind, tuple(sorted(shapes[each], key=_shape_order)), tuple(origins[each]))
        for each in shapes
    )
    return tuple(sorted(found, key=lambda workload: workload.id))


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

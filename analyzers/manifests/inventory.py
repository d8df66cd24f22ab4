"""The inventory: namespaces, workloads, services and ways in of one revision. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct, field

from analyzers.manifests.kinds import PodKinds
from analyzers.manifests.operator_kinds import operated_shapes
from analyzers.manifests.ownership import Owners
from analyzers.manifests.pod_shapes import read_pods
from analyzers.manifests.services import read_service, service_notes
from analyzers.manifests.ways_in import READERS, settled_ways
from analyzers.model.cluster import NAMESPACE_NAME_LABEL, Cluster, HostNetwork, PodShape, Service, Workload
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import Manifest, root
from analyzers.model.metadata import read_labels
from analyzers.model.records import (
    BorrowedMeaning,
    Identity,
    Meaning,
    NamespaceMeaning,
    ObjectKey,
    ObjectRecord,
    OperatedMeaning,
    PodMeaning,
    ServiceMeaning,
)
from analyzers.model.selectors import Labels, canonical_labels
from analyzers.model.uses import Use

_OTHER_KINDS = frozenset({("", "Namespace"), ("", "Service"), *READERS})

_MOST_NAMED = 5


class Inventory:
    """Reads the objects that make up a cluster: everything but policies."""

    def __init__(self, kinds: PodKinds) -> None:
        self._kinds = kinds
        self.wanted = frozenset({*_OTHER_KINDS, *kinds.workloads, *kinds.operators})

    def read(self, manifest: Manifest) -> Meaning:
        """What an object of a wanted kind means. Raises InvalidObject."""
        key = (manifest.group, manifest.kind)
        if key in self._kinds.workloads:
            return read_pods(manifest, self._kinds.workloads[key])
        if key in self._kinds.operators:
            return OperatedMeaning(operated_shapes(manifest, self._kinds.operators[key]))
        if key == ("", "Service"):
            return ServiceMeaning(read_service(manifest))
        return READERS[key](manifest) if key in READERS else NamespaceMeaning(_namespace_labels(manifest))


def take_inventory(objects: Iterable[ObjectRecord]) -> Cluster:
    """The cluster that the objects describe; those of other kinds are passed over."""
    return survey(objects)[0]


def survey(objects: Iterable[ObjectRecord]) -> tuple[Cluster, tuple[Diagnostic, ...]]:
    """The cluster that the objects describe, and what was noticed on the way."""
    found = _Sorted()
    for each in objects:
        found.take(each)
    services = tuple(sorted(found.services, key=lambda service: (service.namespace, service.name)))
    pods, missing = _with_borrowed(found)
    workloads = _workloads(pods, found.operated)
    plain = Cluster(found.namespaces, workloads, services)
    ways, lost = settled_ways(found.ways, services, plain.namespace_labels)
    cluster = Cluster(found.namespaces, workloads, services, ways)
    return cluster, (*missing, *lost, *service_notes(cluster))


class _Sorted(Struct):
    """The objects of one revision by what they mean."""

    namespaces: dict[str, Labels] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)
    pods: list[tuple[ObjectRecord, PodMeaning]] = field(default_factory=list)
    operated: list[tuple[ObjectRecord, OperatedMeaning]] = field(default_factory=list)
    borrowed: list[tuple[ObjectRecord, BorrowedMeaning]] = field(default_factory=list)
    ways: list[ObjectRecord] = field(default_factory=list)

    def take(self, each: ObjectRecord) -> None:
        """Put one object where it belongs."""
        if isinstance(each.meaning, PodMeaning):
            self.pods.append((each, each.meaning))
        elif isinstance(each.meaning, NamespaceMeaning):
            self.namespaces[each.key.name] = each.meaning.labels
        elif isinstance(each.meaning, ServiceMeaning):
            self.services.append(each.meaning.service)
        elif isinstance(each.meaning, OperatedMeaning):
            self.operated.append((each, each.meaning))
        elif isinstance(each.meaning, BorrowedMeaning):
            self.borrowed.append((each, each.meaning))
        elif (each.key.group, each.key.kind) in READERS:
            self.ways.append(each)


def host_network_note(cluster: Cluster, reading: HostNetwork) -> tuple[Diagnostic, ...]:
    """Which pods the hostNetwork setting concerns, so that the report says how they were read."""
    concerned = [workload for workload in cluster.workloads if workload.host_network]
    if not concerned:
        return ()
    named = ", ".join(workload.id for workload in concerned[:_MOST_NAMED]) + (", …" if len(concerned) > _MOST_NAMED else "")
    counted, verb, nodes = (
        ("1 workload uses", "is", "its node") if len(concerned) == 1 else (f"{len(concerned)} workloads use", "are", "their nodes")
    )
    read_as = f"as the addresses of {nodes}, which policy does not select" if reading is HostNetwork.NODE else "like any other pod"
    first = min((origin for workload in concerned for origin in workload.origins), key=lambda each: (each.path, each.line))
    return (Diagnostic.at("host-network", f"{counted} hostNetwork and {verb} read {read_as}: {named}", first),)


def _with_borrowed(found: _Sorted) -> tuple[list[tuple[ObjectRecord, PodMeaning]], tuple[Diagnostic, ...]]:
    """The pods, and those of objects that use the template of another one; where that one is missing, their pods are unknown."""
    if not found.borrowed:
        return found.pods, ()
    lenders = {(record.key.namespace, record.key.kind, record.key.name): meaning for record, meaning in found.pods}
    pods, missing = list(found.pods), []
    for record, meaning in found.borrowed:
        lender = lenders.get((record.key.namespace, meaning.kind, meaning.name))
        if lender is not None:
            pods.append((record, PodMeaning(lender.shape, None, lender.uses)))
            continue
        problem = f"{record.key.title} uses the pod template of {meaning.kind} {meaning.name}, which the manifests do not hold"
        missing.append(Diagnostic.at("pods-unknown", problem, record.location))
    return pods, tuple(missing)


def _workloads(pods: list[tuple[ObjectRecord, PodMeaning]], operated: list[tuple[ObjectRecord, OperatedMeaning]]) -> tuple[Workload, ...]:
    """Every workload with the distinct shapes of its pods, by id."""
    owners = Owners(pods)
    shapes: dict[Identity, set[PodShape]] = defaultdict(set)
    origins: dict[Identity, list[SourceLocation]] = defaultdict(list)
    uses: dict[Identity, dict[Use, None]] = defaultdict(dict)
    for record, meaning in pods:
        identity = owners.workload_of(record.key, meaning)
        shapes[identity].add(meaning.shape)
        origins[identity].append(record.location)
        uses[identity].update(dict.fromkeys(meaning.uses))
    found = [_workload(identity, shapes[identity], origins[identity], tuple(uses[identity])) for identity in shapes]
    known = {workload.id for workload in found}
    made = (each for each in _operated(operated, found) if each.id not in known)
    return tuple(sorted((*found, *made), key=lambda workload: workload.id))


def _operated(operated: list[tuple[ObjectRecord, OperatedMeaning]], declared: Iterable[Workload]) -> Iterable[Workload]:
    """The workloads that operators make, less the pods that the manifests hold themselves (as the dump of a cluster does)."""
    if not operated:
        return
    real: dict[str, list[frozenset[tuple[str, str]]]] = defaultdict(list)
    for workload in declared:
        real[workload.namespace] += (frozenset(shape.labels) for shape in workload.shapes)
    for record, meaning in operated:
        shapes = {each for each in meaning.shapes if not any(labels.issuperset(each.labels) for labels in real[record.key.namespace])}
        if shapes:
            yield _workload(_itself(record.key), shapes, [record.location], by_operator=True)


def _workload(
    identity: Identity, shapes: set[PodShape], origins: list[SourceLocation], uses: tuple[Use, ...] = (), *, by_operator: bool = False
) -> Workload:
    ordered = tuple(sorted(shapes, key=_shape_order))
    return Workload(identity.namespace, identity.name, identity.kind, ordered, tuple(origins), by_operator, uses)


def _itself(key: ObjectKey) -> Identity:
    return Identity(key.namespace, key.name, key.kind)


def _shape_order(shape: PodShape) -> tuple[object, ...]:
    return (shape.labels, [(port.name, port.protocol.value, number) for port, number in shape.named_ports], shape.host_network)


def _namespace_labels(manifest: Manifest) -> Labels:
    """The namespace's labels, with the name label that the API server sets whatever was written."""
    return canonical_labels({**dict(read_labels(root(manifest)["metadata"]["labels"])), NAMESPACE_NAME_LABEL: manifest.name})

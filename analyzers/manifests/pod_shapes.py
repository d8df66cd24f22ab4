"""Pod templates: what policy can see of the pods that an object makes."""

from __future__ import annotations

from analyzers.manifests.operator_kinds import named
from analyzers.manifests.ownership import controller_of
from analyzers.manifests.uses import read_uses
from analyzers.manifests.workload_kinds import WorkloadKind
from analyzers.model.cluster import NamedPort, PodShape
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_labels, read_named_ports, read_port_name, read_port_number, read_protocol
from analyzers.model.records import BorrowedMeaning, PodMeaning
from analyzers.model.selectors import canonical_labels


def read_pods(manifest: Manifest, row: WorkloadKind) -> PodMeaning | BorrowedMeaning:
    """The pods that an object of a workload kind makes. Raises InvalidObject."""
    pod = _at(root(manifest), row.template)
    if not pod:
        lender = _at(root(manifest), row.borrows) if row.borrows else None
        if lender:
            return BorrowedMeaning(lender["kind"].text(), lender["name"].text())
        raise pod.fail("is required: a workload without a pod template is no object of its own")
    labels, spec = read_labels(pod["metadata"]["labels"]), pod["spec"]
    if row.adds:
        labels = canonical_labels({**dict(labels), **named(row.adds, manifest.name)})
    ports = _interface_ports(_at(spec, row.interfaces)) if row.interfaces else read_named_ports(spec)
    return PodMeaning(PodShape(labels, ports, spec["hostNetwork"].flag()), controller_of(manifest), read_uses(manifest, pod))


def _interface_ports(interfaces: Field) -> tuple[tuple[NamedPort, int], ...]:
    """The named ports of a virtual machine; the first of a name and protocol counts."""
    found: dict[NamedPort, int] = {}
    for interface in interfaces.items():
        for port in interface["ports"].items():
            number, protocol = read_port_number(port["port"]), read_protocol(port["protocol"])
            if port["name"].text(""):
                found.setdefault(NamedPort(read_port_name(port["name"]), protocol), number)
    return tuple(sorted(found.items(), key=lambda item: (item[0].name, item[0].protocol)))


def _at(document: Field, path: tuple[str, ...]) -> Field:
    for step in path:
        document = document[step]
    return document

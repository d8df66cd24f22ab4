"""What a cluster is, read from raw documents: namespaces with labels, workloads with their pods, NetworkPolicies as written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

Document = dict[str, Any]
Labels = dict[str, str]

TEMPLATES: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}
NAME_LABEL = "kubernetes.io/metadata.name"
HASH_LABEL = "pod-template-hash"
ADMIN_GROUP = "policy.networking.k8s.io"


class ContainerPort(NamedTuple):
    """What a port's name stands for on a pod."""

    name: str
    protocol: str
    number: int


@dataclass(frozen=True, slots=True, order=True)
class Variant:
    """Pods of one workload that are alike in all that policies see; a name stands once for each protocol in `ports`."""

    workload: str
    namespace: str
    labels: tuple[tuple[str, str], ...]
    ports: tuple[ContainerPort, ...]
    host_network: bool

    @property
    def kind(self) -> str:
        """The workload's kind."""
        return self.workload.rpartition("[")[2].removesuffix("]")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything that decides about reachability; `policies` maps a namespace to the documents of its NetworkPolicies, `admin` are those of
    the admin policies; `pod_cidrs` are where pods have their addresses from, empty where nobody says."""

    workloads: dict[str, tuple[Variant, ...]]
    namespaces: dict[str, Labels]
    policies: dict[str, list[Document]]
    admin: list[Document]
    pod_cidrs: tuple[str, ...] = ()

    def namespace_labels(self, name: str) -> Labels:
        """The labels of a namespace, with the one that the API server sets, whether or not there is an object."""
        return {**self.namespaces.get(name, {}), NAME_LABEL: name}


def read(documents: Iterable[Document], pod_cidrs: Iterable[str] = ()) -> Cluster:
    """The cluster that the documents describe, whose pods have their addresses from these blocks, as far as that is known."""
    documents = list(documents)
    manifests = {(namespace_of(d), d["kind"], _name(d)): d for d in documents if is_workload(d)}
    variants: dict[str, set[Variant]] = {}
    for document in manifests.values():
        variant = _variant(document, manifests)
        variants.setdefault(variant.workload, set()).add(variant)
    policies: dict[str, list[Document]] = {}
    for document in documents:
        if group_kind(document) == ("networking.k8s.io", "NetworkPolicy"):
            policies.setdefault(namespace_of(document), []).append(document)
    return Cluster(
        workloads={workload: tuple(sorted(found)) for workload, found in sorted(variants.items())},
        namespaces={_name(d): d["metadata"].get("labels") or {} for d in documents if group_kind(d) == ("", "Namespace")},
        policies=policies,
        admin=[document for document in documents if group_kind(document)[0] == ADMIN_GROUP],
        pod_cidrs=tuple(pod_cidrs),
    )


def group_kind(document: Document) -> tuple[str, str]:
    """What claims a document: its API group and its kind together."""
    return document["apiVersion"].rpartition("/")[0], document["kind"]


def namespace_of(document: Document) -> str:
    """The namespace of a namespaced document."""
    return document["metadata"].get("namespace") or "default"


def is_workload(document: Document) -> bool:
    """Whether a document has pods."""
    return group_kind(document) in TEMPLATES


def template_of(document: Document) -> Document:
    """The part of a workload that has the shape of a pod."""
    for step in TEMPLATES[group_kind(document)]:
        document = document[step]
    return document


def _name(document: Document) -> str:
    return str(document["metadata"]["name"])


def _variant(document: Document, manifests: dict[tuple[str, str, str], Document]) -> Variant:
    template = template_of(document)
    kind, name = _belongs_to(document, manifests)
    spec = template.get("spec") or {}
    return Variant(
        workload=f"{namespace_of(document)}/{name}[{kind}]",
        labels=tuple(sorted(((template.get("metadata") or {}).get("labels") or {}).items())),
        namespace=namespace_of(document),
        host_network=bool(spec.get("hostNetwork")),
        ports=tuple(sorted(first_of_each(_named_ports(spec)))),
    )


def first_of_each(ports: Iterable[ContainerPort]) -> list[ContainerPort]:
    """The ports that names stand for: where a pod repeats a name and protocol, the first one counts."""
    found: dict[tuple[str, str], ContainerPort] = {}
    for port in ports:
        found.setdefault((port.name, port.protocol), port)
    return list(found.values())


def _named_ports(spec: Document) -> Iterator[ContainerPort]:
    """Every named port, in the order in which the API server looks names up: containers, then sidecars."""
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or []), *sidecars]:
        for port in container.get("ports") or []:
            if port.get("name"):
                yield ContainerPort(port["name"], port.get("protocol") or "TCP", port["containerPort"])


def _belongs_to(document: Document, manifests: dict[tuple[str, str, str], Document]) -> tuple[str, str]:
    """The (kind, name) of the workload that the document's pods count as."""
    here = document["kind"], _name(document)
    owner = next((r for r in document["metadata"].get("ownerReferences") or [] if r.get("controller")), None)
    if owner is None or owner["kind"] == "Node" or document["kind"] not in {"Pod", "ReplicaSet", "Job"}:
        return here
    if document["kind"] == "Job" and owner["kind"] != "CronJob":
        return here
    above = manifests.get((namespace_of(document), owner["kind"], owner["name"]))
    if above is not None:
        return _belongs_to(above, manifests)
    suffix = "-" + ((document["metadata"].get("labels") or {}).get(HASH_LABEL) or "")
    if owner["kind"] == "ReplicaSet" and suffix != "-" and owner["name"].endswith(suffix):
        return "Deployment", owner["name"].removesuffix(suffix)
    return owner["kind"], owner["name"]

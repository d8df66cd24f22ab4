"""Workloads that operators make: custom resources whose pods carry labels that the operator documents. A new one is a row here, or one of
configuration.

Only what an operator promises is written down: the labels by which its own Services find the pods, and ports where they are fixed.
"""

from __future__ import annotations

from msgspec import Struct

from analyzers.model.cluster import NamedPort, PodShape
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_labels, read_named_ports, read_port_number
from analyzers.model.selectors import Labels, canonical_labels
from analyzers.sets.connections import Protocol


class OperatorPort(Struct, frozen=True):
    """A port of the pods. At `field` the object may give another number, at `named_by` another name; with the flag at `unless` the pods do
    not have it."""

    name: str
    number: int
    protocol: Protocol = Protocol.TCP
    field: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


class PodSet(Struct, frozen=True):
    """Pods of one sort that an operator makes: `labels` with `{name}` for the object's name, and labels that the object itself gives them
    at the path `extra`. Containers that the object adds stand below the path `spec`. The pods exist where the field at the path `when` is
    given, or always."""

    labels: Labels
    ports: tuple[OperatorPort, ...] = ()
    extra: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    spec: tuple[str, ...] = ()


class OperatorKind(Struct, frozen=True):
    """A custom kind with the pods that its operator makes."""

    group: str
    kind: str
    pods: tuple[PodSet, ...]


_POD_METADATA = ("spec", "podMetadata", "labels")


def _prometheus_operator(kind: str, component: str, *ports: OperatorPort) -> OperatorKind:
    labels = {
        "app.kubernetes.io/name": component,
        "app.kubernetes.io/managed-by": "prometheus-operator",
        "app.kubernetes.io/instance": "{name}",
        component: "{name}",
    }
    if kind == "Prometheus":
        labels |= {"operator.prometheus.io/name": "{name}", "operator.prometheus.io/shard": "0"}
    return OperatorKind("monitoring.coreos.com", kind, (PodSet(canonical_labels(labels), ports, _POD_METADATA, spec=("spec",)),))


def _web(number: int) -> OperatorPort:
    return OperatorPort("web", number, named_by=("spec", "portName"), unless=("spec", "listenLocal"))


def _victoria(kind: str, **sets: int) -> OperatorKind:
    """A kind of VictoriaMetrics: its components by name, each with its HTTP port where that is fixed, else 0."""
    alone = len(sets) == 1
    return OperatorKind(
        "operator.victoriametrics.com",
        kind,
        tuple(
            PodSet(
                canonical_labels(
                    {
                        "app.kubernetes.io/name": name,
                        "app.kubernetes.io/instance": "{name}",
                        "app.kubernetes.io/component": "monitoring",
                        "managed-by": "vm-operator",
                    }
                ),
                (OperatorPort("http", port, field=("spec", "port")),) if port else (),
                _POD_METADATA if alone else ("spec", name, "podMetadata", "labels"),
                () if alone else ("spec", name),
            )
            for name, port in sets.items()
        ),
    )


def _strimzi(kind: str, name: str, **components: tuple[str, ...]) -> OperatorKind:
    """A kind of Strimzi: its components, each with the field that must be given for it to exist."""
    return OperatorKind(
        "kafka.strimzi.io",
        kind,
        tuple(
            PodSet(
                canonical_labels(
                    {
                        "app.kubernetes.io/instance": "{name}",
                        "app.kubernetes.io/managed-by": "strimzi-cluster-operator",
                        "app.kubernetes.io/name": component.replace("_", "-") if component != "connect" else name,
                        "app.kubernetes.io/part-of": "strimzi-{name}",
                        "strimzi.io/cluster": "{name}",
                        "strimzi.io/kind": kind,
                        "strimzi.io/name": f"{{name}}-{component.replace('_', '-')}",
                    }
                ),
                when=when,
            )
            for component, when in components.items()
        ),
    )


def _cnpg(role: str) -> PodSet:
    labels = {"cnpg.io/cluster": "{name}", "cnpg.io/podRole": "instance", "cnpg.io/instanceRole": role}
    ports = (OperatorPort("postgresql", 5432), OperatorPort("metrics", 9187))
    return PodSet(canonical_labels(labels), ports, ("spec", "inheritedMetadata", "labels"))


OPERATOR_KINDS: tuple[OperatorKind, ...] = (
    _prometheus_operator("Prometheus", "prometheus", _web(9090), OperatorPort("reloader-web", 8080)),
    _prometheus_operator(
        "Alertmanager",
        "alertmanager",
        _web(9093),
        OperatorPort("reloader-web", 8080),
        OperatorPort("mesh-tcp", 9094),
        OperatorPort("mesh-udp", 9094, Protocol.UDP),
    ),
    _prometheus_operator("ThanosRuler", "thanos-ruler", OperatorPort("grpc", 10901), _web(10902)),
    OperatorKind("postgresql.cnpg.io", "Cluster", (_cnpg("primary"), _cnpg("replica"))),
    _strimzi("Kafka", "kafka", kafka=(), zookeeper=("spec", "zookeeper"), entity_operator=("spec", "entityOperator")),
    _strimzi("KafkaConnect", "kafka-connect", connect=()),
    _victoria("VMAgent", vmagent=8429),
    _victoria("VMSingle", vmsingle=8429),
    _victoria("VMAlert", vmalert=8080),
    _victoria("VMAuth", vmauth=0),
    _victoria("VMAlertmanager", vmalertmanager=0),
    _victoria("VMCluster", vmselect=0, vminsert=0, vmstorage=0),
)


def operated_shapes(manifest: Manifest, row: OperatorKind) -> tuple[PodShape, ...]:
    """The pods that an operator makes for an object. Raises InvalidObject."""
    document = root(manifest)
    return tuple(_shape(pods, document, manifest.name) for pods in row.pods if not pods.when or _at(document, pods.when))


def named(labels: Labels, name: str) -> dict[str, str]:
    """Labels of a table with the object's name in its place."""
    return {key: value.replace("{name}", name) for key, value in labels}


def _shape(pods: PodSet, document: Field, name: str) -> PodShape:
    extra = dict(read_labels(_at(document, pods.extra))) if pods.extra else {}
    ports = {
        NamedPort(_at(document, port.named_by).text(port.name) if port.named_by else port.name, port.protocol): _number(port, document)
        for port in pods.ports
        if not (port.unless and _at(document, port.unless).flag())
    }
    ports |= dict(read_named_ports(_at(document, pods.spec))) if pods.spec else {}
    ordered = sorted(ports.items(), key=lambda item: (item[0].name, item[0].protocol))
    return PodShape(canonical_labels({**extra, **named(pods.labels, name)}), tuple(ordered))


def _number(port: OperatorPort, document: Field) -> int:
    given = _at(document, port.field) if port.field else None
    if not given:
        return port.number
    return int(given.text()) if given.is_text() and given.text().isdigit() else read_port_number(given)


def _at(document: Field, path: tuple[str, ...]) -> Field:
    for step in path:
        document = document[step]
    return document

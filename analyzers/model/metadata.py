"""Names, labels and selectors as the API server validates them.

Source: the Kubernetes API conventions for object names, labels and label selectors.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

from analyzers.model.cluster import NamedPort
from analyzers.model.manifest import Field, YamlMap
from analyzers.model.selectors import Labels, LabelSelector, Operator, Requirement, canonical_labels
from analyzers.sets.connections import PORTS, Protocol

GENERATED = "*"
"""Ends the name of an object that the API server will name (`generateName`)."""

_MOST_KEPT = 4_096
"""Label keys, and selectors by labels, that are remembered: repositories repeat a few of them many times."""

_PROTOCOLS = {each.value: each for each in Protocol}

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")


def check_subdomain(field: Field, name: str) -> str:
    """The object name, if it is a DNS-1123 subdomain (a generated name may end in `-` before its mark)."""
    stem = name.removesuffix(GENERATED).rstrip("-.") if name.endswith(GENERATED) else name
    if len(name) > 253 or not _DNS_SUBDOMAIN.fullmatch(stem):
        raise field.fail(f"{name!r} is not a DNS-1123 subdomain")
    return name


def check_dns_label(field: Field, name: str) -> str:
    """The namespace name, if it is a DNS-1123 label."""
    if not _DNS_LABEL.fullmatch(name):
        raise field.fail(f"{name!r} is not a DNS-1123 label")
    return name


def read_labels(field: Field) -> Labels:
    """A label map, each key and value checked; `()` when missing."""
    written = field.value
    if isinstance(written, YamlMap) and set(map(type, written.values())) == {str}:
        labels = canonical_labels(cast(dict[str, str], written))
        if _are_labels(labels):
            return labels
    return canonical_labels({_check_label_key(value, key): _label_value(value) for key, value in field.fields()})


def read_selector(field: Field) -> LabelSelector:
    """A LabelSelector; a missing one reads like an empty one, which matches everything."""
    if not field:
        return _with_labels(())
    labels, expressions = read_labels(field["matchLabels"]), field["matchExpressions"]
    if not expressions:
        return _with_labels(labels)
    return LabelSelector(tuple(sorted({*_with_labels(labels).requirements, *map(_read_requirement, expressions.items())})))


@lru_cache(_MOST_KEPT)
def _with_labels(labels: Labels) -> LabelSelector:
    """What asks for some labels; one object for all that ask for the same."""
    return LabelSelector(tuple(Requirement(key, Operator.IN, (value,)) for key, value in labels))


def read_protocol(field: Field) -> Protocol:
    """A protocol; TCP when missing."""
    text = field.text("TCP")
    protocol = _PROTOCOLS.get(text)
    if protocol is None:
        raise field.fail(f"{text!r} is not one of TCP, UDP, SCTP")
    return protocol


def read_port_number(field: Field) -> int:
    """A port from 1 to 65535."""
    number = field.number()
    if number not in PORTS:
        raise field.fail(f"{number} is not a port from 1 to 65535")
    return number


def read_port_name(field: Field) -> str:
    """The name of a container port."""
    name = field.text()
    if not _PORT_NAME.fullmatch(name):
        raise field.fail(f"{name!r} is not a port name (at most 15 of a-z, 0-9 and -, with a letter)")
    return name


def read_named_ports(pod_spec: Field) -> tuple[tuple[NamedPort, int], ...]:
    """The named ports of a pod: containers in order, then sidecars (init containers that restart always); the first of a name counts.

    Source: the order in which the API server's FindPort looks a name up.
    """
    found: dict[NamedPort, int] = {}
    sidecars = (each for each in pod_spec["initContainers"].items() if each["restartPolicy"].text("") == "Always")
    for container in (*pod_spec["containers"].items(), *sidecars):
        for port in container["ports"].items():
            number, protocol = read_port_number(port["containerPort"]), read_protocol(port["protocol"])
            if port["name"].text(""):
                found.setdefault(NamedPort(read_port_name(port["name"]), protocol), number)
    return tuple(sorted(found.items(), key=lambda item: (item[0].name, item[0].protocol)))


def _read_requirement(expression: Field) -> Requirement:
    key = _check_label_key(expression["key"], expression["key"].text())
    operator_field, values_field = expression["operator"], expression["values"]
    if operator_field.text() not in set(Operator):
        raise operator_field.fail(f"{operator_field.text()!r} is not one of {', '.join(Operator)}")
    operator = Operator(operator_field.text())
    values = tuple(sorted({_label_value(value) for value in values_field.items()}))
    if (operator in {Operator.IN, Operator.NOT_IN}) is not bool(values):
        raise values_field.fail(f"{'must not be empty' if not values else 'must be empty'} with operator {operator}")
    return Requirement(key, operator, values)


def _check_label_key(field: Field, key: str) -> str:
    if not _is_label_key(key):
        raise field.fail(f"{key!r} is not a label key")
    return key


@lru_cache(_MOST_KEPT)
def _are_labels(labels: Labels) -> bool:
    return all(_is_label_key(key) and _is_label_value(value) for key, value in labels)


@lru_cache(_MOST_KEPT)
def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    return bool(_LABEL_NAME.fullmatch(name) and (not slash or (len(prefix) <= 253 and _DNS_SUBDOMAIN.fullmatch(prefix))))


def _label_value(field: Field) -> str:
    value = field.text("")
    if not _is_label_value(value):
        raise field.fail(f"{value!r} is not a label value")
    return value


def _is_label_value(value: str) -> bool:
    return not value or _LABEL_NAME.fullmatch(value) is not None

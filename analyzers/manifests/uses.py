"""What a workload says it talks to: host names in the environment of its containers, and an annotation that names other workloads.

Only what is written is read: values from ConfigMaps and Secrets are not followed. Malformed entries are passed over, because nothing that
is decided depends on them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from analyzers.model.diagnostics import SourceLocation
from analyzers.model.manifest import Field, Manifest, YamlList, YamlMap, YamlValue
from analyzers.model.uses import Use, UseKind

CONNECTS_TO: Final = "app.openshift.io/connects-to"
"""The annotation by which OpenShift's console draws what a workload talks to: a list of names, or a JSON list of references."""

SCHEME_PORTS: Final[Mapping[str, int]] = {
    **{"http": 80, "ws": 80, "https": 443, "wss": 443, "ldap": 389, "ldaps": 636, "smtp": 25, "smtps": 465},
    **{"postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mongodb": 27017, "redis": 6379, "rediss": 6379},
    **{"amqp": 5672, "amqps": 5671, "nats": 4222, "mqtt": 1883, "mqtts": 8883},
}
"""The port of a URL that names none."""

_LONGEST: Final = 4_096
"""Characters of a value that is looked at."""

_MOST: Final = 200
"""Uses kept of one workload."""

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://(?:[^/?#\s@]*@)?([^/?#\s\"'<>]+)", re.IGNORECASE)
_HOST = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\.?"
_PLACE = re.compile(rf"({_HOST})(?::(\d{{1,5}}))?")
_SEPARATOR = re.compile(r"[\s,;]+")
_NAMES_A_HOST = re.compile(r"(?:^|_)(?:HOSTS?|HOSTNAME|ADDR|ADDRESS|URL|URI|ENDPOINT|SERVERS?|SERVICE(?:_NAME)?|BROKERS?)$", re.IGNORECASE)
_REFERENCE = re.compile(r"(?<!\$)\$\(([^()\s]+)\)")


def read_uses(manifest: Manifest, pod: Field) -> tuple[Use, ...]:
    """What the containers of a pod, and the object that makes it, say they talk to."""
    found: dict[tuple[UseKind, str, str, int], Use] = {}
    for each in (*_of_containers(manifest, pod.value), *_of_annotations(manifest)):
        found.setdefault((each.kind, each.name, each.target, each.port), each)
    return tuple(found.values())[:_MOST]


def _of_containers(manifest: Manifest, pod: YamlValue) -> Iterator[Use]:
    spec = pod.get("spec") if isinstance(pod, YamlMap) else None
    if not isinstance(spec, YamlMap) or not _by_cluster_dns(spec):
        return
    for field in ("containers", "initContainers"):
        for container in _maps(spec.get(field)):
            environment = container.get("env")
            if isinstance(environment, YamlList):
                yield from _of_environment(environment, manifest.location.path)


def _by_cluster_dns(spec: YamlMap) -> bool:
    """Whether the pod asks the DNS of the cluster; one on the network of its node asks that of the node unless it says otherwise."""
    policy = spec.get("dnsPolicy", "ClusterFirst")
    return policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and spec.get("hostNetwork") is not True)


def _of_environment(environment: YamlList, path: str) -> Iterator[Use]:
    """The uses in one container's variables, those that refer to variables before them included."""
    values: dict[str, tuple[str, int]] = {}
    for position, item in enumerate(environment):
        if isinstance(item, YamlMap) and isinstance(name := item.get("name"), str) and isinstance(value := item.get("value"), str):
            expanded = value[:_LONGEST]
            if "$(" in expanded:
                expanded = _REFERENCE.sub(lambda match: values.get(match[1], (match[0], 0))[0], expanded)[:_LONGEST]
            values[name] = (expanded, item.lines.get("value", environment.lines[position]))
    for name, (value, line) in values.items():
        for host, port in dict.fromkeys(_places(name, value)):
            beside = port or _beside(name, values)
            yield Use(UseKind.VARIABLE, name, host, beside, SourceLocation(path, line))


def _places(name: str, value: str) -> Iterator[tuple[str, int]]:
    """The hosts that a value names, with their ports. A single word counts only where the variable is named for a host."""
    urls = _URL.findall(value) if "://" in value else []
    for scheme, authority in urls:
        for place in authority.split(","):
            match = _PLACE.fullmatch(place.rpartition("@")[2].lower())
            if match is not None:
                yield match[1], int(match[2] or SCHEME_PORTS.get(scheme.lower(), 0))
    for word in () if urls else _SEPARATOR.split(value.strip()):
        match = _PLACE.fullmatch(word.lower())
        if match is not None and (match[2] or "." in match[1] or _NAMES_A_HOST.search(name)):
            yield match[1], int(match[2] or 0)


def _beside(name: str, values: Mapping[str, tuple[str, int]]) -> int:
    """The port that stands beside a host: that of `DB_PORT` for `DB_HOST`."""
    stem = _NAMES_A_HOST.sub("", name)
    port = values.get(f"{stem}_PORT" if stem else "PORT", ("", 0))[0]
    return int(port) if stem != name and port.isascii() and port.isdigit() and int(port) <= 65_535 else 0


def _of_annotations(manifest: Manifest) -> Iterator[Use]:
    metadata = manifest.body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, YamlMap) else None
    text = annotations.get(CONNECTS_TO) if isinstance(annotations, YamlMap) else None
    if isinstance(annotations, YamlMap) and isinstance(text, str):
        origin = SourceLocation(manifest.location.path, annotations.lines[CONNECTS_TO])
        yield from (Use(UseKind.ANNOTATION, CONNECTS_TO, target, 0, origin) for target in _named(text[:_LONGEST]))


def _named(text: str) -> Iterator[str]:
    """The workloads that the annotation names."""
    if not text.lstrip().startswith("["):
        yield from (word for word in _SEPARATOR.split(text.strip()) if _PLACE.fullmatch(word))
        return
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        return
    for each in listed if isinstance(listed, list) else ():
        kind, name = (each.get("kind"), each.get("name")) if isinstance(each, dict) else (None, each)
        if isinstance(name, str):
            yield f"{kind}/{name}" if isinstance(kind, str) else name


def _maps(value: YamlValue) -> Iterator[YamlMap]:
    return (each for each in value if isinstance(each, YamlMap)) if isinstance(value, YamlList) else iter(())

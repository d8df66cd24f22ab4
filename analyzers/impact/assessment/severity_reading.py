"""The `severity` section of `.flowdelta.yaml`: how a repository weighs what opens. Every mistake is an `InvalidObject` with its field and
line."""

from __future__ import annotations

import re
from typing import Final

from msgspec.structs import replace

from analyzers.impact.assessment.severity import DEFAULT_RULES, Level, Mark, Rule, SensitivePort, SeverityRules
from analyzers.model.manifest import Field, YamlMap
from analyzers.model.metadata import read_labels, read_port_number, read_protocol
from analyzers.model.selectors import Labels
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock, parse_address

SECTION: Final = "severity"
"""The top-level field that this module reads."""

_MOST: Final = 100
"""Items of one list."""
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._-]{0,38}[A-Za-z0-9])?")


def read_severity(root: Field, rules: SeverityRules = DEFAULT_RULES) -> SeverityRules:
    """The rules of a file whose top level is `root`. Levels and environments stand in place of those of `rules`, ports and addresses beside
    them. Raises `InvalidObject`."""
    section = root[SECTION]
    section.only("levels", "environments", "ports", "metadata", "from")
    levels, environments = section["levels"], section["environments"]
    return replace(
        rules,
        rules=tuple(map(_rule, _listed(levels))) if levels else rules.rules,
        environments=tuple(map(_label_key, _listed(environments))) if environments else rules.environments,
        sensitive_ports=(*rules.sensitive_ports, *map(_port, _listed(section["ports"]))),
        metadata=(*rules.metadata, *map(_address, _listed(section["metadata"]))),
        zone=_zone(section["from"]) if section["from"] else rules.zone,
    )


def _listed(field: Field) -> list[Field]:
    items = list(field.items())
    if len(items) > _MOST:
        raise field.fail(f"has {len(items)} items; at most {_MOST} are read")
    return items


def _rule(field: Field) -> Rule:
    field.only("level", "marks")
    level = field["level"]
    if level.text() not in set(Level):
        raise level.fail(f"{level.text()!r} is not one of {', '.join(Level)}")
    marks = _listed(field["marks"])
    if not marks:
        raise field.fail("must have marks")
    return Rule(frozenset(map(_mark, marks)), Level(level.text()))


def _mark(field: Field) -> Mark:
    if field.text() not in set(Mark):
        raise field.fail(f"{field.text()!r} is not one of {', '.join(Mark)}")
    return Mark(field.text())


def _label_key(field: Field) -> str:
    key = field.text()
    labels = YamlMap(field.line)
    labels[key] = ""
    labels.lines[key] = field.line
    read_labels(Field(labels, field.path, field.line))
    return key


def _port(field: Field) -> SensitivePort:
    field.only("name", "port", "endPort", "protocol")
    name, low = field["name"].text(), read_port_number(field["port"])
    if not _NAME.fullmatch(name):
        raise field["name"].fail(f"{name!r} is no name for a port: at most 40 of letters, digits, spaces, '.', '_' and '-'")
    high = read_port_number(field["endPort"]) if field["endPort"] else low
    if high < low:
        raise field["endPort"].fail("must not be below port")
    return SensitivePort(name, IntervalSet(((low, high),)), read_protocol(field["protocol"]))


def _address(field: Field) -> IPBlock:
    try:
        return parse_address(field.text())
    except ValueError as error:
        raise field.fail(f"{field.text()!r} is neither an address nor a CIDR") from error


def _zone(field: Field) -> Labels:
    labels = read_labels(field)
    if not labels:
        raise field.fail("must have at least one label")
    return labels

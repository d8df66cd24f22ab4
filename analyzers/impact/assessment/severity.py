"""Severity: how much attention what opens deserves, by a table that people can read and change. Every severity says its reasons.

`docs/severity.md` says the same for people.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from analyzers.model.selectors import Labels
from analyzers.sets.connections import Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock, parse_address


class Level(StrEnum):
    """How much attention a change deserves, the most first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for what comes first."""
        return _ORDER.index(self)


_ORDER: Final = tuple(Level)


class Mark(StrEnum):
    """What can be said of flows that open; the value is what the table of levels calls it."""

    FROM_OUTSIDE = "from-outside"
    PUBLISHED = "published"
    LOST_DEFAULT_DENY = "lost-default-deny"
    ACROSS_ENVIRONMENTS = "across-environments"
    ACROSS_NAMESPACES = "across-namespaces"
    WHOLE_NAMESPACE = "whole-namespace"
    SENSITIVE_ENDPOINT = "sensitive-endpoint"
    SENSITIVE_PORT = "sensitive-port"
    ALL_PORTS = "all-ports"
    TO_METADATA = "to-metadata"
    TO_OUTSIDE = "to-outside"
    POTENTIAL = "potential"


class Reason(Struct, frozen=True):
    """One mark of flows that open, and what it says of these, with names from manifests."""

    mark: Mark
    text: str


class Severity(Struct, frozen=True):
    """A level, and everything that speaks for attention, in the order of the marks."""

    level: Level
    reasons: tuple[Reason, ...] = ()


class Rule(Struct, frozen=True):
    """Flows that carry all of these marks deserve at least this level."""

    marks: frozenset[Mark]
    level: Level


class SensitivePort(Struct, frozen=True):
    """Ports by which something can be taken or taken over; `name` is what usually listens there."""

    name: str
    numbers: IntervalSet
    protocol: Protocol = Protocol.TCP


class SeverityRules(Struct, frozen=True):
    """The table: the first rule of a level that holds gives it, and what no rule names is low.

    `zone` are the labels of the pods or namespaces from which paths in several hops are looked for; without any they come from outside.

    `environments` are the labels by which namespaces say their environment; workloads, or namespaces, with all labels of one of
    `sensitive_labels` are sensitive; `metadata` are the addresses at which clouds hand out credentials, by TCP 80.
    """

    rules: tuple[Rule, ...]
    environments: tuple[str, ...]
    sensitive_ports: tuple[SensitivePort, ...]
    sensitive_labels: tuple[Labels, ...]
    metadata: tuple[IPBlock, ...]
    zone: Labels = ()

    def weigh(self, reasons: Iterable[Reason]) -> Severity:
        """The highest level of the rules whose marks all hold."""
        found = tuple(reasons)
        marks = frozenset(reason.mark for reason in found)
        levels = [rule.level for rule in self.rules if rule.marks <= marks]
        return Severity(min(levels, key=lambda level: level.rank, default=Level.LOW), found)


def _rule(level: Level, *marks: Mark) -> Rule:
    return Rule(frozenset(marks), level)


def _port(name: str, *numbers: int) -> SensitivePort:
    return SensitivePort(name, IntervalSet.of((number, number) for number in numbers))


DEFAULT_RULES: Final = SeverityRules(
    rules=(
        _rule(Level.CRITICAL, Mark.FROM_OUTSIDE, Mark.SENSITIVE_PORT),
        _rule(Level.CRITICAL, Mark.FROM_OUTSIDE, Mark.SENSITIVE_ENDPOINT),
        _rule(Level.CRITICAL, Mark.PUBLISHED, Mark.LOST_DEFAULT_DENY),
        _rule(Level.CRITICAL, Mark.FROM_OUTSIDE, Mark.LOST_DEFAULT_DENY, Mark.ALL_PORTS),
        _rule(Level.CRITICAL, Mark.ACROSS_ENVIRONMENTS, Mark.SENSITIVE_PORT),
        _rule(Level.CRITICAL, Mark.ACROSS_ENVIRONMENTS, Mark.SENSITIVE_ENDPOINT),
        _rule(Level.HIGH, Mark.FROM_OUTSIDE),
        _rule(Level.HIGH, Mark.LOST_DEFAULT_DENY),
        _rule(Level.HIGH, Mark.ACROSS_ENVIRONMENTS),
        _rule(Level.HIGH, Mark.SENSITIVE_ENDPOINT),
        _rule(Level.HIGH, Mark.ACROSS_NAMESPACES, Mark.SENSITIVE_PORT),
        _rule(Level.HIGH, Mark.TO_METADATA),
        _rule(Level.MEDIUM, Mark.ACROSS_NAMESPACES),
        _rule(Level.MEDIUM, Mark.WHOLE_NAMESPACE),
        _rule(Level.MEDIUM, Mark.SENSITIVE_PORT),
        _rule(Level.MEDIUM, Mark.ALL_PORTS),
        _rule(Level.MEDIUM, Mark.TO_OUTSIDE),
    ),
    environments=("env", "environment", "app.kubernetes.io/environment", "stage"),
    sensitive_ports=(
        _port("etcd", 2379, 2380),
        _port("kubelet", 10250, 10255),
        _port("Kubernetes API", 6443),
        _port("Docker", 2375, 2376),
        _port("SSH", 22),
        _port("RDP", 3389),
        _port("SMB", 445),
        _port("LDAP", 389, 636),
        _port("PostgreSQL", 5432),
        _port("MySQL", 3306, 33060),
        _port("SQL Server", 1433),
        _port("Oracle", 1521),
        _port("MongoDB", 27017, 27018, 27019),
        _port("Redis", 6379),
        _port("Memcached", 11211),
        _port("Elasticsearch", 9200, 9300),
        _port("Cassandra", 7000, 9042),
        _port("CouchDB", 5984),
        _port("CockroachDB", 26257),
        _port("InfluxDB", 8086),
        _port("Vault", 8200),
    ),
    sensitive_labels=((("flowdelta/sensitive", "true"),),),
    metadata=tuple(map(parse_address, ("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"))),
)
"""What holds where nothing is configured."""

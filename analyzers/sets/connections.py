"""Connections: which ports of which protocols."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from analyzers.sets.intervals import Interval, IntervalSet


class Protocol(StrEnum):
    """The protocols that network policy knows, in the order of every listing."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


PORTS = IntervalSet(((1, 65535),))
"""Every port."""


class ConnectionSet(Struct, frozen=True):
    """Ports by protocol: no entry is empty and protocols stand in their fixed order, so `==` is set equality."""

    entries: tuple[tuple[Protocol, IntervalSet], ...] = ()

    @classmethod
    def of(cls, ports: Mapping[Protocol, IntervalSet]) -> ConnectionSet:
        """The connections on the given ports."""
        return cls(tuple((protocol, ports[protocol]) for protocol in Protocol if ports.get(protocol)))

    @classmethod
    def everything(cls) -> ConnectionSet:
        """Every port of every protocol."""
        return cls(tuple((protocol, PORTS) for protocol in Protocol))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def ports(self, protocol: Protocol) -> IntervalSet:
        """The ports of one protocol."""
        return dict(self.entries).get(protocol, IntervalSet())

    def __or__(self, other: ConnectionSet) -> ConnectionSet:
        return ConnectionSet.of({protocol: self.ports(protocol) | other.ports(protocol) for protocol in Protocol})

    def __and__(self, other: ConnectionSet) -> ConnectionSet:
        return ConnectionSet.of({protocol: self.ports(protocol) & other.ports(protocol) for protocol in Protocol})

    def __sub__(self, other: ConnectionSet) -> ConnectionSet:
        return ConnectionSet.of({protocol: self.ports(protocol) - other.ports(protocol) for protocol in Protocol})

    def ranges(self) -> dict[str, list[list[int]]]:
        """The contract's object: protocol to inclusive ranges, `{"TCP": [[80, 80]]}`."""
        return {str(protocol): [[low, high] for low, high in ports.intervals] for protocol, ports in self.entries}

    def __str__(self) -> str:
        if self == ConnectionSet.everything():
            return "all ports"
        return "; ".join(f"{protocol} {_shown(ports.intervals)}" for protocol, ports in self.entries) or "nothing"


def _shown(intervals: Iterable[Interval]) -> str:
    if tuple(intervals) == PORTS.intervals:
        return "all ports"
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in intervals)

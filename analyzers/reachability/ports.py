"""Port atoms: ports that no policy tells apart, so that a set of ports is an int.

A *verdict mask* holds several port masks side by side, its layers: what passes when everything unsettled is read as deny (allowed for
certain), what passes when all of it is read as allow (allowed or may be), and for each condition what passes when it alone is denied. Every
layer obeys the same set algebra, so one AND decides all readings of everything that manifests cannot settle.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from analyzers.model.cluster import NamedPort
from analyzers.model.policy import Policy
from analyzers.sets.connections import PORTS, ConnectionSet, Protocol
from analyzers.sets.intervals import Interval, IntervalSet


class Condition(StrEnum):
    """What a verdict can depend on that manifests do not tell; the value is its text."""

    SOURCE_NODE = "the source uses the address of its node, which manifests do not tell"
    DESTINATION_NODE = "the destination uses the address of its node, which manifests do not tell"


_LAYERS = {condition: layer for layer, condition in enumerate(Condition, start=2)}


@dataclass(frozen=True, slots=True)
class Verdicts:
    """A verdict mask, read back: what may connect (allowed or may), the part of it that is only may, and what that part depends on."""

    connections: ConnectionSet
    may: ConnectionSet
    conditions: tuple[Condition, ...]


class PortSpace:
    """The atoms of all ports that the given policies and port numbers tell apart, over every revision compared."""

    def __init__(self, policies: Iterable[Policy], numbers: Iterable[tuple[Protocol, int]]) -> None:
        starts: dict[Protocol, set[int]] = {protocol: {1} for protocol in Protocol}
        for protocol, low, high in (*_ranges(policies), *((protocol, number, number) for protocol, number in numbers)):
            starts[protocol].update((low, high + 1))
        self._starts = {protocol: sorted(cuts - {PORTS.intervals[0][1] + 1}) for protocol, cuts in starts.items()}
        self._offset: dict[Protocol, int] = {}
        self.size = 0
        for protocol in Protocol:
            self._offset[protocol] = self.size
            self.size += len(self._starts[protocol])
        self.every_port = (1 << self.size) - 1
        self._everywhere = sum(1 << layer * self.size for layer in range(2 + len(Condition)))
        self.certain = self.settled(self.every_port)
        self._read: dict[int, ConnectionSet] = {}

    def settled(self, mask: int) -> int:
        """The verdict mask that allows these ports whatever is unsettled."""
        return mask * self._everywhere

    def unsettled(self, certain: int, possible: int, condition: Condition) -> int:
        """The verdict mask that allows some ports for certain and others if the condition holds."""
        return self.settled(certain) | (
            possible * self._everywhere & ~(self.every_port | self.every_port << _LAYERS[condition] * self.size)
        )

    def layers(self, verdict_mask: int) -> tuple[int, int]:
        """The port masks of what is certain and of what is possible."""
        return verdict_mask & self.every_port, verdict_mask >> self.size & self.every_port

    def any_layer(self, verdict_mask: int) -> int:
        """The ports that stand in some layer."""
        united = 0
        while verdict_mask:
            united |= verdict_mask & self.every_port
            verdict_mask >>= self.size
        return united

    def mask(self, protocol: Protocol, numbers: IntervalSet) -> int:
        """The port mask of ports whose ends are cuts of this space."""
        starts, offset = self._starts[protocol], self._offset[protocol]
        mask = 0
        for low, high in numbers.intervals:
            first, stop = bisect_left(starts, low), bisect_right(starts, high)
            mask |= ((1 << (stop - first)) - 1) << (offset + first)
        return mask

    def port(self, protocol: Protocol, number: int) -> int:
        """The port mask of the atom that holds one port, whether or not it is a cut."""
        return 1 << (self._offset[protocol] + bisect_right(self._starts[protocol], number) - 1)

    def connections(self, mask: int) -> ConnectionSet:
        """The ports of a port mask."""
        found = self._read.get(mask)
        if found is None:
            found = self._read[mask] = ConnectionSet.of(
                {protocol: IntervalSet.of(self._intervals(protocol, mask)) for protocol in Protocol}
            )
        return found

    def verdicts(self, verdict_mask: int) -> Verdicts:
        """What a verdict mask says."""
        certain, possible = self.layers(verdict_mask)
        needed = (condition for condition, layer in _LAYERS.items() if possible & ~(verdict_mask >> layer * self.size))
        return Verdicts(self.connections(possible), self.connections(possible & ~certain), tuple(sorted(needed)))

    def _intervals(self, protocol: Protocol, mask: int) -> Iterable[Interval]:
        starts, shifted = self._starts[protocol], mask >> self._offset[protocol]
        ends = (*(start - 1 for start in starts[1:]), PORTS.intervals[0][1])
        return ((start, end) for index, (start, end) in enumerate(zip(starts, ends, strict=True)) if shifted >> index & 1)


def _ranges(policies: Iterable[Policy]) -> Iterable[tuple[Protocol, int, int]]:
    return (
        (port.protocol, low, high)
        for policy in policies
        for rule in policy.rules
        for port in rule.ports
        if not isinstance(port, NamedPort)
        for low, high in port.numbers.intervals
    )

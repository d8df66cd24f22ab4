"""Port atoms: ports that no policy tells apart, so that a set of ports is an int.

A *verdict mask* holds two port masks side by side: what is allowed for certain (low half) and what is allowed or may be (high half). Both
halves obey the same set algebra, so one AND decides both readings of everything that manifests cannot settle.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from analyzers.model.cluster import NamedPort
from analyzers.model.policy import Policy
from analyzers.sets.connections import PORTS, ConnectionSet, Protocol
from analyzers.sets.intervals import Interval, IntervalSet


@dataclass(frozen=True, slots=True)
class Verdicts:
    """A verdict mask, read back: what may connect (allowed or may), and the part of it that is only may."""

    connections: ConnectionSet
    may: ConnectionSet


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
        self.certain = self.settled(self.every_port)
        self._read: dict[int, ConnectionSet] = {}

    def settled(self, mask: int) -> int:
        """The verdict mask that allows these ports for certain."""
        return mask | mask << self.size

    def unsettled(self, certain: int, possible: int) -> int:
        """The verdict mask of ports that are allowed for certain and ports that may be; the first lie among the second."""
        return certain | (certain | possible) << self.size

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
        possible, certain = verdict_mask >> self.size, verdict_mask & self.every_port
        return Verdicts(self.connections(possible), self.connections(possible & ~certain))

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

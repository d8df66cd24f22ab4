"""Port atoms: ports that no policy tells apart, so that a set of ports is an int.

A *verdict mask* holds several port masks side by side, its layers: what passes when everything unsettled is read as deny (allowed for
certain), what passes when all of it is read as allow (allowed or may be), and for each condition what passes when it alone is denied. Every
layer obeys the same set algebra, so one AND decides all readings of everything that manifests cannot settle.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import cache, reduce
from itertools import pairwise
from operator import or_

from msgspec import Struct

from analyzers.model.cluster import NamedPort
from analyzers.model.policy import Policy
from analyzers.reachability.bits import members_of, span_bits
from analyzers.sets.connections import PORTS, ConnectionSet, Protocol
from analyzers.sets.intervals import Interval, IntervalSet


class Condition(StrEnum):
    """What a verdict can depend on that manifests do not tell; the value is its text."""

    SOURCE_NODE = "the source uses the address of its node, which manifests do not tell"
    DESTINATION_NODE = "the destination uses the address of its node, which manifests do not tell"
    EQUAL_PRIORITY = "policies between which the API sets no order decide differently"
    UNRESOLVED_PEER = "a policy names nodes or domain names, whose addresses manifests do not tell"
    IP_BLOCK = "an ipBlock holds addresses of pods, and network plugins differ in whether it matches them"
    NETWORK = "a network of an admin policy holds addresses of pods, and manifests do not tell of which"
    CONTROLLER = "the ingress controller or gateway is not in the manifests, or which of several it is cannot be told"


NODE_CONDITIONS = (Condition.SOURCE_NODE, Condition.DESTINATION_NODE)
"""What a verdict can depend on under any policies."""

ADMIN_CONDITIONS = (Condition.EQUAL_PRIORITY, Condition.UNRESOLVED_PEER)
"""What a verdict can depend on under policies of the admin tiers."""

_BY_THEMSELVES = frozenset({*NODE_CONDITIONS, Condition.CONTROLLER})


def names_a_port(named: NamedPort) -> str:
    """The condition that a pod which is not in the manifests names a port so."""
    return f"the pod names a port {named.name} ({named.protocol}), at a number that manifests do not tell"


class Verdicts(Struct, frozen=True):
    """A verdict mask, read back: what may connect (allowed or may), the part of it that is only may, and what that part depends on."""

    connections: ConnectionSet
    may: ConnectionSet
    conditions: tuple[str, ...]


class PortSpace:
    """The atoms of all ports that the given policies and port numbers tell apart, over every revision compared.

    `conditions` are those that a verdict can depend on, each a `Condition` or a text of its own; each has a layer. `cuts` are
    ports at which another space begins atoms.
    """

    def __init__(
        self,
        policies: Iterable[Policy],
        numbers: Iterable[tuple[Protocol, int]],
        conditions: tuple[str, ...] = NODE_CONDITIONS,
        cuts: Iterable[tuple[Protocol, int]] = (),
    ) -> None:
        starts: dict[Protocol, set[int]] = {protocol: {1} for protocol in Protocol}
        for protocol, cut in cuts:
            starts[protocol].add(cut)
        for protocol, low, high in (*_ranges(policies), *((protocol, number, number) for protocol, number in numbers)):
            starts[protocol].update((low, high + 1))
        self._starts = {protocol: sorted(cuts - {PORTS.intervals[0][1] + 1}) for protocol, cuts in starts.items()}
        self._offset: dict[Protocol, int] = {}
        self.size = 0
        for protocol in Protocol:
            self._offset[protocol] = self.size
            self.size += len(self._starts[protocol])
        self.every_port = (1 << self.size) - 1
        self.conditions = conditions
        self._layers = {condition: layer for layer, condition in enumerate(conditions, start=2)}
        self._everywhere = sum(1 << layer * self.size for layer in range(2 + len(conditions)))
        self.certain = self.settled(self.every_port)
        self._adverse = {condition: self.every_port | self.every_port << layer * self.size for condition, layer in self._layers.items()}
        self._read: dict[int, ConnectionSet] = {}

    @property
    def cuts(self) -> frozenset[tuple[Protocol, int]]:
        """The first port of every atom."""
        return frozenset((protocol, start) for protocol, starts in self._starts.items() for start in starts)

    def from_coarser(self, coarser: PortSpace) -> Callable[[int], int]:
        """What turns verdict masks of a space with fewer cuts and the same conditions into masks of this one."""
        within = [self._atoms(protocol, first, stop) for protocol in Protocol for first, stop in _spans(coarser._starts[protocol])]

        @cache
        def refined(verdict_mask: int) -> int:
            layer, found = 0, 0
            while verdict_mask >> layer * coarser.size:
                ports = verdict_mask >> layer * coarser.size & coarser.every_port
                found |= reduce(or_, (within[atom] for atom in members_of(ports)), 0) << layer * self.size
                layer += 1
            return found

        return refined

    def settled(self, mask: int) -> int:
        """The verdict mask that allows these ports whatever is unsettled."""
        return mask * self._everywhere

    def depending(self, adverse: int, favourable: int, condition: str) -> int:
        """The verdict mask that says the one where a condition is read as deny, and the other where it is read as allow."""
        layers = self._adverse[condition]
        return adverse & layers | favourable & ~layers

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
        mask = 0
        for low, high in numbers.intervals:
            mask |= self._atoms(protocol, low, high + 1)
        return mask

    def _atoms(self, protocol: Protocol, first: int, stop: int) -> int:
        """The atoms that begin at `first` or later and before `stop`."""
        starts, offset = self._starts[protocol], self._offset[protocol]
        return span_bits(offset + bisect_left(starts, first), offset + bisect_left(starts, stop))

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
        needed = {condition: possible & ~(verdict_mask >> layer * self.size) for condition, layer in self._layers.items()}
        # Ports that no single condition closes hang on several at once: on those of policy, as a node or a controller is one by itself.
        either = possible & ~certain & ~reduce(or_, needed.values())
        named = (condition for condition, ports in needed.items() if ports or (either and condition not in _BY_THEMSELVES))
        return Verdicts(self.connections(possible), self.connections(possible & ~certain), tuple(sorted(named)))

    def _intervals(self, protocol: Protocol, mask: int) -> Iterable[Interval]:
        starts, shifted = self._starts[protocol], mask >> self._offset[protocol]
        ends = (*(start - 1 for start in starts[1:]), PORTS.intervals[0][1])
        return ((start, end) for index, (start, end) in enumerate(zip(starts, ends, strict=True)) if shifted >> index & 1)


def _spans(starts: Sequence[int]) -> Iterable[tuple[int, int]]:
    return pairwise((*starts, PORTS.intervals[0][1] + 1))


def _ranges(policies: Iterable[Policy]) -> Iterable[tuple[Protocol, int, int]]:
    return (
        (port.protocol, low, high)
        for policy in policies
        for rule in policy.rules
        for port in rule.ports
        if not isinstance(port, NamedPort)
        for low, high in port.numbers.intervals
    )

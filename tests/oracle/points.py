"""The points that matter: every port and every address at which some document could change the answer, and one beyond each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import pairwise
from typing import Any, NamedTuple

PROTOCOLS = ("TCP", "UDP", "SCTP")
LAST_ADDRESS = {4: 2**32 - 1, 6: 2**128 - 1}


class Address(NamedTuple):
    """An address outside the cluster."""

    version: int
    value: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that `text` names."""
        parsed = ip_address(text)
        return cls(parsed.version, int(parsed))

    def __str__(self) -> str:
        return str(IPv4Address(self.value) if self.version == 4 else IPv6Address(self.value))


class Segment(NamedTuple):
    """Addresses that no block of the documents tells apart, from `first` to `last`, both included."""

    first: Address
    last: Address

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class PortPoints:
    """Sample ports: each number in each protocol is one point, and a set of points is an int with a bit for each."""

    numbers: tuple[int, ...]
    points: tuple[tuple[str, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple((protocol, number) for protocol in PROTOCOLS for number in self.numbers))

    @property
    def full(self) -> int:
        """Every point."""
        return (1 << len(self.points)) - 1

    def where(self, holds: Callable[[str, int], bool]) -> int:
        """The points at which `holds(protocol, number)`."""
        return sum(1 << bit for bit, (protocol, number) in enumerate(self.points) if holds(protocol, number))

    def within(self, connections: Mapping[str, Sequence[Sequence[int]]]) -> int:
        """The points inside printed ranges. ValueError when they are not canonical or end where nothing could make them end."""
        mask = 0
        for protocol, ranges in connections.items():
            if not ranges:
                raise ValueError(f"{protocol} is printed without a range")
            offset = PROTOCOLS.index(protocol) * len(self.numbers)
            after = 0
            for low, high in ranges:
                if not after <= low <= high <= 65535 or low == 0:
                    raise ValueError(f"ranges are not sorted, disjoint and apart: {ranges}")
                after = high + 2
                first, last = self._index(low), self._index(high)
                mask |= ((1 << (last + 1)) - (1 << first)) << offset
        return mask

    def _index(self, number: int) -> int:
        index = bisect_left(self.numbers, number)
        if index == len(self.numbers) or self.numbers[index] != number:
            raise ValueError(f"a range ends at {number}, which no document mentions")
        return index

    def shown(self, mask: int) -> list[str]:
        """The points of a mask as a person reads them."""
        return [f"{number}/{protocol}" for bit, (protocol, number) in enumerate(self.points) if mask >> bit & 1]


def port_points(documents: Iterable[Any]) -> PortPoints:
    """Every number that a document mentions, the ones beside it, both ends of the scale, and one inside every gap that is left."""
    mentioned = {1, 65535}
    for document in documents:
        for key in ("port", "endPort", "containerPort", "number", "start", "end"):
            mentioned |= {value for value in _values(document, key) if isinstance(value, int)}
    edges = sorted({n for m in mentioned for n in (m - 1, m, m + 1) if 1 <= n <= 65535})
    inside = {low + 1 for low, high in pairwise(edges) if low + 1 < high}
    return PortPoints(tuple(sorted({*edges, *inside})))


def segments(documents: Iterable[Any]) -> tuple[Segment, ...]:
    """Both families, cut at the first address of every block and at the one after its last."""
    starts = {Address(4, 0), Address(6, 0)}
    for block in blocks(documents):
        starts.add(Address(block.version, int(block.network_address)))
        if int(block.broadcast_address) < LAST_ADDRESS[block.version]:
            starts.add(Address(block.version, int(block.broadcast_address) + 1))
    ordered = sorted(starts)
    ends = [*ordered[1:], None]
    return tuple(Segment(start, _before(start, following)) for start, following in zip(ordered, ends, strict=True))


def blocks(documents: Iterable[Any]) -> Iterator[IPv4Network | IPv6Network]:
    """Every block of addresses that the documents mention."""
    for document in documents:
        for value in _values(document, "cidr"):
            yield ip_network(value, strict=False)
        for key in ("except", "networks"):
            for listed in _values(document, key):
                yield from (ip_network(value, strict=False) for value in listed or [])


def _before(start: Address, following: Address | None) -> Address:
    if following is None or following.version != start.version:
        return Address(start.version, LAST_ADDRESS[start.version])
    return Address(start.version, following.value - 1)


def _values(node: Any, key: str) -> Iterator[Any]:
    """Every value that stands under `key`, however deep."""
    if isinstance(node, dict):
        if key in node:
            yield node[key]
        for value in node.values():
            yield from _values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value, key)

"""Sets of flows, as approvals bind to them: hashes identify a set, set algebra decides.

A flow set is a set of points: (change, cluster, source, destination, certainty, address, protocol, port). A flow that is allowed for
certain holds the points of both certainties, one that only may be holds the points of `may`; so who agreed to "allowed" agreed to "may" as
well, and not the other way round.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import reduce
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct

from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock

OUTSIDE = "outside"
"""The end of a flow that lies outside the cluster; which addresses of it are meant is said by the cell."""

_POINT = IntervalSet(((0, 0),))
"""The addresses of a flow between two endpoints of the cluster: one point, so that both kinds of flow are the same algebra."""


class Change(StrEnum):
    """What became of a flow; of the flows of an invariant, whether one is there or is not."""

    OPENED = "opened"
    CLOSED = "closed"
    PRESENT = "present"
    MISSING = "missing"


class Certainty(StrEnum):
    """The layer of a verdict: whether it may be, or is allowed for certain."""

    MAY = "may"
    ALLOWED = "allowed"


class Route(Struct, frozen=True, order=True):
    """Between which ends a flow runs. `family` is 4 or 6 where one end is `OUTSIDE`, else 0."""

    change: Change
    cluster: str
    source: str
    destination: str
    certainty: Certainty
    family: int = 0


Cell = tuple[IntervalSet, ConnectionSet]
"""Addresses, and the connections that each of them has."""
Span = tuple[int, int]
"""The first and the last of addresses in a row."""


class FlowSet(Struct, frozen=True):
    """A canonical set: routes sorted; the cells of a route disjoint in addresses, with different connections, sorted by addresses. So `==`
    is set equality. Build one with `of`; the constructor trusts its argument."""

    routes: tuple[tuple[Route, tuple[Cell, ...]], ...] = ()

    @classmethod
    def of(cls, flows: Iterable[tuple[Route, IntervalSet, ConnectionSet]]) -> FlowSet:
        """The union of flows in any order."""
        gathered: dict[Route, list[Cell]] = {}
        for route, addresses, connections in flows:
            gathered.setdefault(route, []).append((addresses, connections))
        return cls._canonical({route: _swept(cells) for route, cells in gathered.items()})

    @classmethod
    def _canonical(cls, spans: Mapping[Route, Iterable[tuple[Span, ConnectionSet]]]) -> FlowSet:
        merged = ((route, _merged(spans[route])) for route in sorted(spans))
        return cls(tuple((route, kept) for route, kept in merged if kept))

    def __bool__(self) -> bool:
        return bool(self.routes)

    def __len__(self) -> int:
        """The number of routes."""
        return len(self.routes)

    def __or__(self, other: FlowSet) -> FlowSet:
        return FlowSet.of((route, *cell) for flows in (self, other) for route, cells in flows.routes for cell in cells)

    def __sub__(self, other: FlowSet) -> FlowSet:
        taken = dict(other.routes)
        return FlowSet._canonical({route: _swept(cells, taken.get(route, ())) for route, cells in self.routes})

    def issubset(self, other: FlowSet) -> bool:
        """Whether every point here is in `other`."""
        return not self - other

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> list[dict[str, Any]]:
        """The set as JSON, canonical but for the order of keys: one object a route."""
        return [_route_json(route, cells) for route, cells in self.routes]

    @classmethod
    def from_json(cls, value: Iterable[Mapping[str, Any]]) -> FlowSet:
        """The set that `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        return cls.of(cell for each in value for cell in _route_cells(each))


def between(addresses: IPBlock | None) -> tuple[int, IntervalSet]:
    """The family of a route and the addresses of a cell: those of a block, or of two ends inside the cluster."""
    return (0, _POINT) if addresses is None else (int(addresses.family), addresses.addresses)


def _swept(cells: Iterable[Cell], taken: Iterable[Cell] = ()) -> Iterator[tuple[Span, ConnectionSet]]:
    """Disjoint spans of addresses, with what the cells have there and none of the taken ones has. One sweep over the ends of all spans:
    a hostile change has tens of thousands of blocks, and what compares each with each would never end."""
    edges = sorted(
        ((edge, sign, side, connections) for side, each in enumerate((cells, taken)) for edge, sign, connections in _edges(each)),
        key=itemgetter(0),
    )
    active: tuple[Counter[ConnectionSet], Counter[ConnectionSet]] = (Counter(), Counter())
    start = 0
    for position, group in groupby(edges, key=itemgetter(0)):
        if here := _union(active[0]) - _union(active[1]):
            yield (start, position - 1), here
        for _, sign, side, connections in group:
            active[side][connections] += sign
            if not active[side][connections]:
                del active[side][connections]
        start = position


def _edges(cells: Iterable[Cell]) -> Iterator[tuple[int, int, ConnectionSet]]:
    """Where the spans of cells begin (+1) and are over (-1)."""
    for addresses, connections in cells:
        for low, high in addresses.intervals:
            yield low, 1, connections
            yield high + 1, -1, connections


def _union(connections: Iterable[ConnectionSet]) -> ConnectionSet:
    return reduce(ConnectionSet.__or__, connections, ConnectionSet())


def _merged(spans: Iterable[tuple[Span, ConnectionSet]]) -> tuple[Cell, ...]:
    """Cells of disjoint spans, those of equal connections joined."""
    by_connections: dict[ConnectionSet, list[Span]] = {}
    for span, connections in spans:
        by_connections.setdefault(connections, []).append(span)
    cells = ((IntervalSet.of(each), connections) for connections, each in by_connections.items())
    return tuple(sorted(cells, key=lambda cell: cell[0].intervals))


def _route_json(route: Route, cells: tuple[Cell, ...]) -> dict[str, Any]:
    return {
        "change": route.change.value,
        "cluster": route.cluster,
        "source": route.source,
        "destination": route.destination,
        "certainty": route.certainty.value,
        "family": route.family,
        "cells": [{"cidrs": _cidrs(route.family, addresses), "connections": connections.ranges()} for addresses, connections in cells],
    }


def _cidrs(family: int, addresses: IntervalSet) -> list[str]:
    return list(IPBlock(Family(family), addresses).cidrs()) if family else []


def _route_cells(value: Mapping[str, Any]) -> Iterator[tuple[Route, IntervalSet, ConnectionSet]]:
    cluster, source, destination = (str(value[name]) for name in ("cluster", "source", "destination"))
    family = int(value["family"])
    route = Route(Change(value["change"]), cluster, source, destination, Certainty(value["certainty"]), family)
    for cell in value["cells"]:
        ports = {
            Protocol(name): IntervalSet.of((int(low), int(high)) for low, high in ranges) for name, ranges in cell["connections"].items()
        }
        yield route, _addresses(cell["cidrs"]) if family else _POINT, ConnectionSet.of(ports)


def _addresses(cidrs: Iterable[str]) -> IntervalSet:
    networks = map(ipaddress.ip_network, cidrs)
    return IntervalSet.of((int(network.network_address), int(network.broadcast_address)) for network in networks)

"""Sets of flows, as approvals bind to them: hashes identify a set, set algebra decides.

A flow set is a set of points: (change, cluster, source, destination, certainty, address, protocol, port). A flow that is allowed for
certain holds the points of both certainties, one that only may be holds the points of `may`; so who agreed to "allowed" agreed to "may" as
well, and not the other way round.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """Between which ends a flow runs. `family` is 4 or 6 where one end is `OUTSIDE`, else 0."""

    change: Change
    cluster: str
    source: str
    destination: str
    certainty: Certainty
    family: int = 0


Cell = tuple[IntervalSet, ConnectionSet]
"""Addresses, and the connections that each of them has."""


@dataclass(frozen=True, slots=True)
class FlowSet:
    """A canonical set: routes sorted; the cells of a route disjoint in addresses, with different connections, sorted by addresses. So `==`
    is set equality. Build one with `of`; the constructor trusts its argument."""

    routes: tuple[tuple[Route, tuple[Cell, ...]], ...] = ()

    @classmethod
    def of(cls, flows: Iterable[tuple[Route, IntervalSet, ConnectionSet]]) -> FlowSet:
        """The union of flows in any order."""
        gathered: dict[Route, list[Cell]] = {}
        for route, addresses, connections in flows:
            gathered.setdefault(route, []).append((addresses, connections))
        return cls._canonical({route: _disjoint(cells) for route, cells in gathered.items()})

    @classmethod
    def _canonical(cls, cells: Mapping[Route, Iterable[Cell]]) -> FlowSet:
        merged = ((route, _merged(cells[route])) for route in sorted(cells))
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
        return FlowSet._canonical({route: _without(cells, taken.get(route, ())) for route, cells in self.routes})

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


def _disjoint(cells: Iterable[Cell]) -> list[Cell]:
    """The same points, no address in two cells."""
    found: list[Cell] = []
    for addresses, connections in cells:
        rest, cut = addresses, []
        for known, known_connections in found:
            common = known & rest
            if not common:
                cut.append((known, known_connections))
                continue
            cut += [(known - common, known_connections), (common, known_connections | connections)]
            rest = rest - common
        found = [cell for cell in (*cut, (rest, connections)) if cell[0]]
    return found


def _without(cells: Iterable[Cell], taken: tuple[Cell, ...]) -> Iterator[Cell]:
    """The cells less what is taken; the taken cells are disjoint in addresses."""
    for addresses, connections in cells:
        rest = addresses
        for gone, gone_connections in taken:
            common = rest & gone
            if common:
                rest = rest - common
                yield common, connections - gone_connections
        yield rest, connections


def _merged(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Disjoint cells with empty ones dropped and those of equal connections joined."""
    by_connections: dict[ConnectionSet, IntervalSet] = {}
    for addresses, connections in cells:
        if addresses and connections:
            by_connections[connections] = by_connections.get(connections, IntervalSet()) | addresses
    return tuple(sorted(((addresses, each) for each, addresses in by_connections.items()), key=lambda cell: cell[0].intervals))


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

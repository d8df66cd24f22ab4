"""Vias: which Services, and which ways in, publish what reaches a workload from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from analyzers.impact.report import Flow, PairChange, Via
from analyzers.model.cluster import IngressController, Publishing
from analyzers.reachability.bits import bits_of
from analyzers.reachability.landings import Landing
from analyzers.reachability.universe import Universe
from analyzers.reachability.ways_in import WaysIn
from analyzers.sets.connections import ConnectionSet
from analyzers.sets.ip_blocks import IPBlock

Beyond = IPBlock | IngressController
"""A source that is no workload."""

MOST_VIAS = 50
"""Ways named beside one row: the first ones by Service."""


class Vias:
    """What publishes the workloads of one revision, or of several to compare: then what holds in any of them."""

    def __init__(self, universe: Universe, ways: Sequence[WaysIn]) -> None:
        self._through = _by_service(landing for each in ways for landing in each.landings.through)
        self._published = _by_service(landing for each in ways for landing in each.landings.published)
        known = universe.workloads if self._through or self._published else ()
        self._classes = {joint.id: bits_of(joint.classes) for joint in known}
        self._fitting_for: tuple[Beyond, ConnectionSet] | None = None
        self._fitting: list[tuple[int, Via]] = []

    def beside_flow(self, flow: Flow, source: Beyond) -> Flow:
        """A row of a matrix with what publishes its destination to the source, on the ports that connect."""
        vias = self._of(flow.destination, source, flow.connections)
        return replace(flow, via=vias) if vias else flow

    def beside_pair(self, pair: PairChange, source: Beyond) -> PairChange:
        """A changed pair with what publishes its destination to the source, on the ports that change."""
        vias = self._of(pair.destination, source, pair.opened | pair.closed | pair.may)
        return replace(pair, via=vias) if vias else pair

    def _of(self, workload: str, source: Beyond, ports: ConnectionSet) -> tuple[Via, ...]:
        if not self._classes:
            return ()
        # Rows of one source stand together and often are about the same ports.
        if self._fitting_for != (source, ports):
            self._fitting_for, self._fitting = (source, ports), list(self._fit(source, ports))
        classes, found = self._classes[workload], set[Via]()
        for reached, via in self._fitting:
            if reached & classes:
                found.add(via)
                if len(found) == MOST_VIAS:
                    break
        return tuple(sorted(found))

    def _fit(self, source: Beyond, ports: ConnectionSet) -> Iterator[tuple[int, Via]]:
        """The ways from a source to some ports, with the classes that they reach."""
        for landing in self._published if isinstance(source, IPBlock) else self._through:
            if landing.target not in ports.ports(landing.protocol):
                continue
            if landing.way is not None:
                yield landing.classes, _via(landing, landing.way.kind, f"{landing.way.namespace}/{landing.way.name}")
                continue
            for publishing in landing.service.published:
                ranged = publishing is Publishing.LOAD_BALANCER and bool(landing.service.source_ranges)
                if not ranged or (isinstance(source, IPBlock) and _meets(landing, source)):
                    yield landing.classes, _via(landing, publishing, "", ranges=ranged)


def _by_service(landings: Iterable[Landing]) -> list[Landing]:
    return sorted(
        landings, key=lambda each: (each.service.namespace, each.service.name, each.port.port, each.way.title if each.way else "")
    )


def _meets(landing: Landing, block: IPBlock) -> bool:
    return any(each.family is block.family and each.addresses & block.addresses for each in landing.service.source_ranges)


def _via(landing: Landing, kind: str, name: str, *, ranges: bool = False) -> Via:
    service, port = landing.service, landing.port
    admitted = tuple(cidr for each in service.source_ranges for cidr in each.cidrs()) if ranges else ()
    node_port = port.node_port if landing.way is None and kind != Publishing.EXTERNAL_IPS else 0
    return Via(f"{service.namespace}/{service.name}", str(kind), name, port.port, port.protocol, landing.target, node_port, admitted)

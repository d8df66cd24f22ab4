"""Ways in that policy closes, and Services that begin or cease to publish pods: what a change does to those who come from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analyzers.impact.report import BlockedWay, EndpointChange, Publication
from analyzers.model.cluster import Cluster, Service
from analyzers.model.diagnostics import Diagnostic
from analyzers.reachability.ways_in import Leading, WaysIn

MOST_NAMED = 3
"""Policies named in one message."""

_Published = dict[tuple[str, tuple[str, ...], tuple[int, ...], tuple[str, ...]], Service]


def blocked_notes(ways: WaysIn) -> Iterator[Diagnostic]:
    """A diagnostic for each way in that policy closes."""
    for each in ways.leading:
        if not each.open:
            yield Diagnostic.at("ingress-blocked", f"{_sentence(each)}{_by(each.policies)}", each.origin)


def blocked_ways(base: WaysIn, head: WaysIn) -> tuple[BlockedWay, ...]:
    """The ways in that are closed in head and were not in base: those that passed there, and those that are new."""
    before = {each.key: each.open for each in base.leading}
    return tuple(
        BlockedWay(each.way, each.service, each.port, each.targets, each.origin, each.direct, before.get(each.key, False), each.policies)
        for each in head.leading
        if not each.open and before.get(each.key, True)
    )


def publications(base: Cluster, head: Cluster) -> tuple[Publication, ...]:
    """The Services that publish pods in one revision only, or otherwise than in the other, sorted by name."""
    before, after = _published(base), _published(head)
    changes = ((EndpointChange.REMOVED, before, after), (EndpointChange.ADDED, after, before))
    found = [
        Publication(service, types, ports, change, one[service, types, ports, ranges].origin, ranges)
        for change, one, other in changes
        for service, types, ports, ranges in one
        if (service, types, ports, ranges) not in other
    ]
    return tuple(sorted(found, key=lambda each: (each.service, each.change, each.types, each.ports)))


def _published(cluster: Cluster) -> _Published:
    return {_publishing(service): service for service in cluster.services if service.published}


def _publishing(service: Service) -> tuple[str, tuple[str, ...], tuple[int, ...], tuple[str, ...]]:
    ranges = tuple(cidr for block in service.source_ranges for cidr in block.cidrs())
    ports = tuple(sorted({port.port for port in service.ports}))
    return (f"{service.namespace}/{service.name}", tuple(map(str, service.published)), ports, ranges)


def _sentence(each: Leading) -> str:
    targets = " and ".join(map(str, each.targets))
    if each.direct:
        return f"{each.way} publishes its port {each.port} (targetPort {targets}), and policy admits no address outside the cluster there"
    service = f"Service {each.service}:{each.port} (targetPort {targets})"
    return f"{each.way} leads to {service}, and policy does not admit the ingress controller there"


def _by(policies: Sequence[str]) -> str:
    """The policies that speak about it, a few of them."""
    if not policies:
        return ": a policy of the controller does not let it out"
    rest = len(policies) - MOST_NAMED
    return f": {', '.join(policies[:MOST_NAMED])}" + (f" and {rest} more" if rest > 0 else "")

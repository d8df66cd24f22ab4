"""What becomes reachable in several hops, as values that reports render."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from analyzers.impact.rows.endpoint_sets import EndpointSet
from analyzers.sets.connections import ConnectionSet

OUTSIDE: Final = "outside"
"""The zone that holds every address outside the cluster, and what comes in through ingress controllers."""


class Hop(Struct, frozen=True):
    """One flow of a path: to a workload, on these ports. `opened` says whether the change opens any of them, `may` whether it is only
    may."""

    to: str
    connections: ConnectionSet
    opened: bool
    may: bool


class Path(Struct, frozen=True):
    """A shortest way in head from the zone to a workload. `start` is a workload of the zone, or `outside`; `before` is how many hops it
    took in base, 0 where there was no way."""

    start: str
    hops: tuple[Hop, ...]
    before: int
    sensitive: bool


class Newly(Struct, frozen=True):
    """The workloads that the zone reaches in head in so many hops, and not at all in base."""

    hops: int
    workloads: EndpointSet


class Paths(Struct, frozen=True):
    """What the zone comes to reach. `paths` lead to every sensitive workload that is newly reached, or in fewer hops than before, and to
    one workload of each of `newly` that takes several hops; `stopped` says why some may be missing."""

    zone: str = OUTSIDE
    newly: tuple[Newly, ...] = ()
    paths: tuple[Path, ...] = ()
    stopped: str = ""

"""Which changed objects bear on which changed flows. Sound: a flow can only change through an object found here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from analyzers.impact.causation.causes import ChangedObject
from analyzers.impact.causation.way_bearing import WayBearing
from analyzers.impact.rows.endpoint_sets import EndpointSet
from analyzers.model.cluster import Workload
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.policy import Direction
from analyzers.model.records import NamespaceMeaning, ObjectRecord, PolicyMeaning
from analyzers.reachability.bits import bits_of, span_bits
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.universe import Universe
from analyzers.reachability.ways_in import WaysIn


class Bearing(Struct, frozen=True):
    """One changed object, with the classes whose flows it can change: as sources and as destinations, and as destinations of what comes in
    through ingress controllers."""

    changed: ChangedObject
    sources: int
    destinations: int
    inward: int = 0

    def on(self, sources: EndpointSet, destinations: EndpointSet) -> bool:
        """Whether the object can have changed flows between these ends."""
        inward = self.inward if sources.controller else 0
        return bool(sources.touched & self.sources or destinations.touched & (self.destinations | inward))


class _Revision:
    """What one revision's objects touch, by where they are declared."""

    def __init__(self, universe: Universe, revision: int, compiled: Compiled, ways: WaysIn) -> None:
        self._universe, self._compiled, self._ways = universe, compiled, WayBearing(ways)
        self._workloads: dict[SourceLocation, int] = {}
        for joint in universe.workloads:
            version = joint.versions[revision]
            if version is not None and _pods_differ(*joint.versions):
                self._workloads |= dict.fromkeys(version.origins, bits_of(joint.classes))

    def touched(self, record: ObjectRecord) -> Iterator[tuple[Direction, int]]:
        """The classes that an object of this revision can change the flows of, as sources (egress) and destinations (ingress)."""
        for policy in record.meaning.policies if isinstance(record.meaning, PolicyMeaning) else ():
            subjects = self._compiled.index.select(policy.subject)
            yield from ((direction, subjects) for direction in Direction if policy.decides(direction))
        both = self._workloads.get(record.location, 0)
        if isinstance(record.meaning, NamespaceMeaning):
            both |= span_bits(*self._universe.spans.get(record.key.name, (0, 0)))
        yield from ((direction, both) for direction in Direction)

    def inward(self, record: ObjectRecord, sources: int) -> int:
        """The classes that an object of this revision can change what comes in to through ingress controllers."""
        is_policy = isinstance(record.meaning, PolicyMeaning)
        return self._ways.inward(record, sources, 0 if is_policy else sources)


def _pods_differ(base: Workload | None, head: Workload | None) -> bool:
    return base is not head and (base is None or head is None or base.shapes != head.shapes)


def bearings(
    universe: Universe, compiled: Sequence[Compiled], ways: Sequence[WaysIn], changed: Sequence[ChangedObject]
) -> tuple[Bearing, ...]:
    """The changed objects that can change some flow, in the order given."""
    base, head = (_Revision(universe, revision, *both) for revision, both in enumerate(zip(compiled, ways, strict=True)))
    found = []
    for each in changed:
        reach, inward = dict.fromkeys(Direction, 0), 0
        for revision, record in ((base, each.base), (head, each.head)):
            for direction, classes in revision.touched(record) if record is not None else ():
                reach[direction] |= classes
            inward |= revision.inward(record, reach[Direction.EGRESS]) if record is not None else 0
        if inward or any(reach.values()):
            found.append(Bearing(each, reach[Direction.EGRESS], reach[Direction.INGRESS], inward))
    return tuple(found)

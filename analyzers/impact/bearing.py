"""Which changed objects bear on which changed flows. Sound: a flow can only change through an object found here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzers.impact.causes import ChangedObject
from analyzers.impact.endpoint_sets import EndpointSet
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.policy import Direction, Policy
from analyzers.model.records import NamespaceMeaning, ObjectRecord
from analyzers.reachability.bits import bits_of, span_bits
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.universe import Snapshot, Universe


@dataclass(frozen=True, slots=True)
class Bearing:
    """One changed object, with the classes whose flows it can change: as sources and as destinations."""

    changed: ChangedObject
    sources: int
    destinations: int

    def on(self, sources: EndpointSet, destinations: EndpointSet) -> bool:
        """Whether the object can have changed flows between these ends."""
        return bool(sources.touched & self.sources or destinations.touched & self.destinations)


class _Revision:
    """What one revision's objects touch, by where they are declared."""

    def __init__(self, universe: Universe, revision: int, snapshot: Snapshot, compiled: Compiled) -> None:
        self._universe, self._compiled = universe, compiled
        self._policies: dict[SourceLocation, list[Policy]] = defaultdict(list)
        for policy in snapshot.policies:
            self._policies[policy.origin].append(policy)
        self._workloads: dict[SourceLocation, int] = {}
        for joint in universe.workloads:
            version = joint.versions[revision]
            if version is not None and len({each.shapes if each is not None else None for each in joint.versions}) > 1:
                self._workloads |= dict.fromkeys(version.origins, bits_of(joint.classes))

    def touched(self, record: ObjectRecord) -> Iterator[tuple[Direction, int]]:
        """The classes that an object of this revision can change the flows of, as sources (egress) and destinations (ingress)."""
        for policy in self._policies.get(record.location, ()):
            yield from ((direction, self._compiled.index.select(policy.subject)) for direction in policy.isolates)
        both = self._workloads.get(record.location, 0)
        if isinstance(record.meaning, NamespaceMeaning):
            both |= span_bits(*self._universe.spans.get(record.key.name, (0, 0)))
        yield from ((direction, both) for direction in Direction)


def bearings(
    universe: Universe, snapshots: Sequence[Snapshot], compiled: Sequence[Compiled], changed: Sequence[ChangedObject]
) -> tuple[Bearing, ...]:
    """The changed objects that can change some flow, in the order given."""
    base, head = (_Revision(universe, revision, *both) for revision, both in enumerate(zip(snapshots, compiled, strict=True)))
    found = []
    for each in changed:
        reach = dict.fromkeys(Direction, 0)
        for revision, record in ((base, each.base), (head, each.head)):
            for direction, classes in revision.touched(record) if record is not None else ():
                reach[direction] |= classes
        if any(reach.values()):
            found.append(Bearing(each, reach[Direction.EGRESS], reach[Direction.INGRESS]))
    return tuple(found)

"""Causing: the groups of a diff with the changed objects behind each, their documents read again once."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.impact.assessment.protection import protection
from analyzers.impact.causation.alternatives import Alternatives, CausesOfGroup
from analyzers.impact.causation.bearing import Bearing
from analyzers.impact.causation.causes import Bodies, Cause, ChangedObject, causes_of
from analyzers.impact.causation.changed import Changed, Side
from analyzers.impact.causation.hybrids import Hybrids
from analyzers.impact.causation.minimal_sets import Chosen
from analyzers.impact.causation.mixtures import Mixtures
from analyzers.impact.report import FlowGroup, FlowPart
from analyzers.impact.rows.groups import Group
from analyzers.reachability.universe import Universe


class Causing:
    """Why groups changed. `bodies` read the documents of base and of head again; only those of objects that are named are read."""

    def __init__(
        self,
        universe: Universe,
        sides: tuple[Side, Side],
        changed: Sequence[ChangedObject],
        bearing: Sequence[Bearing],
        groups: Sequence[Group],
        bodies: tuple[Bodies, Bodies],
    ) -> None:
        base, head = sides
        known = Changed(changed)
        mixtures = Mixtures(universe, base, head, known)
        alternatives = Alternatives(universe, Hybrids(universe, mixtures), bearing)
        found = alternatives.of(groups)
        results = [result for causes in found for result in (causes.found, *(part.found for part in causes.parts))]
        named = {each for result in results for alternative in result.sets for each in alternative}
        told = sorted(named.union(known.policies))
        self._causes = dict(zip(told, causes_of([changed[each] for each in told], *bodies), strict=True))
        self.of_policies = tuple(self._causes[each] for each in known.policies)
        self.stating = tuple(changed[each] for each in known.policies)
        self.protection = protection(universe, base, head, known, mixtures)
        self.groups = tuple(self._group(each, causes, base) for each, causes in zip(groups, found, strict=True))

    def _group(self, group: Group, causes: CausesOfGroup, base: Side) -> FlowGroup:
        opened, closed, may = map(base.compiled.space.connections, group.alike)
        found, parts = causes.found, causes.parts
        return FlowGroup(
            group.sources,
            group.destinations,
            opened,
            closed,
            may,
            self._told(found.sets),
            causes_truncated=found.truncated,
            parts=tuple(FlowPart(each.sources, each.destinations, self._told(each.found.sets), each.found.truncated) for each in parts),
        )

    def _told(self, sets: Sequence[Chosen]) -> tuple[tuple[Cause, ...], ...]:
        return tuple(tuple(self._causes[each] for each in sorted(alternative)) for alternative in sets)

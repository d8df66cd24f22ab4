"""Assessing the groups of a diff: how much attention what opens deserves, what may break of what closes, and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from analyzers.impact.assessment.hops import Paths
from analyzers.impact.assessment.may_break import InUse
from analyzers.impact.assessment.paths import PathFinder
from analyzers.impact.assessment.severity import SeverityRules
from analyzers.impact.assessment.weighing import Weighing
from analyzers.impact.report import FlowGroup
from analyzers.model.cluster import Cluster
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.universe import Universe
from analyzers.reachability.ways_in import WaysIn


class Assessed(Struct, frozen=True, eq=False):
    """The groups, with the severity of what opens and the evidence that what closes was in use; whether the search for that was stopped;
    and what finds the paths that the groups open, once it is asked."""

    groups: tuple[FlowGroup, ...]
    stopped: bool
    paths: Callable[[], Paths]


def assess(
    groups: Iterable[FlowGroup],
    universe: Universe,
    clusters: Sequence[Cluster],
    compiled: Sequence[Compiled],
    ways: Sequence[WaysIn],
    rules: SeverityRules,
) -> Assessed:
    """What the groups are worth. The sequences hold base and head."""
    weighing = Weighing(universe, compiled[0], compiled[-1], clusters[-1], lambda: ways[-1].landings, rules)
    in_use = InUse(universe, clusters[0], clusters[-1], ways[-1])
    found = tuple(
        replace(
            each,
            severity=weighing.severity(each.sources, each.destinations, each.opened) if each.opened else None,
            may_break=in_use.evidence(each.sources, each.destinations, each.closed) if each.closed else (),
        )
        for each in groups
    )

    @cache
    def paths() -> Paths:
        return PathFinder(universe, clusters, compiled, ways).find(found, weighing.sensitive, rules.zone)

    return Assessed(found, in_use.stopped, paths)

"""Assessing the groups of a diff: how much attention what opens deserves, what may break of what closes, and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from msgspec.structs import replace

from analyzers.impact.hops import Paths
from analyzers.impact.may_break import InUse
from analyzers.impact.paths import PathFinder
from analyzers.impact.report import FlowGroup
from analyzers.impact.severity import SeverityRules
from analyzers.impact.weighing import Weighing, sensitive_classes
from analyzers.model.cluster import Cluster
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.universe import Universe
from analyzers.reachability.ways_in import WaysIn


def assessed(
    groups: Iterable[FlowGroup],
    universe: Universe,
    clusters: Sequence[Cluster],
    compiled: Sequence[Compiled],
    ways: WaysIn,
    rules: SeverityRules,
) -> tuple[tuple[FlowGroup, ...], bool]:
    """The groups, with the severity of what opens and the evidence that what closes was in use; and whether the search for that was
    stopped. The sequences hold base and head, `ways` are those of head."""
    base, head = clusters
    weighing = Weighing(universe, compiled[0], compiled[-1], head, lambda: ways.landings, rules)
    in_use = InUse(universe, base, head, ways)
    found = tuple(
        replace(
            each,
            severity=weighing.severity(each.sources, each.destinations, each.opened) if each.opened else None,
            may_break=in_use.evidence(each.sources, each.destinations, each.closed) if each.closed else (),
        )
        for each in groups
    )
    return found, in_use.stopped


def path_search(
    groups: Sequence[FlowGroup],
    universe: Universe,
    clusters: Sequence[Cluster],
    compiled: Sequence[Compiled],
    ways: Sequence[WaysIn],
    rules: SeverityRules,
) -> Callable[[], Paths]:
    """What finds the paths that the groups open, once it is asked."""

    @cache
    def search() -> Paths:
        sensitive = sensitive_classes(universe, clusters[-1], rules.sensitive_labels)
        return PathFinder(universe, clusters, compiled, ways).find(groups, sensitive, rules.zone)

    return search

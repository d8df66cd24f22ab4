"""Which changed objects bear on what comes in through ingress controllers. Sound: such a flow can only change through an object found here,
or through a policy or a pod at its destination."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from analyzers.model.records import ObjectRecord, ServiceMeaning
from analyzers.model.ways_in import ClassMeaning, EntryMeaning, GatewayMeaning, GrantMeaning, RouteMeaning
from analyzers.reachability.landings import Landing
from analyzers.reachability.ways_in import WaysIn


class WayBearing:
    """What the objects of one revision do to its ways in."""

    def __init__(self, ways: WaysIn) -> None:
        self._landings = ways.landings.through
        serving = [(landing, ways.controllers(landing.way)) for landing in self._landings if landing.way is not None]
        self._serving = [(landing, controllers) for landing, controllers in serving if controllers]
        self._from_unknown = _classes(landing for landing, controllers in serving if not controllers)

    def inward(self, record: ObjectRecord, sources: int, changed_pods: int) -> int:
        """The classes towards which an object can change what comes in. `sources` are the classes whose egress it can change,
        `changed_pods` those whose pods or namespace it changes: a controller that is not known is told from pods that are."""
        meaning = record.meaning
        if isinstance(meaning, (EntryMeaning, RouteMeaning)):
            return _classes(each for each in self._landings if each.way is not None and each.way.origin == record.location)
        if isinstance(meaning, ServiceMeaning):
            return _classes(each for each in self._landings if each.service.origin == record.location)
        if isinstance(meaning, (ClassMeaning, GatewayMeaning, GrantMeaning)):
            return _classes(self._landings)
        served = _classes(landing for landing, controllers in self._serving if controllers & sources)
        return served | (self._from_unknown if changed_pods else 0)


def _classes(landings: Iterable[Landing]) -> int:
    return reduce(or_, (landing.classes for landing in landings), 0)

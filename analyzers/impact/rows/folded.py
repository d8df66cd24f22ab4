"""Classes of pods as sets of workloads: a workload whose pods differ is counted once, by the first of its classes."""

from __future__ import annotations

from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.universe import JointWorkload, Universe


class Folded:
    """Folds the classes of one universe. `varied` are the workloads whose pods differ, `own` all of their classes."""

    def __init__(self, universe: Universe) -> None:
        self.varied: tuple[JointWorkload, ...] = tuple(each for each in universe.workloads if len(each.classes) > 1)
        self._first = {number: each.classes[0] for each in self.varied for number in each.classes}
        self.own = bits_of(self._first)

    def of(self, classes: int) -> int:
        """The classes, with the first class of a workload in place of any of several."""
        varied = classes & self.own
        return classes & ~self.own | bits_of(self._first[number] for number in members_of(varied)) if varied else classes

"""Two compiled revisions, and the policies that differ between them: what potential flows and reasons are found from."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from analyzers.impact.causation.causes import Cause, ChangedObject
from analyzers.impact.causation.changed import policies_of
from analyzers.model.cluster import Cluster
from analyzers.model.policy import Policy
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.index import PodIndex
from analyzers.reachability.universe import Snapshot, Universe


class Compared(Struct, frozen=True, eq=False):
    """The two revisions of a comparison, base first, compiled over one universe."""

    universe: Universe
    snapshots: tuple[Snapshot, Snapshot]
    compiled: tuple[Compiled, Compiled]

    @property
    def clusters(self) -> tuple[Cluster, Cluster]:
        """The inventory of each revision."""
        return (self.snapshots[0].cluster, self.snapshots[1].cluster)

    def indices(self, universe: Universe, snapshots: Sequence[Snapshot], untold: int) -> tuple[PodIndex, PodIndex]:
        """The indices of both revisions over another universe, to which they add the same; one where both have the same pods."""
        host_network = self.compiled[0].index.host_network
        base = PodIndex(universe, 0, snapshots[0], host_network, untold)
        if self.clusters[0] is self.clusters[1]:
            return base, base
        return base, PodIndex(universe, 1, snapshots[1], host_network, untold)


class ChangedPolicy(Struct, frozen=True, eq=False):
    """A changed object that states policies: as a cause, and what it states in base and in head."""

    cause: Cause
    stated: tuple[tuple[Policy, ...], tuple[Policy, ...]]

    @classmethod
    def of(cls, changed: ChangedObject, cause: Cause) -> ChangedPolicy:
        """What a changed object states."""
        return cls(cause, (policies_of(changed.base), policies_of(changed.head)))

"""More pods beside known ones, without deciding or indexing anything of the known ones again."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from analyzers.model.cluster import Workload
from analyzers.model.policy import PodPeer
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.index import PodIndex
from analyzers.reachability.renumbering import Grown, Renumbering
from analyzers.reachability.universe import EndpointClass, JointWorkload, Snapshot, Universe, universe_of

_NAMESPACE = attrgetter("namespace")


def beside(universe: Universe, newcomers: Sequence[Workload]) -> Grown:
    """A universe with more workloads, of one pod each, that every revision has alike; they stand behind all others, and their classes
    behind those of their namespace."""
    if not newcomers:
        return Grown(universe, range(len(universe.classes)))
    revisions = len(universe.classes[0].shapes) if universe.classes else 2
    new = [EndpointClass(each.namespace, each.shapes * revisions) for each in newcomers]
    ordered = sorted((*universe.classes, *new), key=_NAMESPACE)
    number = {id(each): index for index, each in enumerate(ordered)}
    known = [number[id(each)] for each in universe.classes]
    workloads = [JointWorkload(each.id, each.versions, tuple(map(known.__getitem__, each.classes))) for each in universe.workloads]
    workloads += (JointWorkload(each.id, (each,) * revisions, (number[id(of)],)) for each, of in zip(newcomers, new, strict=True))
    origins = [-1] * len(ordered)
    for origin, place in enumerate(known):
        origins[place] = origin
    return Grown(universe_of(ordered, workloads), origins)


def index_beside(known: PodIndex, grown: Grown, revision: int, before: Snapshot, after: Snapshot) -> PodIndex:
    """The index of a revision with newcomers, of which no port names are told. `before` is the revision without them, which `known` is the
    index of, and `after` has them and their namespaces too."""
    shared = {grown.universe.classes[number].namespace for number in grown.newcomers} & known.universe.spans.keys()
    if any(before.cluster.namespace_labels(name) != after.cluster.namespace_labels(name) for name in shared):
        # A newcomer brings labels to a namespace that has no object, and so to the pods that are there.
        return PodIndex(grown.universe, revision, after, known.host_network, bits_of(grown.newcomers))
    return _IndexBeside(known, grown, revision, after)


class _IndexBeside(PodIndex):
    """What is selected of known pods is asked of their own index."""

    def __init__(self, known: PodIndex, grown: Grown, revision: int, snapshot: Snapshot) -> None:
        self._newcomers = grown.newcomers
        super().__init__(grown.universe, revision, snapshot, known.host_network, bits_of(self._newcomers))
        self._known, self._widening = known, Renumbering(grown.origins)
        self._added = PodIndex(grown.universe.part(self._newcomers), revision, snapshot, known.host_network)

    def select(self, peer: PodPeer) -> int:
        """The classes that a peer, or the subject of a policy, selects."""
        added = bits_of(self._newcomers[number] for number in members_of(self._added.select(peer)))
        return self._widening.classes(self._known.select(peer)) | added

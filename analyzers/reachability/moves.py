"""Moves: which pods differ between two revisions of one universe, and which policies can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, reduce
from operator import or_

from analyzers.model.cluster import Cluster, NamedPort
from analyzers.model.policy import PodPeer
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.cover import Cover
from analyzers.reachability.index import PodIndex
from analyzers.reachability.policy_index import Outline, OutlinedPolicies
from analyzers.reachability.universe import Snapshot, Universe


class Moves:
    """The pods of two revisions, and the network policies of the first, of which only outlines are looked at.

    What a policy lets through towards a pod, or from it, depends on nothing of the pod but which of its peers match, the numbers of port
    names that it uses, and whether the pod has an address of its own. So most verdicts are as they were, and those about a new pod are as
    those about another one that the policy does not single out.
    """

    def __init__(self, before: PodIndex, after: PodIndex, snapshots: tuple[Snapshot, Snapshot], policies: OutlinedPolicies) -> None:
        self._before, self._after, self._policies = before, after, policies
        self._both = before.present & after.present
        self._lost, self._new = before.present & ~self._both, after.present & ~self._both
        self._moved = list(_moved(before.universe, [each.cluster for each in snapshots]))
        # Only what moved has to be looked at, so it is put into a universe of its own.
        part = before.universe.part(self._moved)
        self._was, self._is = (PodIndex(part, side, snapshot, before.host_network) for side, snapshot in enumerate(snapshots))
        self._still = self._was.present & self._is.present
        self._known: dict[PodPeer, int] = {}

    @property
    def comparable(self) -> bool:
        """Whether every pod of both revisions has an address of its own in both, or in neither."""
        return not (self._before.hosts ^ self._after.hosts | self._before.in_network ^ self._after.in_network) & self._both

    @cached_property
    def subjects(self) -> int:
        """The classes of the second revision about which other policies may decide, or for which their port names stand for other
        numbers."""
        found = self._is.present & ~self._still
        for each in self._policies.outlines:
            found |= self._differs(each.subject)
        moved = bits_of(self._moved[number] for number in members_of(found))
        return moved | bits_of(number for number in self._moved if self._renamed(number))

    @cached_property
    def disputed(self) -> frozenset[int]:
        """The positions of the policies that match other pods, or other ports of them, than before."""
        return frozenset(position for position, each in enumerate(self._policies.outlines) if self._tells(each))

    def carried(self, cover: Cover, profile: Iterable[int]) -> Cover | None:
        """What policies none of which is disputed let through in the second revision, where `cover` is it in the first; None where no pod
        is known that is to them as a new one is."""
        if not self._lost and not self._new:
            return cover
        found = {mask: classes & ~self._lost for classes, mask in cover.pods}
        shut = self._both & ~reduce(or_, (classes for classes, _ in cover.pods), 0)
        # Rules only let through, and what they grant to a pod that is not singled out they grant to all of its kind.
        granted = [alike for alike in self._kinds if alike & self._new and not alike & shut]
        singled_out = self._singled_out(profile) if granted else 0
        for alike in granted:
            twin = next(members_of(alike & self._both & ~singled_out), None)
            if twin is None:
                return None
            if mask := cover.at(twin):
                found[mask] |= alike & self._new
        return Cover(tuple(sorted((classes, mask) for mask, classes in found.items() if classes)), cover.outside)

    @cached_property
    def _kinds(self) -> tuple[int, int, int]:
        """The pods of the second revision that are addresses of nodes, have their own, or share that of their node and can be selected."""
        index = self._after
        return index.hosts, index.in_network, index.selectable & ~index.in_network

    def _singled_out(self, profile: Iterable[int]) -> int:
        """The classes that some policies name, or that have a port which they name."""
        outlines = [self._policies.outlines[position] for position in profile]
        selected = reduce(or_, (self._before.select(peer) for each in outlines for peer in each.peers), 0)
        return reduce(or_, (classes for each in outlines for named in each.names for _, classes in self._before.with_port(named)), selected)

    def _tells(self, outline: Outline) -> bool:
        return any(map(self._differs, outline.peers)) or any(map(self._stands_for_others, outline.names))

    def _differs(self, peer: PodPeer) -> int:
        """What a peer selects of the pods of the second revision that moved, and did not, or the other way round."""
        if isinstance(peer.namespaces, str) and peer.namespaces not in self._was.universe.spans:
            return 0
        found = self._known.get(peer)
        if found is None:
            found = self._known[peer] = (self._was.select(peer) ^ self._is.select(peer)) & self._is.present
        return found

    def _stands_for_others(self, named: NamedPort) -> bool:
        was, becomes = ({number: classes & self._still for number, classes in index.with_port(named)} for index in (self._was, self._is))
        return any(was.get(number, 0) != becomes.get(number, 0) for number in {*was, *becomes}) or self._is_of_a_new_pod(named)

    def _is_of_a_new_pod(self, named: NamedPort) -> bool:
        return any(classes & ~self._still for _, classes in self._is.with_port(named))

    def _renamed(self, number: int) -> bool:
        before, after = self._before.shapes[number], self._after.shapes[number]
        return before is not after and before is not None and after is not None and before.named_ports != after.named_ports


def _moved(universe: Universe, clusters: Sequence[Cluster]) -> Iterator[int]:
    """The classes that differ between two revisions, or whose namespace has other labels."""
    relabelled = {name for name in universe.spans if clusters[0].namespace_labels(name) != clusters[1].namespace_labels(name)}
    for number, each in enumerate(universe.classes):
        if each.namespace in relabelled or (each.shapes[0] is not each.shapes[1] and each.shapes[0] != each.shapes[1]):
            yield number

"""Moves: which pods differ between two revisions of one universe, and which policies can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, reduce
from operator import or_

from analyzers.model.cluster import NamedPort
from analyzers.model.policy import PodPeer
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.cover import Cover
from analyzers.reachability.index import PodIndex
from analyzers.reachability.policy_index import Outline, OutlinedPolicies


class Moves:
    """The pods of two revisions, and the policies of the first, of which only outlines are looked at.

    What a policy lets through towards a pod, or from it, depends on nothing of the pod but which of its peers match, the numbers of port
    names that it uses, and whether the pod has an address of its own. So most verdicts are as they were, and those about a new pod are as
    those about another one that the policy does not single out.
    """

    def __init__(self, before: PodIndex, after: PodIndex, policies: OutlinedPolicies) -> None:
        self._before, self._after, self._policies = before, after, policies
        self._both = before.present & after.present
        self._lost, self._new = before.present & ~self._both, after.present & ~self._both
        self._known: dict[PodPeer, bool] = {}

    @property
    def comparable(self) -> bool:
        """Whether every pod of both revisions has an address of its own in both, or in neither."""
        return not (self._before.hosts ^ self._after.hosts | self._before.in_network ^ self._after.in_network) & self._both

    @cached_property
    def subjects(self) -> int:
        """The classes of the second revision about which other policies may decide, or for which their port names stand for other
        numbers."""
        found = self._new | bits_of(number for number in members_of(self._both) if self._renamed(number))
        for subject in dict.fromkeys(each.subject for each in self._policies.outlines):
            if self._differs(subject):
                found |= (self._before.select(subject) & ~self._lost) ^ self._after.select(subject)
        return found

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
        singled_out = self._singled_out(profile) if self._new else 0
        for alike in self._kinds:
            if new := alike & self._new:
                twin = next(members_of(alike & self._both & ~singled_out), None)
                if twin is None:
                    return None
                if mask := cover.at(twin):
                    found[mask] |= new
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

    def _differs(self, peer: PodPeer) -> bool:
        """Whether a peer selects others of the pods of the second revision than it did."""
        if peer not in self._known:
            self._known[peer] = self._before.select(peer) & ~self._lost != self._after.select(peer)
        return self._known[peer]

    def _stands_for_others(self, named: NamedPort) -> bool:
        before, after = (dict(self._numbers(index, named)) for index in (self._before, self._after))
        return before != after

    def _numbers(self, index: PodIndex, named: NamedPort) -> Iterator[tuple[int, int]]:
        return ((number, left) for number, classes in index.with_port(named) if (left := classes & ~self._lost))

    def _renamed(self, number: int) -> bool:
        before, after = self._before.shapes[number], self._after.shapes[number]
        return before is not after and before is not None and after is not None and before.named_ports != after.named_ports

"""Cells decided again with some policies put aside: what tells why a change had no effect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache, partial, reduce
from operator import or_

from msgspec import Struct

from analyzers.impact.causation.compared import Compared
from analyzers.model.cluster import Cluster, Workload
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.policy import Direction, PodPeer, Policy, PolicyRef, Tier
from analyzers.model.representative import Representative
from analyzers.model.selectors import LabelSelector
from analyzers.reachability.beside import beside, index_beside
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.compiled import Decider, names_used
from analyzers.reachability.cover import Cover, differing, overlay_addresses
from analyzers.reachability.decide import decide
from analyzers.reachability.representatives import with_names
from analyzers.reachability.universe import JointWorkload, Snapshot
from analyzers.sets.ip_blocks import Family

Address = tuple[Family, int]
"""One address outside the cluster."""

Aside = tuple[PolicyRef, Direction]
"""A policy that is put aside at the end that it decides about in one direction."""

Stated = tuple[tuple[Policy, ...], tuple[Policy, ...]]
"""What a changed policy says in base and in head."""

MOST_SUBJECTS, MOST_PEERS = 24, 12
"""Pods of a policy, and of the peers of each, that are looked at one by one; those that could exist come first."""


_ISOLATING = Policy(
    PolicyRef("", "", ""),
    Tier.NETWORK_POLICY,
    PodPeer("", LabelSelector()),
    frozenset(Direction),
    (),
    SourceLocation("", 0),
)
"""What isolates and allows nothing."""


class Witness(Struct, frozen=True):
    """A pod that a policy selects, and an end towards or from which the policy by itself, or with the others about the pod, says different
    things in base and head."""

    direction: Direction
    subject: int
    peer: int | Address


class Redecision:
    """Both revisions, with pods that could exist among the known ones."""

    def __init__(self, compared: Compared, representatives: Sequence[Representative]) -> None:
        self._snapshots = snapshots = [Snapshot(_with(each.cluster, representatives), each.policies) for each in compared.snapshots]
        grown = beside(compared.universe, representatives)
        self.universe = grown.universe
        self.stand_ins = bits_of(grown.newcomers)
        base, head = (
            partial(index_beside, each.index, grown, revision, compared.snapshots[revision], snapshots[revision])
            for revision, each in enumerate(compared.compiled)
        )
        index = base()
        self._indices = (index, index if compared.clusters[0] is compared.clusters[1] else head())
        self.space = with_names(compared.compiled[0].space, frozenset().union(*(each.named_ports for each in snapshots)))
        self._deciders = [Decider(index, self.space) for index in self._indices]
        self.about = cache(self._about)

    def selected(self, revision: int, policies: Sequence[Policy]) -> int:
        """The classes that some policies select in a revision."""
        found = 0
        for policy in policies:
            found |= self._indices[revision].select(policy.subject)
        return found

    def joint(self, number: int) -> JointWorkload:
        """A workload of a class."""
        return self.universe.workloads[self.universe.members[number][0]]

    def carrying(self, selector: LabelSelector) -> Iterator[Workload]:
        """The workloads of head with a pod that policy could select by these labels, in whatever namespace."""
        classes = self._indices[1].select(PodPeer(LabelSelector(), selector)) & ~self.stand_ins
        newest = (self.universe.workloads[index].versions[-1] for index in sorted(set(self.universe.within(classes))))
        return (each for each in newest if each is not None)

    def _about(self, revision: int, direction: Direction, number: int) -> tuple[Policy, ...]:
        """The policies that decide about a class in a direction."""
        there = self._snapshots[revision].about((self.universe.classes[number].namespace,), direction)
        return tuple(each for each in there if self._is_about(revision, direction, number, each))

    def bearing(self, witness: Witness) -> dict[Aside, Policy]:
        """The policies at either end of a witness, in either revision; as head has them where it does."""
        return {(policy.ref, end[0]): policy for revision in (0, 1) for end in self.ends(witness) for policy in self.about(revision, *end)}

    def ends(self, witness: Witness) -> list[tuple[Direction, int]]:
        """The pods at either end of a witness, with the direction in which policies decide there."""
        own = [(witness.direction, witness.subject)]
        return [*own, (_other(witness.direction), witness.peer)] if isinstance(witness.peer, int) else own

    def takes_effect(self, witness: Witness, aside: Collection[Aside], stated: Stated) -> bool:
        """Whether the connection differs between base and head where these policies are put aside in both, and not without what is
        stated: the changed policy in base and in head."""
        cells = [self.cell(revision, witness, aside) for revision in (0, 1)]
        if cells[0] == cells[1]:
            return False
        without = {*aside, *((policy.ref, direction) for policies in stated for policy in policies for direction in Direction)}
        return any(self.cell(revision, witness, without, stated[1 - revision]) != cells[revision] for revision in (0, 1))

    def cell(self, revision: int, witness: Witness, aside: Collection[Aside], instead: Sequence[Policy] = ()) -> int:
        """The verdict mask of a witness where some policies are put aside, and others come in their stead."""
        index, subject, peer = self._indices[revision], witness.subject, witness.peer
        if not index.present >> subject & 1 or (isinstance(peer, int) and not index.present >> peer & 1):
            return 0
        own = self._cover(revision, (witness.direction, subject), aside, instead)
        if not isinstance(peer, int):
            return at_address(own, peer)
        return own.at(peer) & self._cover(revision, (_other(witness.direction), peer), aside, instead).at(subject)

    def _cover(self, revision: int, end: tuple[Direction, int], aside: Collection[Aside], instead: Sequence[Policy]) -> Cover:
        kept = [each for each in self.about(revision, *end) if (each.ref, end[0]) not in aside]
        return self._of(revision, *end, [*kept, *(each for each in instead if self._is_about(revision, *end, each))])

    def _is_about(self, revision: int, direction: Direction, number: int, policy: Policy) -> bool:
        return policy.decides(direction) and bool(self._indices[revision].select(policy.subject) >> number & 1)

    def _of(self, revision: int, direction: Direction, number: int, policies: Sequence[Policy]) -> Cover:
        named = sorted({each for policy in policies for each in names_used(policy, direction)}, key=str)
        resolved = tuple((each, self._indices[revision].resolve(number, each)) for each in named)
        return self._deciders[revision].cover(direction, policies, resolved)

    def own_side(self, revision: int, witness: Witness) -> int:
        """What the pod itself lets through at a witness, whatever the other end does."""
        cover = self._cover(revision, (witness.direction, witness.subject), (), ())
        return cover.at(witness.peer) if isinstance(witness.peer, int) else at_address(cover, witness.peer)

    def passes(self, revision: int, witness: Witness, policy: Policy) -> int:
        """What one policy by itself lets through at its end of a witness."""
        # Deciders know policies by identity, which one made on the way does not keep.
        index = self._indices[revision]
        cover = decide(witness.direction, (policy,), index, self.space, partial(index.resolve, witness.subject))
        return cover.at(witness.peer) if isinstance(witness.peer, int) else at_address(cover, witness.peer)

    def witnesses(self, stated: Stated) -> Iterator[Witness]:
        """Some of the places where a changed policy makes a difference, by itself or with others."""
        for direction in Direction:
            deciding = [[each for each in policies if each.decides(direction)] for policies in stated]
            subjects = self.selected(0, deciding[0]) | self.selected(1, deciding[1])
            for subject in self._some(subjects, MOST_SUBJECTS):
                isolated = [self._alone(revision, direction, subject, each, stated) for revision, each in enumerate(deciding)]
                whole = [self._cover(revision, (direction, subject), (), ()) for revision in (0, 1)]
                alone = [self._alone(revision, direction, subject, each) for revision, each in enumerate(deciding)]
                # What the policy lets through comes first, then what comes of it with others, then what it does by itself.
                for classes in (_apart(*isolated), _apart(*whole), _apart(*alone)):
                    yield from (Witness(direction, subject, peer) for peer in self._some(classes, MOST_PEERS) if self._pairs(subject, peer))
                yield from (Witness(direction, subject, address) for address in _addresses(*isolated, *whole, *alone))

    def _alone(self, revision: int, direction: Direction, subject: int, policies: Sequence[Policy], stated: Stated = ((), ())) -> Cover:
        """What some policies let through by themselves; what they allow, of a pod that others than those stated isolate anyway."""
        own = {policy.ref for each in stated for policy in each}
        others = [[each for each in self.about(side, direction, subject) if each.ref not in own] for side in (0, 1)]
        isolated = own and all(any(direction in each.isolates for each in about) for about in others)
        kept = [each for each in policies if self._is_about(revision, direction, subject, each)]
        return self._of(revision, direction, subject, [*kept, _ISOLATING] if isolated else kept)

    def _some(self, classes: int, most: int) -> list[int]:
        """A few classes, those of pods that could exist first."""
        chosen = [number for _, number in zip(range(most), members_of(classes & self.stand_ins), strict=False)]
        return chosen + [number for _, number in zip(range(most), members_of(classes & ~self.stand_ins), strict=False)]

    def _pairs(self, subject: int, peer: int) -> bool:
        """Whether a pod of one class can have traffic with one of the other: a bare pod has none with itself."""
        members = self.universe.members[subject]
        return subject != peer or len(members) > 1 or self.universe.workloads[members[0]].latest.has_replicas


def at_address(cover: Cover, address: Address) -> int:
    """What a cover lets through to or from one address."""
    family, number = address
    return next((mask for low, high, mask in cover.outside.of(family) if low <= number <= high), 0)


def _other(direction: Direction) -> Direction:
    return Direction.EGRESS if direction is Direction.INGRESS else Direction.INGRESS


def _apart(base: Cover, head: Cover) -> int:
    """The classes at which two covers differ."""
    return reduce(or_, (classes for classes, _, _ in differing(base, head)), 0)


def _addresses(*covers: Cover) -> Iterator[Address]:
    """An address of each kind at which some pair of covers differs."""
    for family in Family:
        for masks, addresses in overlay_addresses([cover.outside.of(family) for cover in covers]).items():
            if any(one != other for one, other in zip(masks[::2], masks[1::2], strict=True)):
                yield family, addresses.intervals[0][0]


def _with(cluster: Cluster, representatives: Sequence[Representative]) -> Cluster:
    namespaces = {**cluster.namespaces, **{pod.namespace: pod.namespace_labels for pod in representatives if pod.made_up}}
    return Cluster(namespaces, (*cluster.workloads, *representatives))

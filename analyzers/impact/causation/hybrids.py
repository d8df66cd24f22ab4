"""Hybrids: head with some changed objects as base has them, decided for a few ends only, by the same engine.

What a change would be without some of its edits is never guessed: the objects are put back, and the cells decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import or_

from msgspec import Struct

from analyzers.impact.causation.changed import key_of
from analyzers.impact.causation.minimal_sets import Chosen
from analyzers.impact.causation.mixtures import Mixtures
from analyzers.impact.rows.changes import Change, ChangeTable, Folding
from analyzers.model.cluster import Cluster
from analyzers.model.policy import Direction, Policy
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.compiled import Compiled, Decider
from analyzers.reachability.delta import Delta, compare
from analyzers.reachability.index import PodIndex
from analyzers.reachability.universe import Snapshot, Universe, join
from analyzers.reachability.ways_in import WaysIn
from analyzers.sets.ip_blocks import IPBlock

End = int | IPBlock
"""A workload, by its position in the universe, or addresses."""

Left = tuple[int, int, int]
"""What is left of a change: port mask, and the sources and destinations between which it is, as sets of positions in what is asked."""


class Asked(Struct, frozen=True):
    """Every source to every destination. `bearing` are the changed objects that are put back, or not."""

    sources: tuple[End, ...]
    destinations: tuple[End, ...]
    bearing: Chosen

    @property
    def workloads(self) -> list[int]:
        """The workloads at either end."""
        return sorted({each for each in (*self.sources, *self.destinations) if isinstance(each, int)})


_Sets = int | IPBlock
"""One side of a change: a set of classes, or addresses."""


class _Places:
    """Where the ends of a question are in a small universe: by their first class, or as addresses. `classes` are all of theirs."""

    def __init__(self, ends: Sequence[End], classes_of: Callable[[int], Sequence[int]]) -> None:
        self._by_class: dict[int, int] = {}
        self._blocks: list[tuple[int, IPBlock]] = []
        self._known: dict[int, int] = {}
        classes: list[int] = []
        for position, end in enumerate(ends):
            if isinstance(end, IPBlock):
                self._blocks.append((1 << position, end))
            elif numbers := classes_of(end):
                self._by_class[numbers[0]] = self._by_class.get(numbers[0], 0) | 1 << position
                classes += numbers
        self.classes = bits_of(classes)

    def held(self, held: _Sets) -> int:
        """The positions of the ends that one side of a change holds, or meets."""
        if isinstance(held, IPBlock):
            return reduce(or_, (place for place, each in self._blocks if each.family is held.family and held.addresses & each.addresses), 0)
        if held not in self._known:
            self._known[held] = reduce(or_, (self._by_class.get(number, 0) for number in members_of(held)), 0)
        return self._known[held]


class _World(Struct, frozen=True, eq=False):
    """The ends of a question as some pods and namespaces have it. `before` is base; `decider` decides every profile of these pods once,
    whatever policies are put back."""

    universe: Universe
    before: Compiled
    decider: Decider
    unchanged: tuple[Policy, ...]
    sources: _Places
    destinations: _Places


class Hybrids:
    """Answers what is left of a change when some of it is undone."""

    def __init__(self, universe: Universe, mixtures: Mixtures) -> None:
        self.mixtures = mixtures
        self._universe = universe
        self._space = mixtures.head.compiled.space
        self._host_network = mixtures.head.compiled.index.host_network
        self._worlds: dict[tuple[Asked, Chosen], _World] = {}

    def left(self, asked: Asked, undone: Chosen) -> tuple[Left, ...]:
        """What still changes from base when some of the objects are put back."""
        key = (asked, undone & self.mixtures.changed.inventory)
        world = self._worlds.get(key)
        if world is None:
            world = self._worlds[key] = self._world(asked, undone)
        policies = (*world.unchanged, *self.mixtures.stated(asked.bearing, undone))
        after = self._compiled(world.decider, policies, (world.sources.classes, world.destinations.classes))
        table = Folding(world.universe, world.before, after).table(compare(world.before, after))
        found = ((ports, world.sources.held(one), world.destinations.held(other)) for ports, one, other in _changes(table))
        return tuple(each for each in found if all(each))

    def still_let_in(self, undone: Chosen, ports: int) -> frozenset[str]:
        """The workloads to which what comes in through ingress controllers still changes from base on some of these ports."""
        snapshots = [self.mixtures.base.snapshot, self.mixtures.whole(undone)]
        universe = join(snapshots)
        deciders = [Decider(PodIndex(universe, each, snapshot, self._host_network), self._space) for each, snapshot in enumerate(snapshots)]
        compiled = [self._compiled(decider, snapshot.policies) for decider, snapshot in zip(deciders, snapshots, strict=True)]
        ways = [WaysIn(each, snapshot) for each, snapshot in zip(compiled, snapshots, strict=True)]
        inward = Folding(universe, *compiled).table(Delta((), ()), ways[0].pieces, ways[1].pieces).inward
        return frozenset(
            universe.workloads[index].id for each in inward if _ports(each.change) & ports for index in universe.within(each.classes)
        )

    def _world(self, asked: Asked, undone: Chosen) -> _World:
        mixtures, space = self.mixtures, self._space
        joints = [self._universe.workloads[index] for index in asked.workloads]
        names = {joint.latest.namespace for joint in joints}
        existing = tuple(joint.versions[0] for joint in joints if joint.versions[0] is not None)
        base = Cluster({name: mixtures.base.snapshot.cluster.namespace_labels(name) for name in names}, existing)
        mixed = Cluster({name: mixtures.labels(name, undone) for name in names}, tuple(mixtures.workloads(joints, undone)))
        snapshots = [Snapshot(base, ()), Snapshot(mixed, ())]
        universe = join(snapshots)
        deciders = [Decider(PodIndex(universe, each, snapshot, self._host_network), space) for each, snapshot in enumerate(snapshots)]
        unchanged = tuple({key_of(policy): policy for index in asked.workloads for policy in mixtures.unchanged(index)}.values())
        classes = {joint.id: joint.classes for joint in universe.workloads}
        sources, destinations = (
            _Places(ends, lambda end: classes.get(self._universe.workloads[end].id, ())) for ends in (asked.sources, asked.destinations)
        )
        policies = (*unchanged, *mixtures.stated(asked.bearing, asked.bearing))
        before = self._compiled(deciders[0], policies, (sources.classes, destinations.classes))
        return _World(universe, before, deciders[1], unchanged, sources, destinations)

    def _compiled(self, decider: Decider, policies: Sequence[Policy], among: tuple[int | None, int | None] = (None, None)) -> Compiled:
        """What policies let through; `among` are the classes that matter as sources, and as destinations."""
        sources, destinations = among
        egress = decider.side(Direction.EGRESS, policies, sources)
        ingress = decider.side(Direction.INGRESS, policies, destinations)
        return Compiled(decider.index, self._space, egress, ingress)


def _changes(table: ChangeTable) -> Iterator[tuple[int, _Sets, _Sets]]:
    """The ports that change, and the sources and destinations, as classes or as addresses, between which they do."""
    yield from ((_ports(each.change), each.sources, each.destinations) for each in table.between)
    for each in table.outward:
        ends = (each.classes, each.block) if each.direction is Direction.EGRESS else (each.block, each.classes)
        yield (_ports(each.change), *ends)


def _ports(change: Change) -> int:
    return change.opened | change.closed | change.may

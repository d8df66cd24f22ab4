"""Families: the cells of a group by the changed objects that bear on them, with what is left of their change when some are put back.

Cells that nothing tells apart are one. What is decided again is bounded, for each group and for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, reduce
from itertools import product
from operator import or_

from msgspec import Struct, field
from msgspec.structs import replace

from analyzers.impact.causation.bearing import Bearing
from analyzers.impact.causation.hybrids import Asked, End, Hybrids, Left
from analyzers.impact.causation.lookalikes import Kinds, TooManyError, groups_of, split
from analyzers.impact.causation.minimal_sets import Chosen
from analyzers.impact.causation.mixtures import can_select
from analyzers.impact.rows.endpoint_sets import EndpointSet, Members
from analyzers.impact.rows.groups import Group
from analyzers.model.policy import Direction, Policy
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.universe import JointWorkload, Universe

MOST_CELLS = 400
"""Cells of one group that are told apart."""

MOST_POOLED = 64
"""Ends that are decided again together."""

BUDGET = 30_000
"""Ends and policies decided again for the causes of one report: about a second."""


class Part(Struct, frozen=True):
    """Ends of a group on which the same changed objects bear. `classes` are those that are the same in both revisions; `asked` stand for
    all of them."""

    bearing: Chosen
    ends: Members
    classes: int = 0
    asked: tuple[End, ...] = ()


Cell = tuple[Part, Part]


class Family(Struct, frozen=True, eq=False):
    """Cells on which the same changed objects bear; `left` says which of them still change when some objects are put back."""

    bearing: tuple[int, ...]
    cells: Sequence[Cell]
    left: Callable[[Chosen], frozenset[int]]
    known: dict[Chosen, frozenset[int]] = field(default_factory=dict)

    def remaining(self, undone: Chosen) -> frozenset[int]:
        """The cells, by position, that still change. Raises TooManyError."""
        chosen = undone.intersection(self.bearing)
        if len(chosen) == len(self.bearing):
            return frozenset()
        if chosen not in self.known:
            self.known[chosen] = self.left(chosen) if chosen else frozenset(range(len(self.cells)))
        return self.known[chosen]


class _Pool(Struct, frozen=True, eq=False):
    """The ends of cells of many families, so that a choice of objects to put back is decided once for all of them. `bearing` are all
    objects that bear on some cell: those that do not bear on another one make no difference to it."""

    bearing: set[int] = field(default_factory=set)
    sources: dict[End, int] = field(default_factory=dict)
    destinations: dict[End, int] = field(default_factory=dict)
    known: dict[Chosen, tuple[Left, ...]] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """Whether more ends would make each choice too dear."""
        return len(self.sources) + len(self.destinations) >= MOST_POOLED


def _places(known: dict[End, int], ends: Sequence[End]) -> int:
    """The positions of some ends, which are added where they are new."""
    return bits_of([known.setdefault(end, len(known)) for end in ends])


class Families:
    """Cuts groups into families. `bearing` are the changed objects that can change some flow, by position.

    All groups are cut before the first family is asked: what is decided for one is decided for all of them.
    """

    def __init__(self, universe: Universe, hybrids: Hybrids, bearing: Sequence[tuple[int, Bearing]]) -> None:
        self._universe, self._hybrids, self._mixtures, self._bearing = universe, hybrids, hybrids.mixtures, bearing
        self._changed, self._base = hybrids.mixtures.changed, hybrids.mixtures.base.compiled
        self._pool = _Pool()
        self._budget = BUDGET

    def of(self, group: Group) -> list[Family]:
        """The families of a group. Raises TooManyError."""
        sources = list(self._parts(group.sources, Direction.EGRESS))
        destinations = list(self._parts(group.destinations, Direction.INGRESS))
        if len(sources) * len(destinations) > MOST_CELLS:
            raise TooManyError
        found: dict[tuple[bool, Chosen], list[Cell]] = {}
        for source, destination in product(sources, destinations):
            inward = source.ends.controller
            bearing = self._on_way_in(destination) if inward else source.bearing | destination.bearing
            found.setdefault((inward, bearing), []).append((source, destination))
        return [self._family(inward, bearing, cells, reduce(or_, group.alike)) for (inward, bearing), cells in found.items()]

    def _family(self, inward: bool, bearing: Chosen, cells: Sequence[Cell], ports: int) -> Family:
        if not bearing:
            raise TooManyError  # nothing is known to bear on what changed: better to name all that may
        if len(bearing) == 1:
            return Family(tuple(bearing), cells, lambda undone: frozenset())
        return self._inward(bearing, cells, ports) if inward else self._between(bearing, cells, ports)

    def _parts(self, ends: EndpointSet, direction: Direction) -> Iterator[Part]:
        """The ends of one side of a group by the changed objects that bear on them."""
        members = ends.members
        single = bits_of(self._universe.workloads[each].classes[0] for each in members.singles)
        plain = (members.classes | single) & self._steady
        selecting = [(each, classes & plain) for each, classes in self._selecting[direction] if classes & plain]
        for classes in split(plain, (classes for _, classes in selecting), MOST_CELLS):
            bearing = frozenset(each for each, selected in selecting if selected & classes)
            yield Part(bearing, _within(members, classes, self._universe), classes, (self._standing_for(classes),))
        for index in sorted(ends.indices):
            joint = self._universe.workloads[index]
            if not self._steady >> joint.classes[0] & 1:
                yield Part(self._on(joint, direction), Members(singles=frozenset({index})), 0, (index,))
        if members.blocks:
            yield Part(frozenset(), Members(blocks=members.blocks), 0, members.blocks)
        if members.controller:
            yield Part(frozenset(), Members(controller=True))

    @cached_property
    def _steady(self) -> int:
        """The classes that are the same in both revisions; workloads whose own pods differ are left to be looked at one by one."""
        first = ((number, self._universe.workloads[held[0]]) for number, held in enumerate(self._universe.members))
        return bits_of(number for number, joint in first if len(joint.classes) == 1 and self._mixtures.steady(joint))

    @cached_property
    def _selecting(self) -> dict[Direction, list[tuple[int, int]]]:
        """The changed policies, with the classes that they select in a direction, among those that are the same in both revisions."""
        found: dict[Direction, list[tuple[int, int]]] = {direction: [] for direction in Direction}
        for each, direction in product(self._changed.policies, Direction):
            deciding = (policy for policy in self._changed.versions(each) if policy.decides(direction))
            if classes := reduce(or_, (self._base.index.select(policy.subject) for policy in deciding), 0):
                found[direction].append((each, classes))
        return found

    def _on(self, joint: JointWorkload, direction: Direction) -> Chosen:
        """The changed objects that bear on a workload that is not the same in both revisions."""
        pods, namespaces = self._mixtures.variants(joint)
        namespace = joint.latest.namespace
        found = set(self._changed.pods_of(joint))
        if len(namespaces) > 1:
            found.add(self._changed.namespaces[namespace])
        known = None if namespace in self._changed.entangled else pods
        for each in self._changed.policies:
            deciding = (policy for policy in self._changed.versions(each) if policy.decides(direction))
            if any(can_select(policy.subject, known, namespace, namespaces) for policy in deciding):
                found.add(each)
        return frozenset(found)

    def _on_way_in(self, destination: Part) -> Chosen:
        """The changed objects that bear on what comes in through ingress controllers."""
        touched = EndpointSet(self._universe, destination.ends).touched
        inward = (position for position, each in self._bearing if touched & (each.destinations | each.inward))
        return destination.bearing.union(inward)

    def _between(self, bearing: Chosen, cells: Sequence[Cell], ports: int) -> Family:
        """Cells between workloads, and between workloads and addresses, told apart as finely as policies can."""
        changed = [policy for each in sorted(bearing) for policy in self._changed.versions(each)]
        sources, destinations = (list(dict.fromkeys(side)) for side in zip(*cells, strict=True))
        from_there, to_there = self._unchanged(sources, Direction.EGRESS), self._unchanged(destinations, Direction.INGRESS)
        near = self._refined(sources, Kinds(Direction.EGRESS, changed, to_there, self._base))
        far = self._refined(destinations, Kinds(Direction.INGRESS, changed, from_there, self._base))
        smaller = [cell for source, destination in cells for cell in product(near[source], far[destination])]
        if len(smaller) > MOST_CELLS:
            raise TooManyError
        return self._asking(bearing, smaller, ports)

    def _asking(self, bearing: Chosen, cells: Sequence[Cell], ports: int) -> Family:
        """Cells that are decided again by themselves."""
        if self._pool.is_full:
            self._pool = _Pool()
        pool = self._pool
        pool.bearing.update(bearing)
        places = [(_places(pool.sources, source.asked), _places(pool.destinations, other.asked)) for source, other in cells]

        def left(undone: Chosen) -> frozenset[int]:
            changes = [(one, other) for changed, one, other in self._left(pool, undone) if changed & ports]
            return frozenset(
                each
                for each, (source, destination) in enumerate(places)
                if any(source & one and destination & other for one, other in changes)
            )

        return Family(tuple(sorted(bearing)), cells, left)

    def _left(self, pool: _Pool, undone: Chosen) -> tuple[Left, ...]:
        """What is left of the changes of all families of a pool. Raises TooManyError."""
        if undone not in pool.known:
            asked = Asked(tuple(pool.sources), tuple(pool.destinations), frozenset(pool.bearing))
            policies = sum(len(self._mixtures.unchanged(each)) for each in asked.workloads)
            self._spend(len(asked.sources) + len(asked.destinations) + policies)
            pool.known[undone] = self._hybrids.left(asked, undone)
        return pool.known[undone]

    def _inward(self, bearing: Chosen, cells: Sequence[Cell], ports: int) -> Family:
        """Cells from the ingress controller. What it is depends on every pod, so all of the cluster is decided again."""
        smaller = [(source, each) for source, destination in cells for each in self._one_by_one(destination)]
        names = [frozenset(EndpointSet(self._universe, destination.ends)) for _, destination in smaller]

        def left(undone: Chosen) -> frozenset[int]:
            self._spend(len(self._universe.classes) + len(self._mixtures.head.snapshot.policies))
            still = self._hybrids.still_let_in(undone, ports)
            return frozenset(each for each, held in enumerate(names) if held & still)

        return Family(tuple(sorted(bearing)), smaller, left)

    def _refined(self, parts: Sequence[Part], kinds: Kinds) -> dict[Part, list[Part]]:
        """Each part, cut into classes that look alike. Raises TooManyError."""
        return {part: [self._cut(part, classes) for classes in kinds.of(part.classes)] if part.classes else [part] for part in parts}

    def _one_by_one(self, part: Part) -> list[Part]:
        if part.classes.bit_count() > MOST_CELLS:
            raise TooManyError
        return [self._cut(part, 1 << number) for number in members_of(part.classes)] or [part]

    def _cut(self, part: Part, classes: int) -> Part:
        ends = _within(part.ends, classes, self._universe)
        return part if classes == part.classes else replace(part, ends=ends, classes=classes, asked=(self._standing_for(classes),))

    def _standing_for(self, classes: int) -> int:
        """A workload of some classes."""
        return self._universe.members[next(members_of(classes))][0]

    def _unchanged(self, parts: Sequence[Part], direction: Direction) -> list[Policy]:
        """The unchanged policies that can select some of the ends. Raises TooManyError."""
        asked = [end for part in parts if not part.classes for end in part.asked if isinstance(end, int)]
        for part in parts:
            asked += (self._universe.members[group[0]][0] for group in groups_of(part.classes, direction, self._base))
        known = {id(policy): policy for index in asked for policy in self._mixtures.unchanged(index)}
        return list(known.values())

    def _spend(self, cost: int) -> None:
        self._budget -= cost
        if self._budget < 0:
            raise TooManyError


def _within(members: Members, classes: int, universe: Universe) -> Members:
    """The workloads of some classes."""
    singles = frozenset(each for each in members.singles if classes >> universe.workloads[each].classes[0] & 1)
    return Members(members.classes & classes, singles)

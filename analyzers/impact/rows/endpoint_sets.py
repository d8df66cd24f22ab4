"""Sets of endpoints that stay factored until someone asks for their names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from analyzers.model.cluster import INGRESS_CONTROLLER, ExternalBlock
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.universe import JointWorkload, Universe
from analyzers.sets.ip_blocks import IPBlock


class Members(Struct, frozen=True):
    """Endpoints in factored form: whole classes, single workloads of classes that are not whole, address blocks (sorted by id), and the
    ingress controller."""

    classes: int = 0
    singles: frozenset[int] = frozenset()
    blocks: tuple[IPBlock, ...] = ()
    controller: bool = False


class EndpointSet:
    """A set of endpoints of one universe. Iterating gives the sorted ids; `len` counts without naming them."""

    def __init__(self, universe: Universe, members: Members) -> None:
        self._universe = universe
        self.members = members

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __len__(self) -> int:
        return self._count

    @cached_property
    def _count(self) -> int:
        held = sum([len(self._universe.members[each]) for each in members_of(self.members.classes)])
        return held + len(self.members.singles) + len(self.members.blocks) + self.members.controller

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The endpoint ids, sorted."""
        names = [self._universe.workloads[index].id for index in self.indices]
        return tuple(sorted((*names, *self._beyond)))

    @property
    def first(self) -> str:
        """The least endpoint id."""
        least = min(self.indices, default=None)
        names = self._beyond
        return min(names if least is None else [*names, self._universe.workloads[least].id])

    @property
    def controller(self) -> bool:
        """Whether the ingress controller is in the set."""
        return self.members.controller

    @property
    def _beyond(self) -> list[str]:
        """The ids of what is no workload."""
        blocks = [block.name() for block in self.members.blocks]
        return [*blocks, INGRESS_CONTROLLER.id] if self.members.controller else blocks

    @property
    def workloads(self) -> Iterator[JointWorkload]:
        """The workloads in the set, by id."""
        return (self._universe.workloads[index] for index in sorted(self.indices))

    @property
    def blocks(self) -> tuple[ExternalBlock, ...]:
        """The address blocks in the set, by id."""
        return tuple(map(ExternalBlock, self.members.blocks))

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces of its workloads."""
        return frozenset(self._universe.classes[number].namespace for number in members_of(self.touched))

    @cached_property
    def touched(self) -> int:
        """Every class that has a member in the set, varied workloads with all their classes."""
        workloads = self._universe.workloads
        held = [workloads[index].classes for index in self._universe.within(self.members.classes)]
        held = [*(classes for classes in held if len(classes) > 1), *(workloads[index].classes for index in self.members.singles)]
        return self.members.classes | bits_of(number for classes in held for number in classes)

    @property
    def indices(self) -> Iterator[int]:
        """The positions of its workloads in the universe, in no order."""
        yield from self.members.singles
        yield from self._universe.within(self.members.classes)

"""Ways in, decided: what policy leaves of them. A way in never opens what policy denies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial, reduce
from operator import and_, or_

from msgspec import Struct

from analyzers.model.diagnostics import SourceLocation
from analyzers.model.policy import Direction, Policy
from analyzers.model.ways_in import WayIn
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.cover import Outside, Piece, disjoint
from analyzers.reachability.landings import Landing, Landings, narrowed
from analyzers.reachability.ports import Condition
from analyzers.reachability.universe import Snapshot
from analyzers.reachability.unknown_controller import UnknownController
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock


class Leading(Struct, frozen=True):
    """One way in to one port of a Service. `open` says whether it passes policy, for certain or perhaps, towards any pod behind it;
    `policies` are those that speak about traffic into these pods."""

    way: str
    service: str
    port: int
    targets: tuple[int, ...]
    origin: SourceLocation
    open: bool
    direct: bool
    policies: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes it the same way in another revision."""
        return (self.way, self.service, self.port)


_FEW = 32
"""Classes that are looked up one by one."""

_Serving = tuple[int, bool]
"""The classes of the controllers that serve a way (0: none is known), and whether it is certain that one does."""


class _Masks:
    """The verdict masks of some classes, asked for set by set: class by class for a small set, by equal masks for a large one."""

    def __init__(self, of: Mapping[int, int]) -> None:
        self._of = of

    @cached_property
    def _pieces(self) -> list[Piece]:
        by_mask: dict[int, list[int]] = {}
        for number, mask in self._of.items():
            by_mask.setdefault(mask, []).append(number)
        return [(bits_of(numbers), mask) for mask, numbers in by_mask.items()]

    def within(self, classes: int) -> Iterator[Piece]:
        """The masks of some of the classes."""
        if classes.bit_count() < _FEW:
            return ((1 << number, self._of[number]) for number in members_of(classes))
        return ((common, mask) for held, mask in self._pieces if (common := held & classes))


class WaysIn:
    """The ways in of one compiled revision. `pieces` are the classes that traffic through controllers reaches, disjoint, with verdict
    masks."""

    def __init__(self, compiled: Compiled, snapshot: Snapshot) -> None:
        index = compiled.index
        self.landings = landings = Landings(index.universe, index.shapes, snapshot.cluster)
        self._compiled, self._policies = compiled, snapshot.policies
        self.unknown = UnknownController(index, compiled.space, snapshot.policies)
        self._from_unknown: dict[int, int] = {}
        self._to_outside: dict[tuple[IPBlock, ...], _Masks] = {}
        self._controllers: dict[int, int] = {}
        self._admitted = self._all_admitted()
        self.pieces: tuple[Piece, ...] = disjoint(piece for landing in landings.through for piece in self._towards(landing))

    def controllers(self, way: WayIn) -> int:
        """The classes of the pods that serve a way, where the manifests hold them."""
        # A way can have very many backends, so it is known by identity; the landings hold it.
        if id(way) not in self._controllers:
            self._controllers[id(way)] = reduce(or_, map(self.landings.like, way.controllers), 0)
        return self._controllers[id(way)]

    def deciding(self, classes: int) -> list[Policy]:
        """The policies that speak about traffic into the pods of some classes."""
        return [policy for policy, subjects in self._subjects if subjects & classes]

    @cached_property
    def leading(self) -> tuple[Leading, ...]:
        """Every way in that arrives at some pod, by way and Service."""
        return tuple(self._leading())

    def _leading(self) -> Iterator[Leading]:
        found: dict[tuple[str, str, int], list[tuple[Landing, bool]]] = {}
        for landing in self.landings.through:
            assert landing.way is not None
            is_open = any(self._possible(mask) for _, mask in self._towards(landing))
            found.setdefault((landing.way.title, *_port(landing)), []).append((landing, is_open))
        for landing in self.landings.published:
            kinds = " and ".join(landing.service.published)
            found.setdefault((f"{landing.service.title} ({kinds})", *_port(landing)), []).append((landing, self._open_to_outside(landing)))
        for (way, service, port), landed in sorted(found.items(), key=lambda item: item[0]):
            first = landed[0][0]
            origin = first.backend.origin if first.backend is not None else first.service.origin
            classes = reduce(or_, (landing.classes for landing, _ in landed))
            is_open = any(passes for _, passes in landed)
            targets = tuple(sorted({landing.target for landing, _ in landed}))
            named = () if is_open else tuple(sorted({str(policy.ref) for policy in self.deciding(classes)}))
            yield Leading(way, service, port, targets, origin, is_open, first.way is None, named)

    def _serving(self, way: WayIn) -> _Serving:
        return (self.controllers(way), way.certain)

    def _all_admitted(self) -> dict[_Serving, _Masks]:
        """For ways that are served alike, what passes to the classes that they reach, on all ports: decided once, however many there
        are."""
        reached: dict[_Serving, int] = {}
        for landing in self.landings.through:
            assert landing.way is not None
            serving = self._serving(landing.way)
            reached[serving] = reached.get(serving, 0) | landing.classes
        return {
            serving: _Masks({number: self._admitting(serving, number) for number in members_of(classes)})
            for serving, classes in reached.items()
        }

    def _towards(self, landing: Landing) -> Iterator[Piece]:
        """What policy leaves of a way through a controller."""
        space = self._compiled.space
        assert landing.way is not None
        port = space.settled(space.port(landing.protocol, landing.target))
        admitted = self._admitted[self._serving(landing.way)]
        return ((classes, mask & port) for classes, mask in admitted.within(landing.classes) if mask & port)

    def _admitting(self, serving: _Serving, number: int) -> int:
        """What passes from the controller of a way to a class, on all ports."""
        space, (controllers, certain) = self._compiled.space, serving
        cells = [self._compiled.cell(each, number) for each in members_of(controllers)]
        if not cells:
            mask = self._admitted_from_unknown(number) & self.unknown.let_out(number)
        elif len(cells) == 1:
            (mask,) = cells
        else:
            mask = space.depending(reduce(and_, cells), reduce(or_, cells), Condition.CONTROLLER)
        return mask if certain else space.depending(0, mask, Condition.CONTROLLER)

    def _admitted_from_unknown(self, number: int) -> int:
        group = self._compiled.ingress.group_of[number]
        if group not in self._from_unknown:
            resolve = partial(self._compiled.index.resolve, number)
            self._from_unknown[group] = self.unknown.admitted(self.deciding(1 << number), resolve)
        return self._from_unknown[group]

    def _open_to_outside(self, landing: Landing) -> bool:
        """Whether some address that a Service is published to reaches one of its pods."""
        ranges = landing.service.source_ranges if narrowed(landing.service) else ()
        space = self._compiled.space
        port = space.settled(space.port(landing.protocol, landing.target))
        return any(self._possible(mask & port) for _, mask in self._from_outside(ranges).within(landing.classes))

    def _from_outside(self, ranges: tuple[IPBlock, ...]) -> _Masks:
        """What some address of the ranges passes to each class, or some address at all."""
        if ranges not in self._to_outside:
            ingress = self._compiled.ingress
            met = [_met(cover.outside, ranges) for cover in ingress.covers]
            self._to_outside[ranges] = _Masks({number: met[group] for number, group in enumerate(ingress.group_of) if group >= 0})
        return self._to_outside[ranges]

    @cached_property
    def _subjects(self) -> list[tuple[Policy, int]]:
        chosen = (policy for policy in self._policies if policy.decides(Direction.INGRESS))
        return [(policy, self._compiled.index.select(policy.subject)) for policy in chosen]

    def _possible(self, mask: int) -> bool:
        return bool(self._compiled.space.layers(mask)[1])


def _met(outside: Outside, ranges: tuple[IPBlock, ...]) -> int:
    """What the addresses of some blocks pass, or any address where there are none."""
    if not ranges:
        return reduce(or_, outside.masks)
    met = (
        mask
        for family in Family
        for low, high, mask in outside.of(family)
        for block in ranges
        if block.family is family and block.addresses & IntervalSet(((low, high),))
    )
    return reduce(or_, met, 0)


def _port(landing: Landing) -> tuple[str, int]:
    return (f"{landing.service.namespace}/{landing.service.name}", landing.port.port)

"""The classes of one universe by their numbers in another: what was decided over the one holds over the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from analyzers.reachability.bits import span_bits
from analyzers.reachability.compiled import Side
from analyzers.reachability.cover import Cover
from analyzers.reachability.universe import Universe


class Grown(Struct, frozen=True, eq=False):
    """A universe that came of another one; `origins` says of each class which one it is there, or -1 for none."""

    universe: Universe
    origins: Sequence[int]

    @property
    def newcomers(self) -> list[int]:
        """The classes that are not there."""
        return [number for number, origin in enumerate(self.origins) if origin < 0]


class Renumbering:
    """From one universe to another. `origins` says of each class of the other which class of the one it is, or -1 for none."""

    def __init__(self, origins: Sequence[int]) -> None:
        self._origins = origins
        self._runs: list[tuple[int, int, int]] = []
        for number, origin in enumerate(origins):
            if origin < 0:
                continue
            first, start, length = self._runs[-1] if self._runs else (-1, -1, 0)
            if origin == first + length and number == start + length:
                self._runs[-1] = (first, start, length + 1)
            else:
                self._runs.append((origin, number, 1))

    def classes(self, numbered: int) -> int:
        """A set of classes."""
        found = 0
        for first, start, length in self._runs:
            found |= (numbered >> first & span_bits(0, length)) << start
        return found

    def side(self, side: Side) -> Side:
        """One direction of a revision. Classes that become several let the same through, and are let through alike."""
        group_of = tuple(side.group_of[origin] if origin >= 0 else -1 for origin in self._origins)
        return replace(side, group_of=group_of, covers=tuple(map(self._cover, side.covers)))

    def _cover(self, cover: Cover) -> Cover:
        pods = ((self.classes(classes), mask) for classes, mask in cover.pods)
        return Cover(tuple(sorted(piece for piece in pods if piece[0])), cover.outside)


OwnClasses = Mapping[str, tuple[int, ...]]
"""The classes of each workload of one revision in its own universe, by its id: one for each of its shapes, in their order."""


def own_classes(alone: Universe) -> OwnClasses:
    """Those of the universe of one revision."""
    return {each.id: each.classes for each in alone.workloads}


def widening(own: OwnClasses, joint: Universe) -> list[int]:
    """Of each class of a joint universe, which class it is in that of its first revision alone, or -1 where it does not exist there."""
    origins = [-1] * len(joint.classes)
    for each in joint.workloads:
        base = each.versions[0]
        for number in each.classes if base is not None else ():
            shape = joint.classes[number].shapes[0]
            if base is not None and shape is not None:
                origins[number] = own[each.id][base.shapes.index(shape) if len(base.shapes) > 1 else 0]
    return origins


def narrowing(own: OwnClasses, joint: Universe) -> list[int]:
    """Of each class of the universe of the first revision alone, a class of the joint universe that it is there."""
    found = {origin: number for number, origin in enumerate(widening(own, joint)) if origin >= 0}
    return [found[origin] for origin in sorted(found)]

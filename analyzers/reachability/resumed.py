"""A revision compiled from another one of the same pods and namespaces, from which it differs in a few policies.

Only profiles of pods that a changed policy selects are decided again, so that the cost is that of the change. What comes out lets the same
through as compiling the revision anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce
from operator import or_

from msgspec import Struct
from msgspec.structs import replace

from analyzers.model.metadata import GENERATED
from analyzers.model.policy import Direction, Policy
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.compiled import Compiled, Decider, Resolved, Side, names_used, port_space
from analyzers.reachability.cover import Cover, Outside, Segment
from analyzers.reachability.ports import PortSpace
from analyzers.reachability.universe import Snapshot
from analyzers.sets.connections import Protocol


class PolicyEdit(Struct, frozen=True, eq=False):
    """What becomes of some policies: those at the positions `removed` go, those of `added` come; a modified one does both."""

    removed: frozenset[int]
    added: tuple[Policy, ...]


def resume(base: Compiled, snapshot: Snapshot, edit: PolicyEdit) -> tuple[Compiled, Compiled] | None:
    """`base` and what the edit makes of it, over the port atoms of both. `snapshot` is that of base; of its policies only those are looked
    at that select the same pods as a changed one. None where the added ones bring conditions that no verdict of base can depend on."""
    needed = port_space(base.index.universe, [Snapshot(snapshot.cluster, edit.added)])
    if not set(needed.conditions) <= set(base.space.conditions):
        return None
    before = base if needed.cuts <= base.space.cuts else _refined(base, needed.cuts)
    decider = Decider(before.index, before.space)
    egress, ingress = (_edited(decider, before, each, snapshot.policies, edit) for each in (Direction.EGRESS, Direction.INGRESS))
    return before, replace(before, egress=egress, ingress=ingress)


def _edited(decider: Decider, base: Compiled, direction: Direction, policies: Sequence[Policy], edit: PolicyEdit) -> Side:
    """One direction: the classes that a changed policy selects are grouped and decided anew."""
    side, index = base.side(direction), base.index
    added = [(policy, index.select(policy.subject)) for policy in edit.added if policy.decides(direction)]
    shrunk = {group for group, profile in enumerate(side.profiles) if not edit.removed.isdisjoint(profile)}
    touched = bits_of(number for number, group in enumerate(side.group_of) if group in shrunk)
    touched = reduce(or_, (classes for _, classes in added), touched)

    @cache
    def selecting(group: int, joined: tuple[int, ...]) -> tuple[Policy, ...]:
        kept = (policies[position] for position in side.profiles[group] if position not in edit.removed)
        return tuple(sorted((*kept, *(added[place][0] for place in joined)), key=by_place))

    group_of, covers = list(side.group_of), list(side.covers)
    groups: dict[tuple[int, tuple[int, ...], Resolved], int] = {}
    for number in members_of(touched):
        joined = tuple(place for place, (_, classes) in enumerate(added) if classes >> number & 1)
        together = selecting(side.group_of[number], joined)
        names = {named for policy in together for named in names_used(policy, direction)}
        resolved = tuple((named, index.resolve(number, named)) for named in sorted(names, key=str))
        key = (side.group_of[number], joined, resolved)
        if key not in groups:
            groups[key] = len(covers)
            covers.append(decider.cover(direction, together, resolved))
        group_of[number] = groups[key]
    return Side(tuple(group_of), tuple(covers), ())


def by_place(policy: Policy) -> tuple[bool, str, int]:
    """The order in which the policies of a revision stand: by place, those with a name yet to be generated last."""
    return (policy.ref.name.endswith(GENERATED), policy.origin.path, policy.origin.line)


def _refined(base: Compiled, cuts: frozenset[tuple[Protocol, int]]) -> Compiled:
    """The same, over more port atoms."""
    space = PortSpace((), (), base.space.conditions, base.space.cuts | cuts)
    refined = space.from_coarser(base.space)
    egress, ingress = (
        replace(side, covers=tuple(_masked(cover, refined) for cover in side.covers)) for side in (base.egress, base.ingress)
    )
    return Compiled(base.index, space, egress, ingress)


def _masked(cover: Cover, mask: Callable[[int], int]) -> Cover:
    def segments(of: tuple[Segment, ...]) -> tuple[Segment, ...]:
        return tuple((low, high, mask(each)) for low, high, each in of)

    pods = tuple((classes, mask(each)) for classes, each in cover.pods)
    return Cover(pods, Outside(segments(cover.outside.v4), segments(cover.outside.v6)))

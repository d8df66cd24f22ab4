"""A revision compiled from another one, from which it differs in a few policies, pods or namespaces.

Only profiles of pods that a changed policy selects are decided again, and those of which a rule can tell that pods differ, so that the cost
is that of the change. What comes out lets the same through as compiling the revision anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import or_

from msgspec import Struct
from msgspec.structs import replace

from analyzers.model.metadata import GENERATED
from analyzers.model.policy import Direction, Policy
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.compiled import Compiled, Decider, Profile, Resolved, Side, names_used, port_space
from analyzers.reachability.cover import Cover, Outside, Segment
from analyzers.reachability.index import PodIndex
from analyzers.reachability.moves import Moves
from analyzers.reachability.policy_index import OutlinedPolicies
from analyzers.reachability.ports import PortSpace
from analyzers.reachability.universe import Snapshot
from analyzers.sets.connections import Protocol


class PolicyEdit(Struct, frozen=True, eq=False):
    """What becomes of some policies: those at the positions `removed` go, those of `added` come; a modified one does both."""

    removed: frozenset[int]
    added: tuple[Policy, ...]


def resume(
    base: Compiled, head: PodIndex, snapshots: tuple[Snapshot, Snapshot], policies: OutlinedPolicies, edit: PolicyEdit
) -> tuple[Compiled, Compiled] | None:
    """`base` and what becomes of it, over the port atoms of both. `policies` are those of base, of which only those are read that decide
    something anew; `head` are the pods of the other revision, the index of base itself where none moves.

    None where the other revision brings conditions that no verdict of base can depend on, or moves pods to or from the network of nodes.
    """
    moves = Moves(base.index, head, snapshots, policies) if head is not base.index else None
    needed = _needed(head, snapshots, policies, edit)
    if not set(needed.conditions) <= set(base.space.conditions) or (moves is not None and not moves.comparable):
        return None
    before = base if needed.cuts <= base.space.cuts else _refined(base, needed.cuts)
    resuming = _Resuming(before, head, policies, edit, moves)
    egress, ingress = (resuming.side(each) for each in (Direction.EGRESS, Direction.INGRESS))
    return before, Compiled(head, before.space, egress, ingress)


def _needed(head: PodIndex, snapshots: tuple[Snapshot, Snapshot], policies: OutlinedPolicies, edit: PolicyEdit) -> PortSpace:
    """The conditions and port atoms of what the other revision adds to base."""
    both = [Snapshot(snapshots[0].cluster, ()), Snapshot(snapshots[1].cluster, edit.added)]
    shapes = (each.shapes[1] for each in head.universe.classes if each.shapes[0] is not each.shapes[1])
    ports = (port for shape in shapes if shape is not None for port in shape.named_ports)
    return port_space(head.universe, both, [(named.protocol, number) for named, number in ports if named in policies.named_ports])


class _Resuming:
    """Decides a revision where it differs from base."""

    def __init__(self, base: Compiled, head: PodIndex, policies: OutlinedPolicies, edit: PolicyEdit, moves: Moves | None) -> None:
        self._base, self._head, self._policies, self._edit, self._moves = base, head, policies, edit, moves
        self._decider = Decider(head, base.space)

    def side(self, direction: Direction) -> Side:
        """One direction: classes about which other policies decide are grouped and decided anew, and what differs for all others of a
        group is decided once."""
        side, head = self._base.side(direction), self._head
        added = [(policy, head.select(policy.subject)) for policy in self._edit.added if policy.decides(direction)]
        touched = self._touched(side, added)
        group_of = [group if shape is not None else -1 for group, shape in zip(side.group_of, head.shapes, strict=True)]
        covers = self._carried(direction, side, group_of, touched)
        groups: dict[tuple[Profile, tuple[int, ...], Resolved], int] = {}
        profiles = {number: self._profile(direction, side, number) for number in members_of(touched)}
        known = self._read(position for profile in profiles.values() for position in profile)
        for number, profile in profiles.items():
            joined = tuple(place for place, (_, classes) in enumerate(added) if classes >> number & 1)
            together = sorted((*(known[position] for position in profile), *(added[place][0] for place in joined)), key=by_place)
            resolved = self._resolved(direction, number, together)
            key = (profile, joined, resolved)
            if key not in groups:
                groups[key] = len(covers)
                covers.append(self._decider.cover(direction, together, resolved))
            group_of[number] = groups[key]
        return Side(tuple(group_of), tuple(covers), ())

    def _touched(self, side: Side, added: Sequence[tuple[Policy, int]]) -> int:
        """The classes of head about which other policies decide than in base."""
        shrunk = {group for group, profile in enumerate(side.profiles) if not self._edit.removed.isdisjoint(profile)}
        touched = bits_of(number for number, group in enumerate(side.group_of) if group in shrunk)
        moved = self._moves.subjects if self._moves is not None else 0
        return reduce(or_, (classes for _, classes in added), touched | moved) & self._head.present

    def _profile(self, direction: Direction, side: Side, number: int) -> Profile:
        """The policies of base that still decide about a class."""
        if self._moves is None or not self._moves.subjects >> number & 1:
            profile: Iterable[int] = side.profiles[side.group_of[number]]
        else:
            outlines, namespace = self._policies.outlines, self._head.universe.classes[number].namespace
            about = self._policies.positions_about((namespace,), direction)
            profile = (position for position in about if self._head.select(outlines[position].subject) >> number & 1)
        return tuple(position for position in profile if position not in self._edit.removed)

    def _carried(self, direction: Direction, side: Side, group_of: Sequence[int], touched: int) -> list[Cover]:
        """The covers of base as they are among the pods of head, those of groups that only touched classes are in left as they are."""
        covers = list(side.covers)
        if self._moves is None:
            return covers
        held = set(members_of(touched))
        members = {group: number for number, group in enumerate(group_of) if group >= 0 and number not in held}
        carried = {group: self._still(covers[group], side.profiles[group]) for group in members}
        known = self._read(position for group, cover in carried.items() if cover is None for position in side.profiles[group])
        for group, cover in carried.items():
            together = [known[position] for position in side.profiles[group]] if cover is None else []
            covers[group] = cover or self._decider.cover(direction, together, self._resolved(direction, members[group], together))
        return covers

    def _still(self, cover: Cover, profile: Profile) -> Cover | None:
        assert self._moves is not None
        return self._moves.carried(cover, profile) if self._moves.disputed.isdisjoint(profile) else None

    def _read(self, positions: Iterable[int]) -> dict[int, Policy]:
        """Policies of base by position."""
        wanted = sorted(set(positions))
        return dict(zip(wanted, self._policies.at(wanted), strict=True))

    def _resolved(self, direction: Direction, number: int, policies: Iterable[Policy]) -> Resolved:
        """What the port names of rules stand for on a class."""
        names = {named for policy in policies for named in names_used(policy, direction)}
        return tuple((named, self._head.resolve(number, named)) for named in sorted(names, key=str))


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

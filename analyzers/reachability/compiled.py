"""One revision, compiled: its classes grouped by profile, each profile decided once.

cell(source, destination) = egress(source) towards destination ∩ ingress(destination) from source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzers.model.cluster import HostNetwork, NamedPort
from analyzers.model.policy import Direction, Policy
from analyzers.reachability.bits import members_of
from analyzers.reachability.cover import NOTHING, Cover
from analyzers.reachability.decide import decide
from analyzers.reachability.index import PodIndex
from analyzers.reachability.ports import PortSpace
from analyzers.reachability.universe import Snapshot, Universe

Profile = tuple[int, ...]
"""The policies that select a pod in one direction, by their position."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One direction of a revision: the group of each class (-1 where it does not exist) and the cover of each group."""

    group_of: tuple[int, ...]
    covers: tuple[Cover, ...]

    def cover_of(self, number: int) -> Cover:
        """What one class lets through in this direction."""
        group = self.group_of[number]
        return self.covers[group] if group >= 0 else NOTHING


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """One revision, ready to be asked."""

    index: PodIndex
    space: PortSpace
    egress: Side
    ingress: Side

    def side(self, direction: Direction) -> Side:
        """One direction."""
        return self.egress if direction is Direction.EGRESS else self.ingress

    def cell(self, source: int, destination: int) -> int:
        """The verdict mask from one class to another pod of a class (or of the same)."""
        return self.egress.cover_of(source).at(destination) & self.ingress.cover_of(destination).at(source)


def port_space(universe: Universe, snapshots: Sequence[Snapshot]) -> PortSpace:
    """The port atoms that the policies of all revisions tell apart, port names resolved."""
    policies = [policy for snapshot in snapshots for policy in snapshot.policies]
    used = {port for policy in policies for rule in policy.rules for port in rule.ports if isinstance(port, NamedPort)}
    shapes = (shape for each in universe.classes for shape in each.shapes if shape is not None)
    return PortSpace(policies, {(named.protocol, number) for shape in shapes for named, number in shape.named_ports if named in used})


def compile_revision(universe: Universe, revision: int, snapshot: Snapshot, space: PortSpace, host_network: HostNetwork) -> Compiled:
    """Decide every profile of one revision."""
    index = PodIndex(universe, revision, snapshot, host_network)
    subjects = [index.select(policy.subject) for policy in snapshot.policies]
    egress, ingress = (
        _decide_side(direction, snapshot.policies, subjects, index, space) for direction in (Direction.EGRESS, Direction.INGRESS)
    )
    return Compiled(index, space, egress, ingress)


def _decide_side(direction: Direction, policies: Sequence[Policy], subjects: Sequence[int], index: PodIndex, space: PortSpace) -> Side:
    """Group the classes by (profile, port names that its rules use, resolved) and decide each group."""
    profiles: dict[int, list[int]] = defaultdict(list)
    for position, (policy, classes) in enumerate(zip(policies, subjects, strict=True)):
        if direction in policy.isolates:
            for number in members_of(classes):
                profiles[number].append(position)
    names = [_names_used(policy, direction) for policy in policies]
    used: dict[Profile, tuple[NamedPort, ...]] = {}
    groups: dict[tuple[Profile, tuple[int | None, ...]], int] = {}
    group_of = [-1] * len(index.universe.classes)
    covers: list[Cover] = []
    for number in members_of(index.present):
        profile = tuple(profiles.get(number, ()))
        if profile not in used:
            used[profile] = tuple({named for position in profile for named in names[position]})
        resolved = {named: index.resolve(number, named) for named in used[profile]}
        key = (profile, tuple(resolved.values()))
        if key not in groups:
            groups[key] = len(covers)
            covers.append(decide(direction, [policies[position] for position in profile], index, space, resolved.get))
        group_of[number] = groups[key]
    return Side(tuple(group_of), tuple(covers))


def _names_used(policy: Policy, direction: Direction) -> frozenset[NamedPort]:
    """The port names that resolve on the subject: those of ingress rules."""
    if direction is Direction.EGRESS:
        return frozenset()
    return frozenset(port for rule in policy.rules_of(direction) for port in rule.ports if isinstance(port, NamedPort))


def members_by_group(side: Side) -> Iterator[tuple[int, list[int]]]:
    """Each group of a side with its classes."""
    members: dict[int, list[int]] = defaultdict(list)
    for number, group in enumerate(side.group_of):
        if group >= 0:
            members[group].append(number)
    return iter(members.items())

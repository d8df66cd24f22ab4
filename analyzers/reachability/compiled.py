"""One revision, compiled: its classes grouped by profile, each profile decided once.

cell(source, destination) = egress(source) towards destination ∩ ingress(destination) from source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from analyzers.model.cluster import HostNetwork, NamedPort
from analyzers.model.policy import Direction, Policy, Tier
from analyzers.reachability.bits import members_of
from analyzers.reachability.cover import NOTHING, Cover
from analyzers.reachability.decide import decide
from analyzers.reachability.index import PodIndex
from analyzers.reachability.landings import Landings
from analyzers.reachability.matching import doubts
from analyzers.reachability.ports import ADMIN_CONDITIONS, NODE_CONDITIONS, Condition, PortSpace
from analyzers.reachability.universe import Snapshot, Universe
from analyzers.sets.connections import Protocol

Profile = tuple[int, ...]
"""The policies that select a pod in one direction, by their position."""

Resolved = tuple[tuple[NamedPort, int | None], ...]
"""What the port names that a profile's rules use stand for on its pods."""


class Side(Struct, frozen=True, eq=False, array_like=True):
    """One direction of a revision: the group of each class (-1 where it does not exist), and the cover and the profile of each group."""

    group_of: tuple[int, ...]
    covers: tuple[Cover, ...]
    profiles: tuple[Profile, ...]

    def cover_of(self, number: int) -> Cover:
        """What one class lets through in this direction."""
        group = self.group_of[number]
        return self.covers[group] if group >= 0 else NOTHING


class Compiled(Struct, frozen=True, eq=False):
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


def port_space(universe: Universe, snapshots: Sequence[Snapshot], asked: Iterable[tuple[Protocol, int]] = ()) -> PortSpace:
    """The port atoms that the policies of all revisions tell apart, port names resolved, and ports `asked` about by themselves."""
    policies = [policy for snapshot in snapshots for policy in snapshot.policies]
    used = {port for policy in policies for rule in policy.rules for port in rule.ports if isinstance(port, NamedPort)}
    shapes = (shape for each in (universe.classes if used else ()) for shape in each.shapes if shape is not None)
    resolved = {(named.protocol, number) for shape in shapes for named, number in shape.named_ports if named in used}
    ways_in = any(snapshot.cluster.ways_in for snapshot in snapshots)
    landed = {port for revision, snapshot in enumerate(snapshots) for port in _landed(universe, revision, snapshot)}
    return PortSpace(policies, {*resolved, *landed, *asked}, conditions_of(policies, ways_in))


def _landed(universe: Universe, revision: int, snapshot: Snapshot) -> Iterator[tuple[Protocol, int]]:
    """The ports at which traffic through ingress controllers arrives: it is let through on these alone."""
    if snapshot.cluster.ways_in:
        yield from Landings(universe, [each.shapes[revision] for each in universe.classes], snapshot.cluster).ports


def conditions_of(policies: Iterable[Policy], ways_in: bool = False) -> tuple[Condition, ...]:
    """What verdicts can depend on; each condition costs every mask a layer, so those of the admin tiers, of pods by their addresses and of
    ways in are kept for clusters with any."""
    policies = list(policies)
    addressed = {condition for policy in policies for rule in policy.rules for condition in doubts(rule)}
    admin = any(policy.tier is not Tier.NETWORK_POLICY for policy in policies)
    return (*NODE_CONDITIONS, *(ADMIN_CONDITIONS if admin else ()), *sorted(addressed), *((Condition.CONTROLLER,) if ways_in else ()))


def compile_revisions(
    universe: Universe, snapshots: Sequence[Snapshot], host_network: HostNetwork, asked: Iterable[tuple[Protocol, int]] = ()
) -> list[Compiled]:
    """Decide the profiles of every revision of a universe, over the port atoms of all; ports `asked` about are atoms of their own.

    A profile that meets the same policies among the same pods was decided before: where a later revision changes no pod and no namespace,
    only profiles with a changed policy are decided again."""
    space = port_space(universe, snapshots, asked)
    compiled: list[Compiled] = []
    decider: Decider | None = None
    for revision, snapshot in enumerate(snapshots):
        if decider is None or not _same_pods(universe, snapshots[revision - 1], snapshot, revision):
            decider = Decider(PodIndex(universe, revision, snapshot, host_network), space)
        egress, ingress = (decider.side(direction, snapshot.policies) for direction in (Direction.EGRESS, Direction.INGRESS))
        compiled.append(Compiled(decider.index, space, egress, ingress))
    return compiled


def _same_pods(universe: Universe, before: Snapshot, after: Snapshot, revision: int) -> bool:
    """Whether selection gives the same in a revision as in the one before it: no pod and no label of a namespace differs."""
    labels = (snapshot.cluster.namespace_labels for snapshot in (before, after))
    named = [list(map(of, universe.spans)) for of in labels]
    return named[0] == named[1] and all(each.shapes[revision - 1] == each.shapes[revision] for each in universe.classes)


class Decider:
    """Decides profiles among the pods of one index, each once."""

    def __init__(self, index: PodIndex, space: PortSpace) -> None:
        self.index = index
        self._space = space
        self._decided: dict[tuple[Direction, tuple[int, ...], Resolved], Cover] = {}
        self._selected: dict[int, tuple[int, ...]] = {}
        self._held: list[Sequence[Policy]] = []

    def side(self, direction: Direction, policies: Sequence[Policy], among: int | None = None) -> Side:
        """Group the classes by (profile, port names that its rules use, resolved) and take the cover of each group. Classes that are not
        `among` those asked for are left out, as if they did not exist."""
        profiles = self._profiles(direction, policies)
        names = [names_used(policy, direction) for policy in policies]
        used: dict[Profile, tuple[NamedPort, ...]] = {}
        groups: dict[tuple[Profile, Resolved], int] = {}
        group_of = [-1] * len(self.index.universe.classes)
        covers: list[Cover] = []
        for number in members_of(self.index.present if among is None else self.index.present & among):
            profile = profiles.get(number, ())
            if profile not in used:
                used[profile] = tuple({named for position in profile for named in names[position]})
            resolved = tuple([(named, self.index.resolve(number, named)) for named in used[profile]]) if used[profile] else ()
            key = profile, resolved
            if key not in groups:
                groups[key] = len(covers)
                covers.append(self.cover(direction, [policies[position] for position in profile], resolved))
            group_of[number] = groups[key]
        self._held.append(policies)  # policies are known by identity, so they must stay
        return Side(tuple(group_of), tuple(covers), tuple(profile for profile, _ in groups))

    def _profiles(self, direction: Direction, policies: Sequence[Policy]) -> dict[int, Profile]:
        """The policies that decide something for each class in a direction; classes of which none does are left out."""
        found: dict[int, list[int]] = defaultdict(list)
        for position, policy in enumerate(policies):
            if policy.decides(direction):
                for number in self._subjects(policy):
                    found[number].append(position)
        return {number: tuple(positions) for number, positions in found.items()}

    def _subjects(self, policy: Policy) -> tuple[int, ...]:
        """The classes that a policy selects: both directions ask, and every revision that has the policy."""
        if id(policy) not in self._selected:
            self._selected[id(policy)] = tuple(members_of(self.index.select(policy.subject)))
        return self._selected[id(policy)]

    def cover(self, direction: Direction, selecting: Sequence[Policy], resolved: Resolved) -> Cover:
        """What these policies let through, on pods where port names stand for these numbers. They must outlive this decider."""
        key = (direction, tuple(map(id, selecting)), resolved)
        if key not in self._decided:
            self._decided[key] = decide(direction, selecting, self.index, self._space, dict(resolved).get)
        return self._decided[key]


def names_used(policy: Policy, direction: Direction) -> frozenset[NamedPort]:
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

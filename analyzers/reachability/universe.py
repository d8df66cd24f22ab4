"""The joint universe: endpoint classes over every revision compared, so that a diff is set subtraction and never an alignment problem.

A class is a set of pods that no policy of any revision can tell apart: same namespace and, revision by revision, same labels, named ports
and host network. Classes do not depend on policies. They are numbered contiguously by namespace, and a set of classes is an int.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, zip_longest
from operator import attrgetter, itemgetter

from msgspec import Struct

from analyzers.model.cluster import Cluster, NamedPort, PodShape, Workload
from analyzers.model.policy import Direction, Policy
from analyzers.reachability.bits import members_of
from analyzers.reachability.policy_index import about, named_ports

_ID = itemgetter(0)
_NAMESPACE = attrgetter("namespace")

Shapes = tuple[PodShape | None, ...]
"""What a pod looks like in each revision; None where it does not exist."""


class Snapshot(Struct, frozen=True):
    """One revision: its inventory and its policies."""

    cluster: Cluster
    policies: Sequence[Policy]

    def about(self, namespaces: Collection[str], direction: Direction | None = None) -> Iterable[Policy]:
        """The policies that can select a pod of some namespaces, and decide something in a direction, in their order."""
        return about(self.policies, namespaces, direction)

    @property
    def named_ports(self) -> frozenset[NamedPort]:
        """The ports that rules name, and perhaps others."""
        return named_ports(self.policies)


class EndpointClass(Struct, frozen=True):
    """Pods that nothing tells apart. `owner` is set for a workload whose own pods differ: such classes are never shared."""

    namespace: str
    shapes: Shapes
    owner: str = ""


class JointWorkload(Struct, frozen=True):
    """A workload over all revisions: `versions` by revision, and the classes of its pods (one, unless its pods differ)."""

    id: str
    versions: tuple[Workload | None, ...]
    classes: tuple[int, ...]

    @property
    def latest(self) -> Workload:
        """The workload as the newest revision that has it describes it."""
        newest = self.versions[-1] or self.versions[0]
        assert newest is not None
        return newest


class Universe(Struct, frozen=True, eq=False):
    """Every class and workload of the revisions. `members[c]` are the indices of the workloads of class c; `spans` gives each namespace's
    classes."""

    classes: tuple[EndpointClass, ...]
    workloads: tuple[JointWorkload, ...]
    members: tuple[tuple[int, ...], ...]
    spans: Mapping[str, tuple[int, int]]

    def part(self, numbers: Iterable[int]) -> Universe:
        """Some of the classes alone, in their order, and no workload."""
        classes = tuple(self.classes[number] for number in numbers)
        return Universe(classes, (), ((),) * len(classes), _spans(classes))

    def within(self, classes: int) -> Iterator[int]:
        """The indices of the workloads of some classes, class by class."""
        return (index for number in members_of(classes) for index in self.members[number])


def join(snapshots: Sequence[Snapshot]) -> Universe:
    """The universe of one revision, or of two to compare."""
    return join_workloads([snapshot.cluster.workloads for snapshot in snapshots])


def join_workloads(revisions: Sequence[Sequence[Workload]]) -> Universe:
    """The universe of the workloads of each revision."""
    versions = _versions(revisions)
    known: dict[EndpointClass, EndpointClass] = {}  # equal classes become one object, since hashing one costs more than all else here
    wanted = [[known.setdefault(each, each) for each in _classes_of(key, both)] for key, both in versions]
    ordered = sorted(known, key=_NAMESPACE)
    number = {id(each): index for index, each in enumerate(ordered)}
    numbers = (tuple([number[id(each)] for each in classes]) for classes in wanted)
    return universe_of(ordered, [JointWorkload(key, both, held) for (key, both), held in zip(versions, numbers, strict=True)])


def universe_of(ordered: Sequence[EndpointClass], workloads: Sequence[JointWorkload]) -> Universe:
    """The universe of these classes, in the order of their namespaces, and of the workloads that are of them."""
    members: list[list[int]] = [[] for _ in ordered]
    for index, joint in enumerate(workloads):
        for each in joint.classes:
            members[each].append(index)
    return Universe(tuple(ordered), tuple(workloads), tuple(map(tuple, members)), _spans(ordered))


_Versions = tuple[Workload | None, ...]
"""A workload in each revision, None where it does not exist."""


def _versions(revisions: Sequence[Sequence[Workload]]) -> list[tuple[str, _Versions]]:
    """Every workload by id."""
    if all(each is revisions[0] for each in revisions):
        return sorted([(each.id, (each,) * len(revisions)) for each in revisions[0]], key=_ID)
    by_id = [{each.id: each for each in workloads} for workloads in revisions]
    return [(key, tuple([found.get(key) for found in by_id])) for key in sorted(set().union(*by_id))]


def _classes_of(workload_id: str, versions: _Versions) -> tuple[EndpointClass, ...]:
    """One class for each distinct pod of a workload, matched between the revisions."""
    first, last = versions[0], versions[-1]
    if first is not None and last is not None and len(first.shapes) == 1 and first.shapes == last.shapes:
        return (EndpointClass(first.namespace, first.shapes * len(versions)),)
    namespace = next(version.namespace for version in versions if version is not None)
    matched = _match([version.shapes if version is not None else () for version in versions])
    owner = workload_id if len(matched) > 1 else ""
    return tuple(EndpointClass(namespace, shapes, owner) for shapes in matched)


def _match(shapes: Sequence[tuple[PodShape, ...]]) -> list[Shapes]:
    """Pods of one workload, paired between revisions: equal shapes first, then equal labels, then what is left, in order."""
    if len(shapes) == 1:
        return [(shape,) for shape in shapes[0]]
    if shapes[0] == shapes[1]:
        return [(shape, shape) for shape in shapes[0]]
    base, head = list(shapes[0]), list(shapes[1])
    pairs: list[Shapes] = []
    for same in (_identical, _same_labels):
        for one in tuple(base):
            other = next((each for each in head if same(one, each)), None)
            if other is not None:
                pairs.append((one, other))
                base.remove(one)
                head.remove(other)
    return pairs + list(zip_longest(base, head))


def _identical(one: PodShape, other: PodShape) -> bool:
    return one == other


def _same_labels(one: PodShape, other: PodShape) -> bool:
    return one.labels == other.labels


def _spans(ordered: Sequence[EndpointClass]) -> dict[str, tuple[int, int]]:
    starts: dict[str, int] = {}
    for number, each in enumerate(ordered):
        starts.setdefault(each.namespace, number)
    return dict(zip(starts, pairwise((*starts.values(), len(ordered))), strict=True))

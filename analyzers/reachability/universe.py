"""The joint universe: endpoint classes over every revision compared, so that a diff is set subtraction and never an alignment problem.

A class is a set of pods that no policy of any revision can tell apart: same namespace and, revision by revision, same labels, named ports
and host network. Classes do not depend on policies. They are numbered contiguously by namespace, and a set of classes is an int.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from msgspec import Struct

from analyzers.model.cluster import Cluster, NamedPort, PodShape, Workload
from analyzers.model.policy import Direction, Policy
from analyzers.reachability.bits import members_of

Shapes = tuple[PodShape | None, ...]
"""What a pod looks like in each revision; None where it does not exist."""


class IndexedPolicies(Sequence[Policy]):
    """Policies in their order, of which those about some namespaces can be had without the others."""

    @abstractmethod
    def about(self, namespaces: Collection[str], direction: Direction | None = None) -> Iterable[Policy]:
        """Those whose subject names one of these namespaces, or names none; with a direction, those that decide something in it."""

    @property
    @abstractmethod
    def named_ports(self) -> frozenset[NamedPort]:
        """The ports that rules name, and perhaps others."""


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
        return self.policies.named_ports if isinstance(self.policies, IndexedPolicies) else named_ports(self.policies)


def about(policies: Sequence[Policy], namespaces: Collection[str], direction: Direction | None = None) -> Iterable[Policy]:
    """Those of some policies whose subject names one of these namespaces, or names none, and that decide something in a direction."""
    if isinstance(policies, IndexedPolicies):
        return policies.about(namespaces, direction)
    subjects = ((policy, policy.subject.namespaces) for policy in policies)
    found = (policy for policy, where in subjects if not isinstance(where, str) or where in namespaces)
    return found if direction is None else (policy for policy in found if policy.decides(direction))


def named_ports(policies: Iterable[Policy]) -> frozenset[NamedPort]:
    """The ports that rules name."""
    return frozenset(port for policy in policies for rule in policy.rules for port in rule.ports if isinstance(port, NamedPort))


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
        return next(version for version in reversed(self.versions) if version is not None)


class Universe(Struct, frozen=True, eq=False):
    """Every class and workload of the revisions. `members[c]` are the indices of the workloads of class c; `spans` gives each namespace's
    classes."""

    classes: tuple[EndpointClass, ...]
    workloads: tuple[JointWorkload, ...]
    members: tuple[tuple[int, ...], ...]
    spans: Mapping[str, tuple[int, int]]

    def within(self, classes: int) -> Iterator[int]:
        """The indices of the workloads of some classes, class by class."""
        return (index for number in members_of(classes) for index in self.members[number])


def join(snapshots: Sequence[Snapshot]) -> Universe:
    """The universe of one revision, or of two to compare."""
    versions: dict[str, list[Workload | None]] = defaultdict(lambda: [None] * len(snapshots))
    for revision, snapshot in enumerate(snapshots):
        for workload in snapshot.cluster.workloads:
            versions[workload.id][revision] = workload
    known: dict[EndpointClass, EndpointClass] = {}  # equal classes become one object, since hashing one costs more than all else here
    wanted = {key: [known.setdefault(each, each) for each in _classes_of(key, tuple(versions[key]))] for key in sorted(versions)}
    ordered = sorted(known, key=lambda each: each.namespace)
    number = {id(each): index for index, each in enumerate(ordered)}
    workloads = tuple(
        JointWorkload(key, tuple(versions[key]), tuple(number[id(each)] for each in classes)) for key, classes in wanted.items()
    )
    members: list[list[int]] = [[] for _ in ordered]
    for index, joint in enumerate(workloads):
        for each in joint.classes:
            members[each].append(index)
    return Universe(tuple(ordered), workloads, tuple(map(tuple, members)), _spans(ordered))


def _classes_of(workload_id: str, versions: tuple[Workload | None, ...]) -> tuple[EndpointClass, ...]:
    """One class for each distinct pod of a workload, matched between the revisions."""
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
    spans: dict[str, tuple[int, int]] = {}
    for index, each in enumerate(ordered):
        start, _ = spans.get(each.namespace, (index, index))
        spans[each.namespace] = (start, index + 1)
    return spans

"""The changed objects of two revisions, by what they can change: policies, pods, namespaces, and what leads in from outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from analyzers.impact.causation.causes import ChangedObject
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.policy import Policy, PolicyRef
from analyzers.model.records import BorrowedMeaning, Meaning, NamespaceMeaning, ObjectRecord, OperatedMeaning, PodMeaning, PolicyMeaning
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.universe import JointWorkload, Snapshot

_FOLDED = frozenset({"ReplicaSet", "Job"})
"""Kinds that decide which workload the pods of others count as."""

PolicyKey = tuple[PolicyRef, SourceLocation]
"""Which policy of one revision."""


class Side(Struct, frozen=True, eq=False):
    """One revision as causes are found in it. Objects that both revisions share may be left out of both."""

    snapshot: Snapshot
    compiled: Compiled
    objects: tuple[ObjectRecord, ...]


class Changed:
    """The changed objects, told apart by position."""

    def __init__(self, objects: Sequence[ChangedObject]) -> None:
        self.objects = objects
        self.policies = [each for each, changed in enumerate(objects) if any(map(_states_policies, _meanings(changed)))]
        self.inventory = frozenset(range(len(objects))).difference(self.policies)
        self.pods: Mapping[str, list[int]] = _by_namespace(objects)
        self.namespaces = {_present(objects[each]).key.name: each for each in range(len(objects)) if _is_namespace(objects[each])}
        self.entangled = frozenset(namespace for namespace, found in self.pods.items() if any(_entangles(objects[each]) for each in found))
        self._base_keys, self._head_keys = (
            frozenset(key_of(policy) for changed in objects for policy in policies_of(getattr(changed, side))) for side in ("base", "head")
        )

    def pods_of(self, joint: JointWorkload) -> frozenset[int]:
        """The changed objects that can make up a workload."""
        namespace = joint.latest.namespace
        there = frozenset(self.pods.get(namespace, ()))
        versions = [version for version in joint.versions if version is not None]
        if namespace in self.entangled or any(version.by_operator for version in versions):
            return there
        places = {(side, origin) for side, version in enumerate(joint.versions) if version is not None for origin in version.origins}
        own = frozenset(each for each in there if _stands_at(self.objects[each], places))
        # What is made of other objects, as from the template of another one, may have changed with any of them.
        return own or there

    def policies_at(self, position: int, *, undone: bool) -> tuple[Policy, ...]:
        """What a changed object states in base, where it is undone, or in head."""
        changed = self.objects[position]
        return policies_of(changed.base if undone else changed.head)

    def is_of_base(self, policy: Policy) -> bool:
        """Whether a policy of base is stated by a changed object."""
        return key_of(policy) in self._base_keys

    def is_of_head(self, policy: Policy) -> bool:
        """Whether a policy of head is stated by a changed object."""
        return key_of(policy) in self._head_keys

    def records(self, position: int) -> tuple[ObjectRecord, ...]:
        """A changed object in each revision that has it."""
        changed = self.objects[position]
        return tuple(each for each in (changed.base, changed.head) if each is not None)

    def versions(self, position: int) -> tuple[Policy, ...]:
        """What a changed object states in either revision."""
        changed = self.objects[position]
        return (*policies_of(changed.base), *policies_of(changed.head))


def key_of(policy: Policy) -> PolicyKey:
    """Which policy of its revision this is."""
    return (policy.ref, policy.origin)


def policies_of(record: ObjectRecord | None) -> tuple[Policy, ...]:
    """The policies that an object states."""
    return record.meaning.policies if record is not None and isinstance(record.meaning, PolicyMeaning) else ()


def makes_pods(record: ObjectRecord) -> bool:
    """Whether workloads are made up of such objects."""
    return isinstance(record.meaning, (PodMeaning, OperatedMeaning, BorrowedMeaning))


def _meanings(changed: ChangedObject) -> Iterator[Meaning | None]:
    return (record.meaning for record in (changed.base, changed.head) if record is not None)


def _states_policies(meaning: Meaning | None) -> bool:
    return isinstance(meaning, PolicyMeaning)


def _present(changed: ChangedObject) -> ObjectRecord:
    record = changed.head if changed.head is not None else changed.base
    assert record is not None
    return record


def _is_namespace(changed: ChangedObject) -> bool:
    return any(isinstance(meaning, NamespaceMeaning) for meaning in _meanings(changed))


def _by_namespace(objects: Sequence[ChangedObject]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for position, changed in enumerate(objects):
        if any(makes_pods(record) for record in (changed.base, changed.head) if record is not None):
            found[_present(changed).key.namespace].append(position)
    return found


def _stands_at(changed: ChangedObject, places: Collection[tuple[int, SourceLocation]]) -> bool:
    return any(record is not None and (side, record.location) in places for side, record in enumerate((changed.base, changed.head)))


def _entangles(changed: ChangedObject) -> bool:
    """Whether an object can change what the pods of other objects count as, or look like."""
    return _present(changed).key.kind in _FOLDED or any(isinstance(each, (OperatedMeaning, BorrowedMeaning)) for each in _meanings(changed))

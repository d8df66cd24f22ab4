"""What runs beside what a repository declares.

The state before a change is the snapshot with everything that either revision declares replaced by what base declares; the state after it
is the same with what head declares. So what only the snapshot has stands on both sides, policies too, and never looks added or removed.
Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from analyzers.manifests.ownership import Owners
from analyzers.model.records import BorrowedMeaning, Identity, ObjectKey, ObjectRecord, OperatedMeaning, PodMeaning

_MOST_OWNERS = 10
"""Owners above one another that are followed."""

_Pods = tuple[ObjectRecord, PodMeaning]


class Declared(Struct, frozen=True):
    """What a repository declares: its objects, and the workloads that their pods count as."""

    keys: frozenset[ObjectKey]
    workloads: frozenset[Identity]

    def __or__(self, other: Declared) -> Declared:
        return Declared(self.keys | other.keys, self.workloads | other.workloads)


class Besides(Struct, frozen=True):
    """What runs and is not declared: the records that are analysed, those that only have something to say, and what runs although it is
    declared."""

    records: tuple[ObjectRecord, ...]
    left_out: tuple[ObjectRecord, ...]
    workloads: frozenset[Identity]
    matched: frozenset[Identity]


def nothing_declared() -> Declared:
    """What an empty repository declares."""
    return Declared(frozenset(), frozenset())


def declared_by(objects: Iterable[ObjectRecord]) -> Declared:
    """What the settled objects of a revision declare."""
    listed = list(objects)
    pods = _pods(listed)
    owners = Owners(pods)
    made = {_itself(each.key) for each in listed if isinstance(each.meaning, OperatedMeaning | BorrowedMeaning)}
    folded = {owners.workload_of(record.key, meaning) for record, meaning in pods}
    return Declared(frozenset(each.key for each in listed), frozenset(made | folded))


def beside(running: Sequence[ObjectRecord], declared: Declared) -> Besides:
    """What runs, less what is declared."""
    pods = _pods(running)
    owners = Owners(pods)
    above = {_itself(record.key): meaning.controller for record, meaning in pods if meaning.controller is not None}
    by_workload: dict[Identity, list[_Pods]] = defaultdict(list)
    for record, meaning in pods:
        by_workload[owners.workload_of(record.key, meaning)].append((record, meaning))
    matched = frozenset(each for each in by_workload if _is_declared(each, above, declared))
    found = [each for identity, listed in by_workload.items() if identity not in matched for each in _shown_as(identity, listed)]
    others = [each for each in running if not isinstance(each.meaning, PodMeaning) and each.key not in declared.keys]
    records = (*found, *(each for each in others if each.meaning is not None))
    return Besides(records, tuple(each for each in others if each.meaning is None), frozenset(by_workload) - matched, matched)


def _shown_as(identity: Identity, listed: Sequence[_Pods]) -> Iterable[ObjectRecord]:
    """The pods of a workload; what would make them where none runs. Older generations, which have no pod, do not count."""
    real = [each for each in listed if each[0].key.kind == "Pod"]
    made = real or [each for each in listed if _itself(each[0].key) == identity] or listed
    for record, meaning in made:
        own = _itself(record.key) == identity
        yield record if own else replace(record, meaning=replace(meaning, controller=identity))


def _is_declared(identity: Identity, above: Mapping[Identity, Identity | None], declared: Declared) -> bool:
    """Whether a workload is declared, or made for something that is."""
    current: Identity | None = identity
    for _ in range(_MOST_OWNERS):
        if current is None or current in declared.workloads:
            return current is not None
        current = above.get(current)
    return False


def _pods(records: Iterable[ObjectRecord]) -> list[_Pods]:
    return [(each, each.meaning) for each in records if isinstance(each.meaning, PodMeaning)]


def _itself(key: ObjectKey) -> Identity:
    return Identity(key.namespace, key.name, key.kind)

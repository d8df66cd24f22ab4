"""The policies of a baseline and of what becomes of it, each read when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import overload

from analyzers.baseline.baseline import Baseline, directions
from analyzers.manifests.tree import Entry, EntryKind
from analyzers.model.cluster import NamedPort
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.policy import Direction, Policy
from analyzers.model.records import ObjectRecord, PolicyMeaning
from analyzers.reachability.resumed import PolicyEdit, by_place
from analyzers.reachability.universe import IndexedPolicies, about, named_ports

ReadFiles = Callable[[tuple[Entry, ...]], Iterable[ObjectRecord]]
"""Reads some files of base: the records of all their documents."""


class KeptPolicies(IndexedPolicies):
    """The policies of a revision by position. Raises LookupError for one that is not where the baseline says."""

    def __init__(self, baseline: Baseline, read: ReadFiles) -> None:
        self._baseline, self._read = baseline, read
        self._known: dict[SourceLocation, tuple[Policy, ...]] = {}
        self._seen: set[int] = set()

    def __len__(self) -> int:
        return len(self._baseline.policies)

    @overload
    def __getitem__(self, position: int) -> Policy: ...

    @overload
    def __getitem__(self, position: slice) -> tuple[Policy, ...]: ...

    def __getitem__(self, position: int | slice) -> Policy | tuple[Policy, ...]:
        if isinstance(position, slice):
            return tuple(self)[position]
        file, line, index, *_ = self._baseline.policies[position]
        self._need({file})
        path, _ = self._baseline.files[file]
        return self._known[SourceLocation(path, line)][index]

    def __iter__(self) -> Iterator[Policy]:
        self._need(set(range(len(self._baseline.files))))
        return (self[position] for position in range(len(self)))

    def about(self, namespaces: Collection[str], direction: Direction | None = None) -> Iterable[Policy]:
        """Those whose subject names one of these namespaces, or names none; with a direction, those that decide something in it."""
        return (self[position] for position in self.positions_about(namespaces, direction))

    def positions_about(self, namespaces: Collection[str], direction: Direction | None = None) -> Sequence[int]:
        """The positions of these, whose files are read together."""
        asked = directions(Direction if direction is None else (direction,))
        places = enumerate(self._baseline.policies)
        found = [position for position, (*_, where, decided) in places if (not where or where in namespaces) and decided & asked]
        self._need({self._baseline.policies[position][0] for position in found})
        return found

    @property
    def named_ports(self) -> frozenset[NamedPort]:
        """The ports that rules name."""
        return self._baseline.named_ports

    def positions_in(self, paths: frozenset[str]) -> frozenset[int]:
        """The positions of the policies that stand in some files."""
        numbers = {number for number, (path, _) in enumerate(self._baseline.files) if path in paths}
        return frozenset(position for position, (file, *_) in enumerate(self._baseline.policies) if file in numbers)

    def _need(self, files: set[int]) -> None:
        unseen = [self._baseline.files[number] for number in sorted(files - self._seen)]
        if unseen:
            self._seen |= files
            entries = tuple(Entry(path, EntryKind.FILE, 0, content_id) for path, content_id in unseen)
            records = self._read(entries)
            self._known |= {each.location: each.meaning.policies for each in records if isinstance(each.meaning, PolicyMeaning)}


class EditedPolicies(IndexedPolicies):
    """The policies of a revision after an edit, in the order in which they stand. Nothing of base is read before one is asked for."""

    def __init__(self, base: KeptPolicies, edit: PolicyEdit) -> None:
        self._base, self._edit = base, edit

    def __len__(self) -> int:
        return len(self._base) - len(self._edit.removed) + len(self._edit.added)

    @overload
    def __getitem__(self, position: int) -> Policy: ...

    @overload
    def __getitem__(self, position: slice) -> tuple[Policy, ...]: ...

    def __getitem__(self, position: int | slice) -> Policy | tuple[Policy, ...]:
        return self._all[position]

    def about(self, namespaces: Collection[str], direction: Direction | None = None) -> Iterable[Policy]:
        """Those whose subject names one of these namespaces, or names none; with a direction, those that decide something in it."""
        positions = self._base.positions_about(namespaces, direction)
        kept = (self._base[position] for position in positions if position not in self._edit.removed)
        return sorted((*kept, *about(self._edit.added, namespaces, direction)), key=by_place)

    @property
    def named_ports(self) -> frozenset[NamedPort]:
        """The ports that rules of base name, or those that came."""
        return self._base.named_ports | named_ports(self._edit.added)

    @cached_property
    def _all(self) -> tuple[Policy, ...]:
        kept = (policy for position, policy in enumerate(self._base) if position not in self._edit.removed)
        return tuple(sorted((*kept, *self._edit.added), key=by_place))

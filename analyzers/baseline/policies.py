"""The policies of a baseline and of what becomes of it, each read when it is first asked for."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from typing import overload

from analyzers.baseline.baseline import Baseline, by_file
from analyzers.manifests.tree import Entry, EntryKind
from analyzers.model.cluster import NamedPort
from analyzers.model.policy import Direction, Policy
from analyzers.model.records import ObjectRecord, PolicyMeaning
from analyzers.reachability.policy_index import IndexedPolicies, Outline, OutlinedPolicies, about, named_ports, outline_of
from analyzers.reachability.resumed import PolicyEdit, by_place

ReadFiles = Callable[[tuple[Entry, ...]], Iterable[ObjectRecord]]
"""Reads some files of base: the records of all their documents."""


class KeptPolicies(OutlinedPolicies):
    """The policies of a revision by position. Raises LookupError for one that is not where the baseline says."""

    def __init__(self, baseline: Baseline, outlines: tuple[Outline, ...] | None, read: ReadFiles) -> None:
        self._baseline, self._outlines, self._read = baseline, outlines, read
        self._known: dict[tuple[str, int], tuple[Policy, ...]] = {}
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
        place = self._baseline.policies[position]
        self._need({place.file})
        path, _ = self._baseline.files[place.file]
        return self._known[path, place.described][place.index]

    def __iter__(self) -> Iterator[Policy]:
        return self.at(range(len(self)))

    def at(self, positions: Collection[int]) -> Iterator[Policy]:
        """Those at some positions, whose files are read together."""
        self._need({self._baseline.policies[position].file for position in positions})
        return (self[position] for position in positions)

    @cached_property
    def outlines(self) -> tuple[Outline, ...]:
        """What each speaks of, by position."""
        return tuple(map(outline_of, self)) if self._outlines is None else self._outlines

    def about(self, namespaces: Collection[str], direction: Direction | None = None) -> Iterable[Policy]:
        """Those whose subject names one of these namespaces, or names none; with a direction, those that decide something in it."""
        return self.at(self.positions_about(namespaces, direction))

    def where(self, chosen: Callable[[Outline], bool]) -> Iterable[Policy]:
        """Those whose outline is chosen, in their order."""
        return self.at(self.positions_where(chosen))

    def positions_about(self, namespaces: Collection[str], direction: Direction | None = None) -> list[int]:
        """The positions of those that `about` gives."""
        found = sorted(position for name in {*namespaces, ""} for position in self._by_namespace.get(name, ()))
        if direction is None:
            return found
        return [position for position in found if direction in self._baseline.policies[position].directions]

    def positions_where(self, chosen: Callable[[Outline], bool]) -> list[int]:
        """The positions of those that `where` gives."""
        return [position for position, outline in enumerate(self.outlines) if chosen(outline)]

    @property
    def named_ports(self) -> frozenset[NamedPort]:
        """The ports that rules name."""
        return self._baseline.named_ports

    def positions_in(self, paths: frozenset[str]) -> frozenset[int]:
        """The positions of the policies that stand in some files."""
        numbers = {number for number, (path, _) in enumerate(self._baseline.files) if path in paths}
        return frozenset(position for position, place in enumerate(self._baseline.policies) if place.file in numbers)

    @cached_property
    def _by_namespace(self) -> dict[str, list[int]]:
        """The positions of the policies by the namespace that their subject names, "" where it names none."""
        found: dict[str, list[int]] = defaultdict(list)
        for position, place in enumerate(self._baseline.policies):
            found[place.about].append(position)
        return found

    def _need(self, files: set[int]) -> None:
        unseen = [self._baseline.files[number] for number in sorted(files - self._seen)]
        if unseen:
            self._seen |= files
            entries = tuple(Entry(path, EntryKind.FILE, 0, content_id) for path, content_id in unseen)
            for path, described in by_file(self._read(entries)):
                stating = ((number, each.meaning) for number, each in enumerate(described) if isinstance(each.meaning, PolicyMeaning))
                self._known |= {(path, number): meaning.policies for number, meaning in stating}


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
        return self._with(self._base.positions_about(namespaces, direction), about(self._edit.added, namespaces, direction))

    def where(self, chosen: Callable[[Outline], bool]) -> Iterable[Policy]:
        """Those whose outline is chosen, in their order."""
        return self._with(self._base.positions_where(chosen), (each for each in self._edit.added if chosen(outline_of(each))))

    @property
    def named_ports(self) -> frozenset[NamedPort]:
        """The ports that rules of base name, or those that came."""
        return self._base.named_ports | named_ports(self._edit.added)

    @cached_property
    def _all(self) -> tuple[Policy, ...]:
        return tuple(self._with(range(len(self._base)), self._edit.added))

    def _with(self, positions: Iterable[int], added: Iterable[Policy]) -> list[Policy]:
        """Those of base that the edit leaves, and some that it adds."""
        found = list(self._base.at([position for position in positions if position not in self._edit.removed]))
        for each in added:
            insort(found, each, key=by_place)
        return found

"""A baseline: everything that a comparison needs to know of its base revision to read and decide only what a head changes.

It is kept as plain JSON. Reading one runs no code, and none is believed that was made by other code: whoever keeps baselines sees to both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Protocol

from msgspec import Raw, Struct

from analyzers.baseline.kept_sides import KeptSides
from analyzers.impact.report import Scope
from analyzers.manifests.load import Layout
from analyzers.manifests.local_survey import home_of, is_about_ways
from analyzers.manifests.tree import Entry
from analyzers.manifests.wire import Wire
from analyzers.model.cluster import Cluster, NamedPort
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.metadata import GENERATED
from analyzers.model.policy import Direction, PodPeer
from analyzers.model.records import ObjectKey, ObjectRecord, PolicyMeaning
from analyzers.reachability.policy_index import Outline, named_ports, outline_of
from analyzers.reachability.ports import Condition, PortSpace
from analyzers.reachability.renumbering import OwnClasses
from analyzers.sets import connections

PolicyFile = tuple[str, str]
"""A file that holds policies: its path, and the id of its content."""


class Baselines(Protocol):
    """Keeps baselines, as bytes. It may forget any of them, and never gives one for another name."""

    def recall_baseline(self, name: str) -> bytes | None:
        """The baseline of this name, if it is known."""
        ...

    def keep_baseline(self, name: str, content: bytes) -> None:
        """Remember a baseline."""
        ...


class PolicyPlace(Struct, frozen=True, array_like=True):
    """Where a policy stands: its file by number, which of the objects that the file describes states it, and which of the policies of that
    object it is; and its outline, the subject and the peers as numbers of selectors."""

    file: int
    described: int
    index: int
    subject: int
    peers: tuple[int, ...]
    names: tuple[NamedPort, ...]
    directions: tuple[Direction, ...]


class Baseline(Struct, frozen=True, eq=False, array_like=True):
    """One revision. `diagnostics` are all of it; `keys` name every object as often as it is described; `policies` says where each policy
    stands, by position, and `named_ports` are all that their rules name.

    The two sides are compiled over its own universe, where each of its workloads is of these `classes`, and the port atoms that begin at
    `cuts`. `declared` are the records of all objects but policies, by the namespace that they make up, each read when it is asked for;
    `leads_in` says whether some of them are about ways in.
    """

    layout: Layout
    cluster: Cluster
    scope: Scope
    diagnostics: tuple[Diagnostic, ...]
    keys: tuple[str, ...]
    files: tuple[PolicyFile, ...]
    selectors: tuple[PodPeer, ...]
    policies: tuple[PolicyPlace, ...]
    named_ports: frozenset[NamedPort]
    cuts: frozenset[tuple[connections.Protocol, int]]
    conditions: tuple[Condition, ...]
    classes: tuple[tuple[int, ...], ...]
    sides: KeptSides
    declared: Mapping[str, Raw]
    leads_in: bool

    def encode(self) -> bytes:
        """The baseline as bytes. Raises ValueError for one that holds a text that is no Unicode."""
        return _BASELINE.encode(self)

    @staticmethod
    def decode(content: bytes) -> Baseline:
        """Raises ValueError for bytes that `encode` did not write, which nobody can have kept."""
        return _BASELINE.decode(content)

    def outline(self, place: PolicyPlace) -> Outline:
        """What a policy speaks of."""
        selectors = self.selectors
        return Outline(selectors[place.subject], tuple(selectors[each] for each in place.peers), place.names, place.directions)

    def objects_of(self, namespaces: Iterable[str]) -> list[ObjectRecord]:
        """The records of all objects that make up some namespaces, but policies."""
        kept = (self.declared[name] for name in sorted(namespaces) if name in self.declared)
        return [record for each in kept for record in _RECORDS.decode(bytes(each))]

    @property
    def own_classes(self) -> OwnClasses:
        """The classes of each workload in the universe of this revision alone."""
        return {each.id: classes for each, classes in zip(self.cluster.workloads, self.classes, strict=True)}

    @property
    def space(self) -> PortSpace:
        """The port atoms over which the sides are compiled."""
        return PortSpace((), (), self.conditions, self.cuts)


_BASELINE = Wire(Baseline)
_RECORDS = Wire(tuple[ObjectRecord, ...])


def take_baseline(
    *,
    layout: Layout,
    cluster: Cluster,
    scope: Scope,
    diagnostics: tuple[Diagnostic, ...],
    described: Iterable[ObjectRecord],
    objects: Iterable[ObjectRecord],
    listed: Mapping[str, Entry],
    space: PortSpace,
    classes: tuple[tuple[int, ...], ...],
    sides: KeptSides,
) -> Baseline:
    """The baseline of a revision: `described` are the records of all its documents, `objects` those that settled; the sides are those of
    its own universe."""
    described = tuple(described)
    places = _Places(described)
    declared: dict[str, list[ObjectRecord]] = defaultdict(list)
    for each in objects:
        if isinstance(each.meaning, PolicyMeaning):
            places.take(each, each.meaning)
        else:
            declared[home_of(each)].append(each)
    return Baseline(
        layout=layout,
        cluster=cluster,
        scope=scope,
        diagnostics=diagnostics,
        keys=tuple(keys_of(described)),
        files=tuple((path, listed[path].content_id) for path in places.files),
        selectors=tuple(places.selectors),
        policies=tuple(places.found),
        named_ports=frozenset(places.named),
        cuts=space.cuts,
        conditions=tuple(map(Condition, space.conditions)),
        classes=classes,
        sides=sides,
        declared={name: Raw(_RECORDS.encode(tuple(found))) for name, found in declared.items()},
        leads_in=any(is_about_ways(each) for found in declared.values() for each in found),
    )


class _Places:
    """The policies of a revision, as places and tables."""

    def __init__(self, described: Iterable[ObjectRecord]) -> None:
        self._numbers = {id(each): number for _, found in by_file(described) for number, each in enumerate(found)}
        self.files: dict[str, int] = {}
        self.selectors: dict[PodPeer, int] = {}
        self.named: set[NamedPort] = set()
        self.found: list[PolicyPlace] = []

    def take(self, record: ObjectRecord, meaning: PolicyMeaning) -> None:
        """Put the policies of one object behind the others."""
        file = self.files.setdefault(record.location.path, len(self.files))
        self.named |= named_ports(meaning.policies)
        for index, outline in enumerate(map(outline_of, meaning.policies)):
            subject, *peers = (self.selectors.setdefault(each, len(self.selectors)) for each in (outline.subject, *outline.peers))
            self.found.append(PolicyPlace(file, self._numbers[id(record)], index, subject, tuple(peers), outline.names, outline.directions))


def by_file(described: Iterable[ObjectRecord]) -> Iterable[tuple[str, Iterable[ObjectRecord]]]:
    """What files describe, in the order of their documents."""
    return groupby(described, key=lambda each: each.location.path)


def keys_of(described: Iterable[ObjectRecord]) -> Iterable[str]:
    """The objects that documents describe, as text; those whose name is yet to be generated never are the same."""
    return (_text(each.key) for each in described if each.meaning is not None and not each.key.name.endswith(GENERATED))


def _text(key: ObjectKey) -> str:
    return f"{key.group}/{key.kind}/{key.namespace}/{key.name}"

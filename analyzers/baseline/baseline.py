"""A baseline: everything that a comparison needs to know of its base revision to read and decide only what a head changes.

It is kept as plain JSON. Reading one runs no code, and none is believed that was made by other code: whoever keeps baselines sees to both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Protocol

from msgspec import Struct

from analyzers.baseline.kept_sides import KeptSides
from analyzers.impact.causation.changed import policies_of
from analyzers.impact.report import Scope
from analyzers.manifests.load import Layout
from analyzers.manifests.tree import Entry
from analyzers.manifests.wire import Wire
from analyzers.model.cluster import Cluster, NamedPort
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.metadata import GENERATED
from analyzers.model.policy import Direction
from analyzers.model.records import ObjectKey, ObjectRecord, PolicyMeaning
from analyzers.reachability.policy_index import named_ports
from analyzers.reachability.ports import Condition, PortSpace
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
    object it is; and the namespace that its subject names, "" where it names none, and the directions in which it decides something."""

    file: int
    described: int
    index: int
    about: str
    directions: tuple[Direction, ...]


class Baseline(Struct, frozen=True, eq=False, array_like=True):
    """One revision. `diagnostics` are all of it; `keys` name every object as often as it is described; `policies` says where each policy
    stands, by position, and `named_ports` are all that their rules name.

    The two sides are compiled over its own universe, where each of its workloads is of these `classes`, and the port atoms that begin at
    `cuts`.
    """

    layout: Layout
    cluster: Cluster
    scope: Scope
    diagnostics: tuple[Diagnostic, ...]
    keys: tuple[str, ...]
    files: tuple[PolicyFile, ...]
    policies: tuple[PolicyPlace, ...]
    named_ports: frozenset[NamedPort]
    cuts: frozenset[tuple[connections.Protocol, int]]
    conditions: tuple[Condition, ...]
    classes: tuple[tuple[int, ...], ...]
    sides: KeptSides

    def encode(self) -> bytes:
        """The baseline as bytes. Raises ValueError for one that holds a text that is no Unicode."""
        return _BASELINE.encode(self)

    @staticmethod
    def decode(content: bytes) -> Baseline:
        """Raises ValueError for bytes that `encode` did not write, which nobody can have kept."""
        return _BASELINE.decode(content)

    @property
    def space(self) -> PortSpace:
        """The port atoms over which the sides are compiled."""
        return PortSpace((), (), self.conditions, self.cuts)


_BASELINE = Wire(Baseline)


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
    stating = [each for each in objects if isinstance(each.meaning, PolicyMeaning)]
    files = {path: number for number, path in enumerate(dict.fromkeys(each.location.path for each in stating))}
    return Baseline(
        layout=layout,
        cluster=cluster,
        scope=scope,
        diagnostics=diagnostics,
        keys=tuple(keys_of(described)),
        files=tuple((path, listed[path].content_id) for path in files),
        policies=tuple(_places(described, stating, files)),
        named_ports=named_ports([policy for each in stating for policy in policies_of(each)]),
        cuts=space.cuts,
        conditions=tuple(map(Condition, space.conditions)),
        classes=classes,
        sides=sides,
    )


def _places(described: Iterable[ObjectRecord], stating: Iterable[ObjectRecord], files: Mapping[str, int]) -> Iterator[PolicyPlace]:
    numbers = {id(each): number for _, found in by_file(described) for number, each in enumerate(found)}
    for each in stating:
        for index, policy in enumerate(policies_of(each)):
            about = policy.subject.namespaces
            decided = tuple(filter(policy.decides, Direction))
            yield PolicyPlace(files[each.location.path], numbers[id(each)], index, about if isinstance(about, str) else "", decided)


def by_file(described: Iterable[ObjectRecord]) -> Iterable[tuple[str, Iterable[ObjectRecord]]]:
    """What files describe, in the order of their documents."""
    return groupby(described, key=lambda each: each.location.path)


def keys_of(described: Iterable[ObjectRecord]) -> Iterable[str]:
    """The objects that documents describe, as text; those whose name is yet to be generated never are the same."""
    return (_text(each.key) for each in described if each.meaning is not None and not each.key.name.endswith(GENERATED))


def _text(key: ObjectKey) -> str:
    return f"{key.group}/{key.kind}/{key.namespace}/{key.name}"

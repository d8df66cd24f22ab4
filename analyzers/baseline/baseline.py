"""A baseline: everything that a comparison needs to know of its base revision when head has the same pods and namespaces.

It is kept as plain JSON. Reading one runs no code, and none is believed that was made by other code: whoever keeps baselines sees to both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Protocol

from msgspec import Struct

from analyzers.impact.report import Scope
from analyzers.manifests.load import Layout
from analyzers.manifests.plain import Codec, from_bytes, to_bytes
from analyzers.manifests.tree import Entry
from analyzers.model.cluster import Cluster, NamedPort, PodShape
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.metadata import GENERATED
from analyzers.model.policy import Direction, Policy
from analyzers.model.records import ObjectKey, ObjectRecord, PolicyMeaning
from analyzers.reachability.compiled import Compiled, Side
from analyzers.reachability.cover import Outside
from analyzers.reachability.ports import Condition
from analyzers.reachability.universe import named_ports
from analyzers.sets import connections

_SHARED = (PodShape, Outside)


class Baselines(Protocol):
    """Keeps baselines, as bytes. It may forget any of them, and never gives one for another name."""

    def recall_baseline(self, name: str) -> bytes | None:
        """The baseline of this name, if it is known."""
        ...

    def keep_baseline(self, name: str, content: bytes) -> None:
        """Remember a baseline."""
        ...


PolicyPlace = tuple[int, int, int, str, int]
"""Where a policy stands: its file by number, the line of its object, and which of the policies of that object it is; and what it is about:
the namespace that its subject names, "" where it names none, and the directions in which it decides something, as `directions` has them."""

PolicyFile = tuple[str, str]
"""A file that holds policies: its path, and the id of its content."""


class Baseline(Struct, frozen=True, eq=False):
    """One revision. `diagnostics` are all of it; `keys` name every object as often as it is described; `policies` says where each policy
    stands, by position, and `named_ports` are all that their rules name; the two sides are compiled over the port atoms that begin at
    `cuts`."""

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
    egress: Side
    ingress: Side

    def encode(self) -> bytes:
        """The baseline as bytes. Raises ValueError for one that holds a text that is no Unicode."""
        return to_bytes(_codec().writer(Baseline)(self))

    @staticmethod
    def decode(content: bytes) -> Baseline:
        """Raises ValueError, KeyError, TypeError or IndexError for bytes that `encode` did not write, which nobody can have kept."""
        baseline: Baseline = _codec().reader(Baseline)(from_bytes(content))
        return baseline


@cache
def _codec() -> Codec:
    return Codec(_SHARED)


def take_baseline(
    *,
    layout: Layout,
    cluster: Cluster,
    scope: Scope,
    diagnostics: tuple[Diagnostic, ...],
    described: Iterable[ObjectRecord],
    objects: Iterable[ObjectRecord],
    listed: Mapping[str, Entry],
    compiled: Compiled,
) -> Baseline:
    """The baseline of a revision: `described` are the records of all its documents, `objects` those that settled."""
    numbers: dict[str, int] = {}
    stating = ((each.location, each.meaning.policies) for each in objects if isinstance(each.meaning, PolicyMeaning))
    stated = [(place, index, policy) for place, policies in stating for index, policy in enumerate(policies)]
    places = tuple(
        (numbers.setdefault(place.path, len(numbers)), place.line, index, _about(policy), directions(filter(policy.decides, Direction)))
        for place, index, policy in stated
    )
    return Baseline(
        layout=layout,
        cluster=cluster,
        scope=scope,
        diagnostics=diagnostics,
        keys=tuple(keys_of(described)),
        files=tuple((path, listed[path].content_id) for path in numbers),
        policies=places,
        named_ports=named_ports(policy for _, _, policy in stated),
        cuts=compiled.space.cuts,
        conditions=tuple(map(Condition, compiled.space.conditions)),
        egress=compiled.egress,
        ingress=compiled.ingress,
    )


def directions(some: Iterable[Direction]) -> int:
    """A set of directions as a number: two that have one in common have a bit in common."""
    return sum(1 << list(Direction).index(each) for each in some)


def _about(policy: Policy) -> str:
    return policy.subject.namespaces if isinstance(policy.subject.namespaces, str) else ""


def keys_of(described: Iterable[ObjectRecord]) -> Iterable[str]:
    """The objects that documents describe, as text; those whose name is yet to be generated never are the same."""
    return (_text(each.key) for each in described if each.meaning is not None and not each.key.name.endswith(GENERATED))


def _text(key: ObjectKey) -> str:
    return f"{key.group}/{key.kind}/{key.namespace}/{key.name}"

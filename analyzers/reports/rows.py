"""Rows: what one line of a table for people says. One row is one group, or the part of it that a filter shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from analyzers.impact.assessment.may_break import Evidence
from analyzers.impact.assessment.severity import Level, Severity
from analyzers.impact.causation.causes import Cause
from analyzers.model.cluster import ExternalBlock, Workload
from analyzers.sets.connections import ConnectionSet

NOTHING = ConnectionSet()

MOST_MERGED = 200_000
"""Endpoints in all rows above which rows of bare pods stay apart: true as they are, and merging them names every endpoint."""


class Ends(Protocol):
    """A set of endpoints at one end of a row."""

    def __len__(self) -> int: ...

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces of its workloads."""
        ...

    @property
    def blocks(self) -> tuple[ExternalBlock, ...]:
        """Its address blocks, by id."""
        ...

    @property
    def controller(self) -> bool:
        """Whether the ingress controller is one of them."""
        ...

    @property
    def workloads(self) -> Iterable[Workload]:
        """Its workloads, by id."""
        ...


class Listed(Struct, frozen=True):
    """Ends that are listed one by one."""

    workloads: tuple[Workload, ...] = ()
    blocks: tuple[ExternalBlock, ...] = ()
    controller: bool = False

    def __len__(self) -> int:
        return len(self.workloads) + len(self.blocks) + self.controller

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces of its workloads."""
        return frozenset(each.namespace for each in self.workloads)


class Row(Struct, frozen=True, eq=False):
    """Each source to each destination, on the same ports. `may` is the part of `ports` that is or was only may; `severity` weighs what
    opens, `evidence` shows that what closes was in use. `causes` are all objects behind it, `alternatives` what of them undoes it; where
    they are `truncated`, fewer may be enough, or others as well.

    A bare pod on both ends has no flow to itself.
    """

    sources: Ends
    destinations: Ends
    ports: ConnectionSet
    may: ConnectionSet = NOTHING
    causes: tuple[Cause, ...] = ()
    severity: Severity | None = None
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[tuple[Cause, ...], ...] = ()
    truncated: bool = False

    @property
    def pairs(self) -> int:
        """How many pairs of endpoints the row stands for."""
        return len(self.sources) * len(self.destinations)


def order(row: Row) -> tuple[int, ...]:
    """What a reviewer should see first: traffic from outside, on whatever way, then what deserves most attention, then traffic to outside,
    then what concerns most pairs."""
    level = row.severity.level.rank if row.severity is not None else 0
    return (0 if from_outside(row) else 1, level, 0 if row.destinations.blocks else 1, -row.pairs)


def gravity(row: Row) -> int:
    """How much attention a row deserves: 0 for the most, and as much as the least for what closes."""
    return row.severity.level.rank if row.severity is not None else Level.LOW.rank


def gravest_first(rows: Sequence[Row], most: int) -> tuple[Sequence[Row], Sequence[Row]]:
    """The critical rows, with so many of high ones that there are `most` in all, the gravest first; and the others, in their order."""
    grave = sorted((row for row in rows if gravity(row) <= Level.HIGH.rank), key=gravity)
    critical = sum(1 for row in grave if gravity(row) == Level.CRITICAL.rank)
    first = grave[: max(critical, most)]
    taken = set(map(id, first))
    return first, sorted((row for row in rows if id(row) not in taken), key=gravity)


def from_outside(row: Row) -> bool:
    """Whether traffic from outside the cluster is meant, on whatever way it comes in."""
    return bool(row.sources.blocks) or row.sources.controller


def namespace_of(row: Row) -> str:
    """The namespace that a row is about: that of its destinations, or of its sources where these are outside; empty where they are in
    several."""
    names = row.destinations.namespaces or row.sources.namespaces
    return next(iter(names)) if len(names) == 1 else ""


def filtered(row: Row, namespaces: frozenset[str]) -> Iterable[Row]:
    """The part of a row with either end in one of the namespaces; a product of sets, or two."""
    if not namespaces:
        return (row,)
    sources_within, sources_beyond = _split(row.sources, namespaces)
    destinations_within, _ = _split(row.destinations, namespaces)
    parts = ((sources_within, row.destinations), (sources_beyond, destinations_within))
    return tuple(replace(row, sources=one, destinations=other) for one, other in parts if len(one) and len(other))


def _split(ends: Ends, namespaces: frozenset[str]) -> tuple[Ends, Ends]:
    if not ends.namespaces & namespaces:
        return Listed(), ends
    if ends.namespaces <= namespaces and not ends.blocks and not ends.controller:
        return ends, Listed()
    within = tuple(each for each in ends.workloads if each.namespace in namespaces)
    beyond = tuple(each for each in ends.workloads if each.namespace not in namespaces)
    return Listed(within), Listed(beyond, ends.blocks, ends.controller)


def merged(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows, those joined that differ only in that a bare pod has no flow to itself."""
    alone = [each for each in rows if _lone_pod(each) is not None]
    if not alone or sum(len(each.sources) + len(each.destinations) for each in rows) > MOST_MERGED:
        return rows
    gathered: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        gathered[_likeness(row)].append(row)
    return [_joined(alike) for alike in gathered.values()]


def _lone_pod(row: Row) -> Workload | None:
    """The bare pod that is all that a row has for sources."""
    if len(row.sources) != 1 or row.sources.blocks or row.sources.controller:
        return None
    workload = next(iter(row.sources.workloads))
    return None if workload.has_replicas else workload


def _likeness(row: Row) -> object:
    """Equal for rows that may be joined: a lone pod counts among its own destinations, as it has no flow to itself either way."""
    pod = _lone_pod(row)
    destinations = frozenset(each.id for each in row.destinations.workloads)
    return (row.ports, row.may, frozenset(row.destinations.blocks), destinations | ({pod.id} if pod is not None else frozenset()))


def _joined(alike: Sequence[Row]) -> Row:
    if len(alike) == 1:
        return alike[0]
    controller = any(row.sources.controller for row in alike)
    sources = Listed(_by_id(each for row in alike for each in row.sources.workloads), _blocks(row.sources for row in alike), controller)
    destinations = Listed(_by_id(each for row in alike for each in row.destinations.workloads), _blocks(row.destinations for row in alike))
    causes = tuple(dict.fromkeys(cause for row in alike for cause in row.causes))
    may = reduce(or_, (row.may for row in alike))
    weights = [row.severity for row in alike if row.severity is not None]
    severity = min(weights, key=lambda each: each.level.rank, default=None)
    evidence = tuple(dict.fromkeys(each for row in alike for each in row.evidence))
    alternatives = alike[0].alternatives if all(row.alternatives == alike[0].alternatives for row in alike) else (causes,)
    return Row(sources, destinations, alike[0].ports, may, causes, severity, evidence, alternatives, any(row.truncated for row in alike))


def _by_id(workloads: Iterable[Workload]) -> tuple[Workload, ...]:
    known = {each.id: each for each in workloads}
    return tuple(known[key] for key in sorted(known))


def _blocks(ends: Iterable[Ends]) -> tuple[ExternalBlock, ...]:
    known = {block.id: block for each in ends for block in each.blocks}
    return tuple(known[key] for key in sorted(known))

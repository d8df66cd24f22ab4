"""What the analysis answers: the values that every report format renders. Frozen, sorted, and digested by content, never by time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from analyzers.impact.causes import Cause
from analyzers.impact.endpoint_sets import EndpointSet
from analyzers.model.cluster import Endpoint, ExternalBlock, Service
from analyzers.model.diagnostics import Diagnostic, is_complete
from analyzers.reachability.universe import JointWorkload
from analyzers.sets.connections import ConnectionSet


@dataclass(frozen=True, slots=True)
class Revision:
    """What was analysed: `label` is what a person calls it (a branch, a folder); `commit` is the full commit id where there is one."""

    label: str
    commit: str | None = None


class EndpointChange(StrEnum):
    """How an endpoint itself differs between the revisions."""

    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Scope:
    """How much was analysed, in one revision (for a diff: in head)."""

    workloads: int
    policies: int
    namespaces: int
    files: int


@dataclass(frozen=True, slots=True)
class Flow:
    """One row of a matrix: `connections` is what is allowed or may be, `may` the part that is only may, `conditions` what it depends on."""

    source: str
    destination: str
    connections: ConnectionSet
    may: ConnectionSet
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MatrixReport:
    """The reachability matrix of one revision. `endpoints` are sorted by id; `flows` streams the rows sorted by (source, destination)."""

    revision: Revision
    scope: Scope
    endpoints: tuple[Endpoint, ...]
    flows: Callable[[], Iterator[Flow]]
    diagnostics: tuple[Diagnostic, ...]
    cluster: str | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing policy-relevant was left out."""
        return is_complete(self.diagnostics)


@dataclass(frozen=True, slots=True, eq=False)
class FlowGroup:
    """Each source to each destination changes alike. `opened` rose (denied < may < allowed), `closed` fell, `may` is the part of both
    that was or becomes only may. Each alternative of `causes` is a set of changed objects."""

    sources: EndpointSet
    destinations: EndpointSet
    opened: ConnectionSet
    closed: ConnectionSet
    may: ConnectionSet
    causes: tuple[tuple[Cause, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class PairChange:
    """One changed pair; `group` is the position of its group, `conditions` are what its may verdicts depend on, in either revision."""

    source: str
    destination: str
    base: ConnectionSet
    head: ConnectionSet
    opened: ConnectionSet
    closed: ConnectionSet
    may: ConnectionSet
    group: int
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkloadChanges:
    """Ids of the workloads that only one revision has, and of those whose pods' labels differ. Sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    relabelled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts: groups, changed pairs, and the pairs that open or close something."""

    groups: int
    pairs: int
    opened: int
    closed: int


@dataclass(frozen=True, slots=True, eq=False)
class DiffReport:
    """What changed between two revisions. `pairs` streams the changed pairs sorted by (source, destination); `blocks` and `involved` are
    the endpoints that a change names; `services` are those of head; `policy_changes` are the policies that differ, whatever came of
    it."""

    base: Revision
    head: Revision
    scope: Scope
    groups: tuple[FlowGroup, ...]
    pairs: Callable[[], Iterator[PairChange]]
    involved: tuple[JointWorkload, ...]
    all_workloads: tuple[JointWorkload, ...]
    blocks: tuple[ExternalBlock, ...]
    workloads: WorkloadChanges
    policy_changes: tuple[Cause, ...]
    services: tuple[Service, ...]
    summary: Summary
    digest: str
    diagnostics: tuple[Diagnostic, ...]
    cluster: str | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing policy-relevant was left out of either revision."""
        return is_complete(self.diagnostics)


def endpoint_change(joint: JointWorkload) -> EndpointChange | None:
    """Whether a workload exists in one revision only."""
    base, head = joint.versions[0], joint.versions[-1]
    if base is None:
        return EndpointChange.ADDED
    return EndpointChange.REMOVED if head is None else None


def digest_of(cluster: str | None, groups: tuple[FlowGroup, ...], blocks: tuple[ExternalBlock, ...]) -> str:
    """The digest that names the flows shown: SHA-256 of the JSON of [cluster, groups without causes, CIDRs of each external by id]."""
    hasher = hashlib.sha256()
    hasher.update(f"[{_json(cluster)},[".encode())
    for position, group in enumerate(groups):
        hasher.update(b"," if position else b"")
        hasher.update(_json(flows_of(group)).encode())
    hasher.update(f"],{_json({block.id: block.block.cidrs() for block in blocks})}]".encode())
    return f"sha256:{hasher.hexdigest()}"


def flows_of(group: FlowGroup) -> Mapping[str, object]:
    """The contract's object of a group, without its causes."""
    return {
        "sources": list(group.sources),
        "destinations": list(group.destinations),
        "opened": group.opened.ranges(),
        "closed": group.closed.ranges(),
        "may": group.may.ranges(),
    }


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Effect(StrEnum):
    """What a step of an explanation does."""

    ALLOWS = "allows"
    DENIES = "denies"
    PASSES = "passes"
    ISOLATES = "isolates"
    NO_MATCH = "does not match"


@dataclass(frozen=True, slots=True)
class Step:
    """One policy or rule in the order of evaluation. `policy`, `rule`, `path` and `line` are null where no policy speaks."""

    effect: Effect
    detail: str
    policy: str | None = None
    tier: str | None = None
    rule: str | None = None
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why one pair connects or not. `verdict` is `allowed`, `may` or `denied`; `connections` is everything that passes between the two
    ends."""

    source: str
    destination: str
    port: str | None
    verdict: str
    connections: ConnectionSet
    may: ConnectionSet
    egress: tuple[Step, ...]
    ingress: tuple[Step, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing policy-relevant was left out."""
        return is_complete(self.diagnostics)

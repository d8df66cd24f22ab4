"""What the analysis answers: the values that every report format renders. Frozen, sorted, and digested by content, never by time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from analyzers.impact.assessment.blast_radius import BlastRadius
from analyzers.impact.assessment.hops import Paths
from analyzers.impact.assessment.may_break import Evidence
from analyzers.impact.assessment.protection import Protection
from analyzers.impact.assessment.severity import Severity
from analyzers.impact.causation.causes import Cause
from analyzers.impact.rows.endpoint_sets import EndpointSet
from analyzers.model.cluster import Cluster, Endpoint, ExternalBlock, Service
from analyzers.model.diagnostics import Diagnostic, SourceLocation, is_complete
from analyzers.model.representative import Representative
from analyzers.model.revision import Revision
from analyzers.reachability.universe import JointWorkload, Snapshot
from analyzers.sets.connections import ConnectionSet, Protocol


class EndpointChange(StrEnum):
    """How an endpoint itself differs between the revisions."""

    ADDED = "added"
    REMOVED = "removed"


class Scope(Struct, frozen=True, array_like=True):
    """How much was analysed, in one revision (for a diff: in head)."""

    workloads: int
    policies: int
    namespaces: int
    files: int

    @classmethod
    def of(cls, snapshot: Snapshot, files: int) -> Scope:
        """That of one revision which was read from so many files."""
        cluster = snapshot.cluster
        namespaces = {each.namespace for each in cluster.workloads} | set(cluster.namespaces)
        return cls(len(cluster.workloads), len(snapshot.policies), len(namespaces), files)


class Via(Struct, frozen=True, order=True):
    """What publishes a port of a destination: a Service, or a way in through one.

    `type` is how the Service publishes it (`LoadBalancer`, …) or the kind of the way in (`Ingress`, …), whose name is `name`. `port` is the
    port of the Service, `target` that of the pods. `source_ranges` are the only addresses that it admits; `()` admits all.
    """

    service: str
    type: str
    name: str
    port: int
    protocol: Protocol
    target: int
    node_port: int = 0
    source_ranges: tuple[str, ...] = ()


class BlockedWay(Struct, frozen=True):
    """A way in that policy closes. With `was_open` it passed in base: an outage. `policies` are those that speak about traffic into the
    pods behind it."""

    way: str
    service: str
    port: int
    targets: tuple[int, ...]
    origin: SourceLocation
    direct: bool
    was_open: bool
    policies: tuple[str, ...]


class Publication(Struct, frozen=True):
    """A Service that comes to publish its pods to outside the cluster, or ceases to, on some of its ports."""

    service: str
    types: tuple[str, ...]
    ports: tuple[int, ...]
    change: EndpointChange
    origin: SourceLocation
    source_ranges: tuple[str, ...] = ()


class Flow(Struct, frozen=True):
    """One row of a matrix: `connections` is what is allowed or may be, `may` the part that is only may, `conditions` what it depends on,
    `via` what publishes the destination to the source, where that is outside."""

    source: str
    destination: str
    connections: ConnectionSet
    may: ConnectionSet
    conditions: tuple[str, ...] = ()
    via: tuple[Via, ...] = ()


class MatrixReport(Struct, frozen=True, eq=False):
    """The reachability matrix of one revision. `endpoints` are sorted by id; `flows` streams the rows sorted by (source, destination);
    `inventory` is what there is."""

    revision: Revision
    scope: Scope
    endpoints: tuple[Endpoint, ...]
    flows: Callable[[], Iterator[Flow]]
    inventory: Cluster
    diagnostics: tuple[Diagnostic, ...]
    cluster: str | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing policy-relevant was left out."""
        return is_complete(self.diagnostics)


class FlowPart(Struct, frozen=True, eq=False):
    """Sources and destinations of a group between which the change has causes of its own."""

    sources: EndpointSet
    destinations: EndpointSet
    causes: tuple[tuple[Cause, ...], ...]
    causes_truncated: bool = False


class FlowGroup(Struct, frozen=True, eq=False):
    """Each source to each destination changes alike. `opened` rose (denied < may < allowed), `closed` fell, `may` is the part of both
    that was or becomes only may. Each alternative of `causes` is a minimal set of changed objects such that undoing them undoes the change
    of the whole group; with `causes_truncated` there may be more, or one may hold more than is needed. `parts` are given where causes
    differ within the group, and make it up. `severity` weighs what opens (None where nothing does), `may_break` shows that what closes was
    in use."""

    sources: EndpointSet
    destinations: EndpointSet
    opened: ConnectionSet
    closed: ConnectionSet
    may: ConnectionSet
    causes: tuple[tuple[Cause, ...], ...] = ()
    severity: Severity | None = None
    may_break: tuple[Evidence, ...] = ()
    causes_truncated: bool = False
    parts: tuple[FlowPart, ...] = ()


class PairChange(Struct, frozen=True):
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
    via: tuple[Via, ...] = ()


class WorkloadChanges(Struct, frozen=True):
    """Ids of the workloads that only one revision has, and of those whose pods' labels differ. Sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    relabelled: tuple[str, ...]


class Summary(Struct, frozen=True):
    """Counts: groups, changed pairs, and the pairs that open or close something."""

    groups: int
    pairs: int
    opened: int
    closed: int


class Potential(Struct, frozen=True, eq=False):
    """What changes between pods that could exist and all else, apart from what is known: the fields are those of a diff.

    Each group has one alternative of causes (the changed policies about either end, else the workloads at its ends that changed), and a
    severity of what opens. `representatives` are all such pods that were looked
    at, of which `involved` and the groups name those whose flows change. `impossible` are selectors that no pod can meet;
    `left_out` counts representatives above the cap, whose flows are not here.
    """

    involved: tuple[JointWorkload, ...] = ()
    blocks: tuple[ExternalBlock, ...] = ()
    groups: tuple[FlowGroup, ...] = ()
    pairs: Callable[[], Iterator[PairChange]] = tuple[PairChange, ...]().__iter__
    representatives: tuple[Representative, ...] = ()
    impossible: tuple[str, ...] = ()
    left_out: int = 0


NO_POTENTIAL = Potential()


class ReasonKind(StrEnum):
    """Why a changed policy changed nothing between known workloads; the values are stable words."""

    SELECTS_NOTHING = "selects-nothing"
    OTHER_NAMESPACE = "other-namespace"
    NO_PEER = "peer-does-not-exist"
    OTHER_END = "blocked-at-other-end"
    SHADOWED = "shadowed"
    ALLOWED = "already-allowed"
    DENIED = "already-denied"
    NO_SUCH_PORT = "no-such-port"
    SAME_MEANING = "same-meaning"


class ReasonObject(Struct, frozen=True):
    """An object that is a reason, and the line of `side` (`head`, or `base` for what head lacks) that says so; `direction` is the
    one that a policy stands against the change in."""

    object: str
    path: str
    line: int
    side: str
    direction: str | None = None


class NoEffect(Struct, frozen=True):
    """A changed policy without effect on a known flow, and why. `objects` are what stands against it, or the policy itself; with
    `potential` it changes flows with pods that could exist."""

    policy: Cause
    reason: ReasonKind
    detail: str
    objects: tuple[ReasonObject, ...]
    potential: bool = False


NOTHING_LOST = Protection()


class DiffReport(Struct, frozen=True, eq=False):
    """What changed between two revisions. `pairs` streams the changed pairs sorted by (source, destination); `blocks` and `involved` are
    the endpoints that a change names, with `controller` the ingress controller too; `policy_changes` are the policies that differ,
    whatever came of it; `clusters` are the inventories of base and head; `blocked` are the ways in that head closes and base did not;
    `publications` are Services that begin or cease to publish pods. `paths` and `blast_radius` are looked for when they are first asked
    for. `potential` is what changes for pods that could exist, `no_effect` (when asked for) why changed policies changed no known flow,
    `protection` what policies protected in base and do not in head. With `may_break_stopped` there are more flows that close than were
    looked at for evidence that they were in use."""

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
    clusters: tuple[Cluster, Cluster]
    summary: Summary
    digest: str
    diagnostics: tuple[Diagnostic, ...]
    cluster: str | None = None
    controller: bool = False
    blocked: tuple[BlockedWay, ...] = ()
    publications: tuple[Publication, ...] = ()
    paths: Callable[[], Paths] = Paths
    blast_radius: Callable[[], BlastRadius] = BlastRadius
    potential: Potential = NO_POTENTIAL
    no_effect: Callable[[], tuple[NoEffect, ...]] = tuple[NoEffect, ...]
    protection: Protection = NOTHING_LOST
    may_break_stopped: bool = False

    @property
    def services(self) -> tuple[Service, ...]:
        """The Services of head."""
        return self.clusters[-1].services

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


def publication_of(each: Publication) -> Mapping[str, object]:
    """The JSON object of a publication, without its place."""
    shown = {"service": each.service, "types": list(each.types), "ports": list(each.ports), "change": str(each.change)}
    return {**shown, **({"source_ranges": list(each.source_ranges)} if each.source_ranges else {})}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Effect(StrEnum):
    """What a step of an explanation does."""

    ALLOWS = "allows"
    DENIES = "denies"
    PASSES = "passes"
    ISOLATES = "isolates"
    NO_MATCH = "does not match"


class Step(Struct, frozen=True):
    """One policy or rule in the order of evaluation. `policy`, `rule`, `path` and `line` are null where no policy speaks."""

    effect: Effect
    detail: str
    policy: str | None = None
    tier: str | None = None
    rule: str | None = None
    path: str | None = None
    line: int | None = None


class ServiceLead(Struct, frozen=True):
    """A Service that leads to the destination of an explanation: its port, and the port of the pods to which it leads."""

    service: str
    port: int
    protocol: Protocol
    target: int
    origin: SourceLocation


class Explanation(Struct, frozen=True, eq=False):
    """Why one pair connects or not. `verdict` is `allowed`, `may` or `denied`; `connections` is everything that passes between the two
    ends; `services` lead to the destination there."""

    source: str
    destination: str
    port: str | None
    verdict: str
    connections: ConnectionSet
    may: ConnectionSet
    egress: tuple[Step, ...]
    ingress: tuple[Step, ...]
    diagnostics: tuple[Diagnostic, ...]
    services: tuple[ServiceLead, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing policy-relevant was left out."""
        return is_complete(self.diagnostics)

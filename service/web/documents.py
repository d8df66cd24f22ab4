"""The documents of the contract as models, for the OpenAPI document: `flowdelta.diff/1`, `flowdelta.diffs/1`,
`flowdelta.matrix/1` and `flowdelta.explain/1`.

Nothing is made from them; a test holds real reports to them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

_PortNumber = Annotated[int, Field(ge=1, le=65_535)]
_Range = Annotated[list[_PortNumber], Field(min_length=2, max_length=2)]
Connections = Annotated[
    dict[Literal["TCP", "UDP", "SCTP"], list[_Range]], Field(description="Inclusive port ranges by protocol, sorted and disjoint.")
]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Side = Literal["base", "head"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow")


class Diagnostic(_Part):
    """Something that the analysis has to say about a file."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    path: str | None
    line: int | None


class Endpoint(_Part):
    """A workload, a block of addresses, an ingress controller or a representative."""

    id: str
    kind: str


class Side(_Part):
    """One side of a comparison."""

    label: str
    commit: str | None


class Cause(_Part):
    """An object whose change bears on a flow."""

    object: str
    change: str
    fields: list[str]
    path: str | None
    line: int | None
    side: _Side | None


class Alternative(_Part):
    """Undoing all of it undoes the change."""

    undo: list[Cause]


class Group(_Part):
    """Flows that change alike, from each source to each destination."""

    sources: list[str]
    destinations: list[str]
    opened: Connections
    closed: Connections
    may: Connections
    causes: list[Alternative]


class Change(_Part):
    """One pair whose connections differ."""

    source: str
    destination: str
    base: Connections
    head: Connections
    opened: Connections
    closed: Connections
    may: Connections
    group: int


class Workloads(_Part):
    """Workloads that came, went or got other labels."""

    added: list[str]
    removed: list[str]
    relabelled: list[str]


class Summary(_Part):
    """Counts of groups and pairs."""

    groups: int
    pairs: int
    opened: int
    closed: int


class DiffDocument(_Part):
    """What changes."""

    schema_: Annotated[Literal["flowdelta.diff/1"], Field(alias="schema")]
    cluster: str | None
    complete: bool
    base: Side
    head: Side
    endpoints: list[Endpoint]
    groups: list[Group]
    changes: list[Change]
    workloads: Workloads
    summary: Summary
    digest: Digest
    diagnostics: list[Diagnostic]


class DiffsDocument(_Part):
    """What changes in each of several clusters. The digest is the SHA-256 of the JSON list of theirs, in order of their names."""

    schema_: Annotated[Literal["flowdelta.diffs/1"], Field(alias="schema")]
    complete: bool
    base: Side
    head: Side
    clusters: list[DiffDocument]
    digest: Digest
    added: list[str | None]
    removed: list[str | None]


class DiffAnswer(RootModel[DiffDocument | DiffsDocument]):
    """What changes: in the only cluster, or in each of several."""


class Flow(_Part):
    """One pair that connects."""

    source: str
    destination: str
    connections: Connections
    may: Connections


class MatrixDocument(_Part):
    """What reaches what."""

    schema_: Annotated[Literal["flowdelta.matrix/1"], Field(alias="schema")]
    cluster: str | None
    complete: bool
    endpoints: list[Endpoint]
    flows: list[Flow]
    diagnostics: list[Diagnostic]


class Step(_Part):
    """One policy or rule that speaks about the pair, in the order of evaluation."""

    policy: str | None
    tier: str | None
    rule: str | None
    path: str | None
    line: int | None
    effect: str
    detail: str


class ExplainDocument(_Part):
    """Why one end reaches another, or does not."""

    schema_: Annotated[Literal["flowdelta.explain/1"], Field(alias="schema")]
    source: str
    destination: str
    port: str | None
    verdict: Literal["allowed", "may", "denied"]
    egress: list[Step]
    ingress: list[Step]
    diagnostics: list[Diagnostic]

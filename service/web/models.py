"""What requests of the API may hold: the models refuse what is not theirs, and the OpenAPI document is made from them.

Unknown fields are refused: a typo must not change the question.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, WithJsonSchema
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import FileStorage

from analyzers.reports import FORMATS

_LONGEST = 1_000


def _known_format(value: str) -> str:
    if value not in dict(FORMATS):
        raise PydanticCustomError("unknown-format", "must be one of {known}", {"known": ", ".join(dict(FORMATS))})
    return value


ForgeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,30}$", description="A forge of the settings, by its name there.")]
Repository = Annotated[
    str,
    Field(
        max_length=_LONGEST,
        pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)+$",
        description="A served repository, as its forge spells it: owner/name.",
        examples=["example/cluster-config"],
    ),
]
Revision = Annotated[
    str,
    Field(
        max_length=_LONGEST,
        description="A branch, a tag, a full ref such as refs/pull/7/head, or a commit id.",
        examples=["main"],
    ),
]
Folder = Annotated[str, Field(max_length=_LONGEST, description="Only this folder of the repository; all of it where it is empty.")]
HostNetwork = Annotated[
    Literal["node", "pod"] | None,
    Field(description="Read hostNetwork pods as addresses of their node, or like any pod; the service's setting where it is left out."),
]
Namespaces = Annotated[
    list[Annotated[str, Field(max_length=253)]],
    Field(max_length=100, description="Show only rows with an end in one of these; the analysis and its digest stay the same."),
]
End = Annotated[str, Field(min_length=1, max_length=_LONGEST, description="An endpoint such as shop/web[Deployment], or an address.")]
Port = Annotated[str, Field(max_length=20, description="Ask about one port: 8080/TCP, 53/UDP.")]
Upload = Annotated[
    InstanceOf[FileStorage],
    WithJsonSchema({"type": "string", "format": "binary", "description": "Manifests as tar (plain, gzip, bzip2, xz) or zip."}),
]
Format = Annotated[
    str,
    AfterValidator(_known_format),
    Field(description="How the result is written.", json_schema_extra={"enum": [name for name, _ in FORMATS]}),
]


ClusterName = Annotated[
    str | None,
    Field(
        max_length=_LONGEST,
        description="Of several clusters only this one; empty is what names none. A matrix or an explanation of several needs it.",
    ),
]


class Body(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Form(BaseModel):
    """A form with files. Its other fields are texts."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Query(BaseModel):
    """The parameters behind the question mark; each may stand there once."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Options(BaseModel):
    """What every question may say."""

    host_network: HostNetwork = None
    namespaces: Namespaces = []
    cluster: ClusterName = None


class Where(Options):
    """A place in a served repository."""

    forge: ForgeName | None = None
    repository: Repository
    path: Folder = ""


class Ends(BaseModel):
    """The pair that an explanation is about."""

    source: End
    destination: End
    port: Port | None = None


class DiffRevisions(Where, Body):
    """Two revisions of a served repository."""

    base: Revision
    head: Revision
    merge: Annotated[bool, Field(description="Merge the head into the base first, as merging a pull request would.")] = False


class DiffArchives(Options, Form):
    """Two archives of manifests."""

    base: Upload
    head: Upload


class MatrixRevision(Where, Body):
    """One revision of a served repository."""

    revision: Revision


class MatrixArchive(Options, Form):
    """One archive of manifests."""

    archive: Upload


class ExplainRevision(Ends, Where, Body):
    """One pair in one revision of a served repository."""

    revision: Revision


class ExplainArchive(Ends, Options, Form):
    """One pair in one archive of manifests."""

    archive: Upload


class ReportQuery(Query):
    """How a report is to be written."""

    format: Format = "json"


class Approval(Body):
    """What a person says of a guardrail of an analysis. Who approves says to what, by the digest that the report shows."""

    verb: Annotated[Literal["approve", "reject", "revoke"], Field(description="revoke takes back what the same account said before.")]
    guardrail: Annotated[str, Field(min_length=1, max_length=100)]
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{12})?$", description="Needed to approve.")] = ""
    reason: Annotated[str, Field(max_length=500)] = ""


class AuditQuery(Query):
    """Which rows of the audit log are listed, oldest first."""

    after: Annotated[int, Field(ge=0, le=2**31 - 1, description="Only rows after this number.")] = 0
    limit: Annotated[int, Field(ge=1, le=1_000, description="At most so many.")] = 100


class AnalysesQuery(Query):
    """Which analyses are listed, newest first."""

    forge: ForgeName | None = None
    repository: Repository | None = None
    number: Annotated[int, Field(ge=1, le=2**31 - 1, description="Of this pull request.")] | None = None
    state: Annotated[str, Field(pattern=r"^[a-z-]{1,30}$", description="In this state.")] | None = None
    cursor: Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9._~=-]+$", description="The `next` of the page before.")] | None = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=200, description="At most so many.")] = 50

"""What the API shows of the service: the models of its answers. Fields may be added; none is renamed or dropped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from service.store import Question, Review, StoredInventory

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class ProblemDocument(BaseModel):
    """Why a request was not answered, as RFC 9457 has it. `reason` is for programs and stays the same, `detail` is for people."""

    type: str
    title: str
    status: int
    reason: str
    detail: str


class Analysis(BaseModel):
    """One analysis of a pull request or of a commit of a merge queue. What is not known yet is null; `report` is where its report is."""

    id: str
    forge: str
    repository: str
    number: int | None
    subject: str
    state: str
    reason: str
    cause: str
    base_sha: str | None
    head_sha: str | None
    complete: bool | None
    headline: str | None
    digest: str | None
    report: str | None
    created: Time
    updated: Time

    @classmethod
    def of(cls, review: Review) -> Analysis:
        """What is shown of a review."""
        same = {name: getattr(review, name) for name in cls.model_fields if name not in ("report", "created", "updated")}
        report = f"/api/v1/analyses/{review.id}/report" if review.report is not None else None
        return cls(**same, report=report, created=_time(review.created), updated=_time(review.updated))


class GuardrailStanding(BaseModel):
    """Where one guardrail stands. `digest` is what is typed to approve, null where nothing is guarded; `missing` counts people."""

    name: str
    standing: str
    why: str
    digest: str | None
    missing: int


class SignOff(BaseModel):
    """Where sign-off of the commit of an analysis stands."""

    standing: str
    guardrails: list[GuardrailStanding]


class OneAnalysis(Analysis):
    """One analysis with its sign-off, which is null where no guardrail had anything to say of its commit."""

    signoff: SignOff | None


class AuditRow(BaseModel):
    """One row of the audit log: `hash` is the SHA-256 of the JSON list of number, previous hash and the entry's canonical JSON text."""

    number: int
    previous: str
    hash: str
    entry: dict[str, Any]


class AuditRows(BaseModel):
    """A part of the audit log, oldest first. `next` is the `after` of the following part, null on the last one."""

    items: list[AuditRow]
    next: int | None


class Analyses(BaseModel):
    """A page of analyses, newest first. `next` is the cursor of the following page, null on the last one."""

    items: list[Analysis]
    next: str | None


class Job(BaseModel):
    """A question whose answer takes longer. `result` is where the answer can be had once the state is done, for a day."""

    id: str
    kind: str
    state: Literal["running", "done", "failed"]
    problem: ProblemDocument | None
    result: str | None
    created: Time
    updated: Time


class Forge(BaseModel):
    """One forge, what the settings let in (`owner/*` is all of an owner), and the repositories that are known by name."""

    forge: str
    kind: str
    served: list[str]
    repositories: list[str]


class Repositories(BaseModel):
    """What is served, by forge."""

    items: list[Forge]


class Inventory(BaseModel):
    """The newest snapshot of what runs in a cluster. `taken` is when it says that it was taken, null where it does not; `cluster` is `-`
    for what names none."""

    forge: str
    repository: str
    cluster: str
    objects: int
    digest: str
    taken: Time | None
    uploaded: Time

    @classmethod
    def of(cls, stored: StoredInventory) -> Inventory:
        """What is shown of one that is stored."""
        same = {name: getattr(stored, name) for name in ("forge", "repository", "objects")}
        taken = None if stored.taken is None else _time(stored.taken)
        return cls(**same, cluster=stored.cluster or "-", digest=stored.content, taken=taken, uploaded=_time(stored.uploaded))


class Inventories(BaseModel):
    """Every inventory."""

    items: list[Inventory]


class Readiness(BaseModel):
    """Whether the process can work, and what was found of each thing that it needs."""

    ready: bool
    checks: dict[str, str]


def job_of(question: Question, problem: ProblemDocument | None) -> Job:
    """What is shown of a question."""
    result = f"/api/v1/jobs/{question.id}/result" if question.state == "done" else None
    state: Literal["running", "done", "failed"] = "running" if question.state == "running" else "done" if result else "failed"
    times = {"created": _time(question.created), "updated": _time(question.updated)}
    return Job(id=question.id, kind=question.kind, state=state, problem=problem, result=result, **times)


def respond(shown: BaseModel, status: int = 200, **headers: str) -> Response:
    """The answer that shows it; an underscore in the name of a header stands for a dash."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(shown.model_dump_json(), status, named, content_type="application/json")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

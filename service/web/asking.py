"""Questions on demand: POST /api/v1/diff, /matrix and /explain, and the jobs that answer what takes longer."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from flask import Response
from pydantic import BaseModel

from service.settings import Settings
from service.store import Question, Scope, Store
from service.web import models
from service.web.documents import DiffAnswer, ExplainDocument, MatrixDocument
from service.web.operations import Answer, Operation, Routes, View
from service.web.problems import Problem
from service.web.reporting import TYPES, Options, Reporting, problem_of
from service.web.shown import Job, job_of, respond
from service.web.subjects import Subjects, pair, served

TEXTS = tuple(dict.fromkeys(type.partition(";")[0] for name, type in TYPES.items() if name != "json"))
ACCEPTED = Answer(
    "It takes longer: poll the location.",
    Job,
    headers={
        "Location": "Where to poll.",
        "Retry-After": "When to, in seconds.",
        "Preference-Applied": "`respond-async` where it was asked for.",
    },
)
PREFER = {"Prefer": "`respond-async` answers with a job at once; `wait=5` waits at most so many seconds for the answer itself."}
FAILURES = (404, 409, 413, 422, 500, 502, 504)
"""What can become of an analysis on demand, besides an answer."""

_KINDS: tuple[tuple[str, str, type[BaseModel], type[BaseModel], type[BaseModel]], ...] = (
    ("diff", "What changes between two revisions, or two archives", models.DiffRevisions, models.DiffArchives, DiffAnswer),
    ("matrix", "What can reach what in one revision, or one archive", models.MatrixRevision, models.MatrixArchive, MatrixDocument),
    ("explain", "Why one end can or cannot reach another", models.ExplainRevision, models.ExplainArchive, ExplainDocument),
)
_ID = re.compile(r"[0-9a-f]{32}")


def add(routes: Routes, settings: Settings, reporting: Reporting, subjects: Subjects) -> None:
    """Declare the routes of the questions."""
    for kind, summary, body, form, document in _KINDS:
        operation = Operation(
            "POST",
            f"/api/v1/{kind}",
            summary,
            {200: Answer("The report.", document, TEXTS), 202: ACCEPTED},
            (Scope.ANALYSE,),
            models.ReportQuery,
            body,
            form,
            FAILURES,
            headers=PREFER,
            tag="Questions",
        )
        routes.add(operation)(_question(kind, settings, reporting, subjects))


def _question(kind: str, settings: Settings, reporting: Reporting, subjects: Subjects) -> View:
    def ask(query: models.ReportQuery, body: models.Options) -> Response:
        directory = Path(tempfile.mkdtemp(prefix="flowdelta-api-"))
        try:
            fetch = subjects.of(body, directory)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        mode = body.host_network or settings.host_network
        options = Options(query.format, mode, tuple(body.namespaces), pair(body), "", body.cluster, served(body, subjects))
        return reporting.respond(kind, fetch, directory, options)

    ask.__name__ = kind
    return ask


def add_jobs(routes: Routes, store: Store) -> None:
    """Declare the routes of the jobs."""
    held, where = (Scope.ANALYSE, Scope.READ), {"id": "The job."}

    @routes.add(
        Operation(
            "GET",
            "/api/v1/jobs/<id>",
            "How far a job is",
            {200: Answer("The job.", Job, headers={"Retry-After": "When to ask again, in seconds, while it runs."})},
            held,
            problems=(404,),
            parameters=where,
            tag="Questions",
        )
    )
    def job(id: str) -> Response:
        question = _known(store, id)
        failed = question.state == "failed"
        problem = problem_of(question.status, question.reason, question.detail) if failed else None
        wait = {"Retry_After": "2"} if question.state == "running" else {}
        return respond(job_of(question, problem), 200, **wait)

    @routes.add(
        Operation(
            "GET",
            "/api/v1/jobs/<id>/result",
            "The answer of a job that is done",
            {200: Answer("The report, as it was asked for.", None, ("application/json", *TEXTS))},
            held,
            problems=(404,),
            parameters=where,
            tag="Questions",
        )
    )
    def result(id: str) -> Response:
        question = _known(store, id)
        if question.result is None:
            raise Problem(404, "no-result", f"The job is {question.state}; it has no result.")
        return Response(store.content(question.result), content_type=question.type)


def _known(store: Store, id: str) -> Question:
    question = store.question(id) if _ID.fullmatch(id) else None
    if question is None:
        raise Problem(404, "unknown-job", "There is no such job; its answer is kept for a day.")
    return question

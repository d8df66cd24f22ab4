"""Analyses of pull requests: list, look at one, its report in every format, and run it again.

JSON and Markdown are stored with an analysis. The other formats are for few readers: they are made when somebody asks, from the two
commits that were compared, and only given out where the digest is the stored one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from flask import Response

from service.analysis.job import GitSide, Merging, Subject
from service.store import Review, Scope, Store
from service.web.asking import ACCEPTED, FAILURES, PREFER, TEXTS
from service.web.documents import DiffAnswer
from service.web.models import AnalysesQuery, ReportQuery
from service.web.operations import Answer, Operation, Routes
from service.web.problems import Problem
from service.web.reporting import TYPES, Options, Reporting
from service.web.shown import Analyses, Analysis, OneAnalysis, respond
from service.web.signing import known, signed_off
from service.web.subjects import Subjects

_WHICH = {"id": "The analysis."}
_TAG = "Analyses"


def add(routes: Routes, store: Store, subjects: Subjects, wake: Callable[[], None]) -> None:
    """Declare the routes that list, show and repeat. `wake` tells the worker of this process, if there is one."""

    @routes.add(
        Operation(
            "GET",
            "/api/v1/analyses",
            "Analyses, newest first",
            {200: Answer("A page of them.", Analyses)},
            (Scope.READ,),
            AnalysesQuery,
            tag=_TAG,
        )
    )
    def listed(query: AnalysesQuery) -> Response:
        filters = query.model_dump(include={"forge", "repository", "number", "state"})
        try:
            found = store.reviews(**filters, before=query.cursor, limit=query.limit + 1)
        except ValueError:
            raise Problem(400, "invalid-field", "cursor: it is none of ours.") from None
        page = found[: query.limit]
        more = page[-1].cursor if len(found) > len(page) else None
        return respond(Analyses(items=[Analysis.of(review) for review in page], next=more))

    @routes.add(
        Operation(
            "GET",
            "/api/v1/analyses/<id>",
            "One analysis",
            {200: Answer("The analysis.", OneAnalysis)},
            (Scope.READ,),
            problems=(404,),
            parameters=_WHICH,
            tag=_TAG,
        )
    )
    def one(id: str) -> Response:
        review = known(store, id)
        return respond(OneAnalysis(**Analysis.of(review).model_dump(), signoff=signed_off(store, review)))

    @routes.add(
        Operation(
            "POST",
            "/api/v1/analyses/<id>/rerun",
            "Analyse what an analysis was about again",
            {202: Answer("The new analysis.", Analysis, headers={"Location": "Where it is."})},
            (Scope.ANALYSE,),
            problems=(404, 409),
            parameters=_WHICH,
            tag=_TAG,
        )
    )
    def rerun(id: str) -> Response:
        old = known(store, id)
        _refuse_unserved(subjects, old)
        fresh = store.review(store.request(old.forge, old.repository, old.subject, "api").id)
        assert fresh is not None
        wake()
        return respond(Analysis.of(fresh), 202, Location=f"/api/v1/analyses/{fresh.id}")


def add_reports(routes: Routes, store: Store, subjects: Subjects, reporting: Reporting) -> None:
    """Declare the route of the reports."""

    @routes.add(
        Operation(
            "GET",
            "/api/v1/analyses/<id>/report",
            "The report of an analysis",
            {200: Answer("The report.", DiffAnswer, TEXTS), 202: ACCEPTED},
            (Scope.READ,),
            ReportQuery,
            problems=FAILURES,
            parameters=_WHICH,
            headers=PREFER,
            tag=_TAG,
        )
    )
    def report(id: str, query: ReportQuery) -> Response:
        review = known(store, id)
        if review.report is None or review.text is None or review.digest is None:
            raise Problem(404, "no-report", f"The analysis has no report; it is {review.state}.")
        stored = {"json": review.report, "markdown": review.text}.get(query.format)
        if stored is not None:
            return Response(store.content(stored), content_type=TYPES[query.format])
        _refuse_unserved(subjects, review)
        directory = Path(tempfile.mkdtemp(prefix="flowdelta-api-"))
        options = Options(query.format, reporting.settings.host_network, digest=review.digest, served=(review.forge, review.repository))
        return reporting.respond("report", lambda: _compared(subjects, review), directory, options)


def _compared(subjects: Subjects, review: Review) -> Subject:
    """What the review compared. A merge queue had merged already."""
    assert review.base_sha is not None
    assert review.head_sha is not None
    place = subjects.revisions.place(review.forge, review.repository)
    base, head = (GitSide(name[:12], subjects.revisions.commit(place, name)) for name in (review.base_sha, review.head_sha))
    return subjects.between(place, base, head, Merging.NO if review.request.queued else Merging.PREFERRED)


def _refuse_unserved(subjects: Subjects, review: Review) -> None:
    try:
        subjects.revisions.place(review.forge, review.repository)
    except Problem:
        raise Problem(409, "not-served", "The repository is not served any more.") from None

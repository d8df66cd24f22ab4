"""GET /reports/<review>: the stored report that a comment links, for people with a browser."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from service.store import Scope, Store
from service.web.auth import Doorman
from service.web.problems import Problem

_REVIEW = re.compile(r"[0-9a-f]{16}")


def blueprint(doorman: Doorman, store: Store) -> Blueprint:
    """The route. `?format=json` gives the document of the contract, anything else the Markdown as plain text."""
    routes = Blueprint("reports", __name__)

    @routes.get("/reports/<review>")
    def report(review: str) -> Response:
        doorman.admit((Scope.READ,), browser=True)
        found = store.review(review) if _REVIEW.fullmatch(review) else None
        if found is None or found.report is None or found.text is None:
            raise Problem(404, "unknown-report", "There is no report of this review.")
        wanted = request.args.get("format", "markdown")
        if wanted == "json":
            return Response(store.content(found.report), content_type="application/json")
        if wanted == "markdown":
            # Not text/markdown: browsers show plain text and would save the other.
            return Response(store.content(found.text), content_type="text/plain; charset=utf-8")
        raise Problem(400, "unknown-format", "format must be json or markdown.")

    return routes

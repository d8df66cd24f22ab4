"""Errors as problem details (RFC 9457): what a client did wrong, or what we could not do, with a stable `reason`."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from service.store import StoreError

log = logging.getLogger(__name__)
_REASONS = {404: "not-found", 405: "method-not-allowed", 411: "length-required", 413: "too-large", 415: "unsupported-media-type"}


class Problem(Exception):
    """Ends a request with a problem document."""

    def __init__(self, status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail, self.headers = status, reason, detail, dict(headers or {})

    @property
    def said(self) -> tuple[int, str, str]:
        """The status, the reason and the detail."""
        return self.status, self.reason, self.detail

    @property
    def document(self) -> dict[str, object]:
        """What is sent."""
        members = {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status}
        return {**members, "reason": self.reason, "detail": self.detail}

    def response(self) -> Response:
        """The document, sent."""
        return Response(json.dumps(self.document), self.status, self.headers, content_type="application/problem+json")


def install(app: Flask) -> None:
    """Answer every error of the app with a problem document, and nothing of what caused it."""

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return error.response()

    @app.errorhandler(HTTPException)
    def standard(error: HTTPException) -> Response:
        status = error.code or 500
        reason = _REASONS.get(status, HTTPStatus(status).phrase.lower().replace(" ", "-"))
        headers = {name: value for name, value in error.get_headers() if name.lower() in ("allow", "retry-after")}
        return Problem(status, reason, error.description or HTTPStatus(status).phrase, headers).response()

    @app.errorhandler(StoreError)
    def storage(_error: StoreError) -> Response:
        log.exception("the database failed")
        return Problem(503, "storage", "The database does not answer; ask again.", {"Retry-After": "60"}).response()

    @app.errorhandler(Exception)
    def unexpected(_error: Exception) -> Response:
        log.exception("a request failed")
        return Problem(500, "internal", "The service failed to answer; its log says why.").response()

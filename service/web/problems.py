"""Errors as problem details (RFC 9457): what a client did wrong, or what we could not do, with a stable `reason`."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

log = logging.getLogger(__name__)


class Problem(Exception):
    """Ends a request with a problem document."""

    def __init__(self, status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail, self.headers = status, reason, detail, dict(headers or {})

    def response(self) -> Response:
        """The document."""
        members = {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status}
        body = json.dumps({**members, "reason": self.reason, "detail": self.detail})
        return Response(body, self.status, self.headers, content_type="application/problem+json")


def install(app: Flask) -> None:
    """Answer every error of the app with a problem document, and nothing of what caused it."""

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return error.response()

    @app.errorhandler(HTTPException)
    def standard(error: HTTPException) -> Response:
        status = error.code or 500
        reason = HTTPStatus(status).phrase.lower().replace(" ", "-")
        headers = {name: value for name, value in error.get_headers() if name.lower() in ("allow", "retry-after")}
        return Problem(status, reason, error.description or HTTPStatus(status).phrase, headers).response()

    @app.errorhandler(Exception)
    def unexpected(_error: Exception) -> Response:
        log.exception("a request failed")
        return Problem(500, "internal", "The service failed to answer; its log says why.").response()

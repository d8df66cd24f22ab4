"""The OpenAPI document at /api/v1/openapi.json, and a page to read it at /api/v1/docs. Both are open: they say what the code says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from flask import Blueprint, Response

from service.web.openapi import document
from service.web.operations import Operation

# What the page needs and nothing more: our script, the styles that it makes, and our document. No other host is asked for anything.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Flowdelta API</title></head>
<body style="margin: 0">
<redoc spec-url="openapi.json" disable-search="true" native-scrollbars="true"></redoc>
<noscript><a href="openapi.json">The OpenAPI document</a></noscript>
<script src="docs/redoc.js"></script>
</body>
</html>
"""


def blueprint(operations: Sequence[Operation]) -> Blueprint:
    """The routes."""
    routes = Blueprint("described", __name__, url_prefix="/api/v1")
    body = json.dumps(document(operations), indent=1)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return Response(body, content_type="application/json")

    @routes.get("/docs")
    def page() -> Response:
        return Response(_PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})

    @routes.get("/docs/redoc.js")
    def script() -> Response:
        return Response(_script(), content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "public, max-age=86400"})

    return routes


@cache
def _script() -> bytes:
    return (files("flask_openapi3_redoc") / "templates" / "redoc" / "js" / "redoc.standalone.js").read_bytes()

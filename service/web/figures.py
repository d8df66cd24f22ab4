"""GET /metrics: what Prometheus collects. It needs no token: there is nothing in it but numbers."""

from __future__ import annotations

from flask import Blueprint, Response

from service.monitoring import metrics
from service.store import Store
from service.telemetry import CONTENT_TYPE


def blueprint(store: Store) -> Blueprint:
    """The route. It is no part of the API, so the API's document does not have it."""
    routes = Blueprint("figures", __name__)

    @routes.get("/metrics")
    def figures() -> Response:
        return Response(metrics(store), content_type=CONTENT_TYPE)

    return routes

"""Webhooks: verify, store, answer; the work is done later, elsewhere. Routed by path, never by header: Gitea sends GitHub's too."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from flask import Blueprint, Response, jsonify, request

from service import telemetry
from service.forges import Connected
from service.forges.port import WebhookError
from service.logs import fields
from service.store import Acceptance, Store
from service.web.bodies import whole_body
from service.web.problems import Problem

log = logging.getLogger(__name__)
LARGEST_DELIVERY = 25_000_000  # what GitHub sends at most
_NOT_SERVED = "not served"


def blueprint(store: Store, connected: Mapping[str, Connected], wake: Callable[[], None]) -> Blueprint:
    """POST /webhooks/<name of a forge>. `wake` tells the worker of this process, if there is one, that there is something to do."""
    routes = Blueprint("webhooks", __name__, url_prefix="/webhooks")

    @routes.post("/<forge>")
    def deliver(forge: str) -> tuple[Response, int]:
        known = connected.get(forge)
        if known is None:
            raise Problem(404, "unknown-forge", f"There is no webhook for {forge[:40]!r}.")
        outcome = _accepted(store, known)
        if outcome == Acceptance.QUEUED:
            wake()
        more = (
            {"detail": f"Add the repository to {known.settings.variable}REPOSITORIES to have it served."} if outcome == _NOT_SERVED else {}
        )
        return jsonify(status=outcome, **more), 202 if outcome == Acceptance.QUEUED else 200

    return routes


def _accepted(store: Store, known: Connected) -> str:
    """What became of a delivery. One that calls for nothing here is answered like any other: forges switch a webhook off that is refused
    again and again, and one of a group or an App speaks of repositories that are not served."""
    body = whole_body(LARGEST_DELIVERY)
    try:
        event = known.receiver.receive(request.headers, body, time.time())
    except WebhookError as error:
        telemetry.delivery(known.settings.name, "refused")
        log.warning("refused a delivery: %s", error.reason, extra=fields(forge=known.settings.name))
        raise Problem(error.status, error.reason, error.message) from None
    repository = known.settings.repository(event.repository) if event.repository else None
    if repository is None:
        outcome = _NOT_SERVED if event.calls else Acceptance.IGNORED.value
    else:
        # From here on the repository has the name that the settings give it.
        outcome = store.accept(known.settings.name, replace(event, repository=repository)).value
    telemetry.delivery(known.settings.name, outcome)
    said = fields(forge=known.settings.name, delivery=event.delivery, event=event.kind, action=event.action, outcome=outcome)
    log.info("delivery", extra=said | fields(repository=repository or "none of ours"))
    return outcome

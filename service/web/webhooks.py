"""Webhooks: verify, store, answer; the work is done later, elsewhere. Routed by path, never by header: Gitea sends GitHub's too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from service.forges.port import Receiver, WebhookError, WebhookEvent
from service.logs import fields
from service.settings import Settings
from service.store import Acceptance, Store
from service.web.bodies import whole_body
from service.web.problems import Problem

log = logging.getLogger(__name__)
LARGEST_DELIVERY = 25_000_000  # what GitHub sends at most


def blueprint(settings: Settings, store: Store, receivers: Sequence[Receiver], wake: Callable[[], None]) -> Blueprint:
    """POST /webhooks/<forge>. `wake` tells the worker of this process, if there is one, that there is something to do."""
    routes = Blueprint("webhooks", __name__, url_prefix="/webhooks")
    by_name = {receiver.name: receiver for receiver in receivers}

    @routes.post("/<forge>")
    def deliver(forge: str) -> tuple[Response, int]:
        receiver = by_name.get(forge)
        if receiver is None:
            raise Problem(404, "unknown-forge", f"There is no webhook for {forge[:40]!r}.")
        outcome = _accept(settings, store, receiver)
        if outcome is Acceptance.QUEUED:
            wake()
        return jsonify(status=outcome.value), 202 if outcome is Acceptance.QUEUED else 200

    return routes


def _accept(settings: Settings, store: Store, receiver: Receiver) -> Acceptance:
    try:
        event = receiver.receive(request.headers, whole_body(LARGEST_DELIVERY), settings.webhook_secrets)
    except WebhookError as error:
        log.warning("refused a delivery: %s", error.reason)
        raise Problem(error.status, error.reason, error.message) from None
    if not event.repository:
        return Acceptance.IGNORED
    outcome = _stored(store, receiver.name, _served(settings, event))
    log.info("delivery", extra=fields(delivery=event.delivery, repository=event.repository, number=event.number, outcome=outcome.value))
    return outcome


def _served(settings: Settings, event: WebhookEvent) -> WebhookEvent:
    """The event under the name that the settings give its repository.

    The sender holds the secret, so nothing is given away by saying that a repository is not listed; GitHub shows the answer to its owner.
    """
    repository = settings.repository(event.repository)
    if repository is None:
        raise Problem(404, "unknown-repository", "The repository is not served here; add it to FLOWDELTA_REPOSITORIES.")
    return WebhookEvent(event.delivery, event.kind, event.action, repository, event.number, event.wanted)


def _stored(store: Store, forge: str, event: WebhookEvent) -> Acceptance:
    try:
        return store.accept(forge, event)
    except SQLAlchemyError:
        log.exception("a delivery could not be stored")
        raise Problem(503, "storage", "The delivery could not be stored; send it again.", {"Retry-After": "60"}) from None

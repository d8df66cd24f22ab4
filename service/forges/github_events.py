"""Webhooks of GitHub: the signature over the raw bytes first, then the few fields that a review needs.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

from service.forges.port import Headers, WebhookError, WebhookEvent
from service.secret import Secret

_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")
_DELIVERY = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NUMBERS = 2**31
# `closed` calls for a look too: what is still queued or running for the pull request has become pointless.
_ACTIONS = frozenset({"opened", "reopened", "synchronize", "ready_for_review", "closed"})


class GitHubReceiver:
    """Reads deliveries of GitHub and GitHub Enterprise Server."""

    name = "github"

    def receive(self, headers: Headers, body: bytes, secrets: tuple[Secret, ...]) -> WebhookEvent:
        """The event of a delivery; see `Receiver`."""
        verify(headers.get("X-Hub-Signature-256", ""), body, secrets)
        kind = headers.get("X-GitHub-Event", "")
        delivery = headers.get("X-GitHub-Delivery", "")
        if not _DELIVERY.fullmatch(delivery):
            raise WebhookError(400, "missing-delivery", "X-GitHub-Delivery is missing or malformed.")
        if not kind:
            raise WebhookError(400, "missing-event", "X-GitHub-Event is missing.")
        return _event(delivery, kind, _parse(body))


def verify(signature: str, body: bytes, secrets: tuple[Secret, ...]) -> None:
    """Check `sha256=<hex HMAC-SHA256 of the raw body>` in constant time against each secret. Raises `WebhookError`."""
    if not signature:
        raise WebhookError(401, "missing-signature", "X-Hub-Signature-256 is missing; set a secret on the webhook.")
    match = _SIGNATURE.fullmatch(signature)
    if match is None:
        raise WebhookError(401, "malformed-signature", "X-Hub-Signature-256 must be sha256= and 64 hexadecimal digits.")
    held = [hmac.compare_digest(hmac.digest(secret.reveal().encode(), body, hashlib.sha256).hex(), match[1]) for secret in secrets]
    if not any(held):
        raise WebhookError(401, "wrong-signature", "The signature does not match; the webhook and the service hold different secrets.")


def _parse(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookError(400, "malformed-body", "The body is not JSON; set the webhook's content type to application/json.") from None
    if not isinstance(payload, dict):
        raise WebhookError(400, "malformed-body", "The body is not a JSON object.")
    return payload


def _event(delivery: str, kind: str, payload: dict[str, Any]) -> WebhookEvent:
    if kind != "pull_request":
        return WebhookEvent(delivery, kind, _word(payload.get("action")), "", None, wanted=False)
    repository, number = _field(payload, "repository", "full_name"), _field(payload, "pull_request", "number")
    if not isinstance(repository, str):
        raise _missing("repository.full_name")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number < _NUMBERS:
        raise _missing("pull_request.number")
    action = _word(payload.get("action"))
    return WebhookEvent(delivery, kind, action, repository, number, wanted=_wanted(action, payload))


def _wanted(action: str, payload: dict[str, Any]) -> bool:
    if action == "edited":
        changes = payload.get("changes")
        return isinstance(changes, dict) and "base" in changes
    return action in _ACTIONS


def _word(value: object) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[a-z_]{1,40}", value) else ""


def _field(payload: dict[str, Any], outer: str, inner: str) -> object:
    holder = payload.get(outer)
    return holder.get(inner) if isinstance(holder, dict) else None


def _missing(field: str) -> WebhookError:
    return WebhookError(400, "missing-field", f"The body has no usable {field}.")


GITHUB = GitHubReceiver()

"""Webhooks of GitHub: the signature over the raw bytes first, then the few fields that a review needs.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import replace

from service.forges.github_calls import READERS, Payload
from service.forges.payload import parse, text, word
from service.forges.port import Call, Command, Headers, Pressed, WebhookError, WebhookEvent
from service.secret import Secret

LIMIT = 25_000_000
"""Bytes of the largest delivery that GitHub sends."""
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")
_DELIVERY = re.compile(r"[A-Za-z0-9._-]{1,100}")


class GitHubReceiver:
    """Reads the deliveries of one GitHub or GitHub Enterprise Server."""

    def __init__(self, secrets: tuple[Secret, ...]) -> None:
        self._secrets = secrets

    def receive(self, headers: Headers, body: bytes, now: float) -> WebhookEvent:
        """The event of a delivery; see `Receiver`."""
        if len(body) > LIMIT:
            raise WebhookError(413, "too-large", f"The body has more than {LIMIT} bytes; GitHub sends none of that size.")
        verify(headers.get("X-Hub-Signature-256", ""), body, self._secrets)
        kind, delivery = headers.get("X-GitHub-Event", ""), headers.get("X-GitHub-Delivery", "")
        if not _DELIVERY.fullmatch(delivery):
            raise WebhookError(400, "missing-delivery", "X-GitHub-Delivery is missing or malformed.")
        if not re.fullmatch(r"[a-z_]{1,50}", kind):
            raise WebhookError(400, "missing-event", "X-GitHub-Event is missing or malformed.")
        event = _event(delivery, kind, parse(body), now)
        return replace(event, delivery=_identity(delivery, event.calls, body))


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


def _event(delivery: str, kind: str, payload: Payload, now: float) -> WebhookEvent:
    action = word(payload.get("action"))
    reader = READERS.get(kind)
    if reader is None:
        return WebhookEvent(delivery, kind, action, "")
    name, calls = text(payload, "repository", "full_name"), reader(payload, action, now)
    return WebhookEvent(delivery, kind, action, name, calls)


def _identity(delivery: str, calls: tuple[Call, ...], body: bytes) -> str:
    """What has an effect is known by what is signed, which the header with the delivery's id is not: whoever sends it again, one comment
    is one delivery, and so is one body that tells of a button."""
    for call in calls:
        if isinstance(call, Command):
            return f"comment-{call.comment}"
        if isinstance(call, Pressed):
            return f"pressed-{hashlib.sha256(body).hexdigest()}"
    return delivery

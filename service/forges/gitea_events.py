"""Webhooks of Gitea and Forgejo: the signature over the raw bytes first, then the few fields that a review needs.

https://docs.gitea.com/usage/webhooks and https://forgejo.org/docs/latest/user/webhooks/
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from service.forges import payload as read
from service.forges.gitea import is_draft_title
from service.forges.port import Account, Call, Command, Headers, Look, WebhookError, WebhookEvent
from service.secret import Secret

_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_DELIVERY = re.compile(r"[A-Za-z0-9._-]{1,100}")
# What is sent again, by a person on a page, is sent soon; a command that is older is a replay.
_REDELIVERED = 3 * 86_400.0
_ACTIONS = frozenset({"opened", "reopened", "synchronized", "closed"})
_REVIEWS = frozenset({"pull_request_approved", "pull_request_rejected"})
# Forgejo sends Gitea's headers beside its own.
_NAMES = {"forgejo": ("Forgejo", "Gitea"), "gitea": ("Gitea",)}


class GiteaReceiver:
    """Reads deliveries of one server; `kind` is gitea or forgejo."""

    def __init__(self, kind: str, secrets: tuple[Secret, ...]) -> None:
        self._names, self._secrets = _NAMES[kind], tuple(secret for secret in secrets if secret)

    def receive(self, headers: Headers, body: bytes, now: float) -> WebhookEvent:
        """The event of a delivery; see `Receiver`. Neither forge signs when it sent a delivery; a comment says when it was
        written."""
        read.bounded(body)
        self._verify(self._header(headers, "Signature"), body)
        delivery, kind = self._header(headers, "Delivery"), read.word(self._header(headers, "Event"))
        if not _DELIVERY.fullmatch(delivery):
            raise WebhookError(400, "missing-delivery", f"X-{self._names[0]}-Delivery is missing or malformed.")
        if not kind:
            raise WebhookError(400, "missing-event", f"X-{self._names[0]}-Event is missing or malformed.")
        payload = read.parse(body)
        action = read.word(payload.get("action"))
        calls = _calls(kind, action, payload, now)
        repository = read.text(payload, "repository", "full_name") if calls else ""
        return WebhookEvent(_identity(delivery, calls), kind, action, repository, calls)

    def _header(self, headers: Headers, part: str) -> str:
        return next((value for name in self._names if (value := headers.get(f"X-{name}-{part}", ""))), "")

    def _verify(self, signature: str, body: bytes) -> None:
        """Check the bare hex HMAC-SHA256 of the raw body in constant time against each secret."""
        name = f"X-{self._names[0]}-Signature"
        if not signature:
            raise WebhookError(401, "missing-signature", f"{name} is missing; set a secret on the webhook.")
        if not _SIGNATURE.fullmatch(signature):
            raise WebhookError(401, "malformed-signature", f"{name} must be 64 hexadecimal digits.")
        right = [hmac.digest(secret.reveal().encode(), body, hashlib.sha256).hex() for secret in self._secrets]
        held = [hmac.compare_digest(one, signature) for one in right]
        if not any(held):
            raise WebhookError(401, "wrong-signature", "The signature does not match; the webhook and the service hold different secrets.")


def _identity(delivery: str, calls: tuple[Call, ...]) -> str:
    """A command has an effect, and no header is signed: it is known by its comment, which is."""
    return next((f"comment-{call.comment}" for call in calls if isinstance(call, Command)), delivery)


def _calls(kind: str, action: str, payload: Mapping[str, Any], now: float) -> tuple[Call, ...]:
    if kind == "push":
        return read.moved(payload)
    if kind == "issue_comment":
        return _command(action, payload, now)
    wanted = kind in _REVIEWS or (kind == "pull_request" and (action in _ACTIONS or (action == "edited" and _matters(payload))))
    return (Look(read.number(payload, "pull_request", "number")),) if wanted else ()


def _matters(payload: Mapping[str, Any]) -> bool:
    """Whether an edit chose another base branch, which Gitea calls the ref, or made or ended a draft by the title."""
    changes = read.part(payload, "changes")
    before, after = read.part(changes, "title").get("from"), read.part(payload, "pull_request").get("title")
    return "ref" in changes or (before is not None and is_draft_title(before) != is_draft_title(after))


def _command(action: str, payload: Mapping[str, Any], now: float) -> tuple[Call, ...]:
    comment = read.part(payload, "comment")
    said, issue = comment.get("body"), read.part(payload, "issue")
    pull = payload.get("is_pull") is True or isinstance(issue.get("pull_request"), dict)
    if action != "created" or not pull or not isinstance(said, str) or not read.is_command(said):
        return ()
    user = read.part(comment, "user")
    number = user.get("id")
    # Nobody is behind an account of the server's own.
    if (isinstance(number, int) and number < 1) or read.age(comment.get("created_at"), now) > _REDELIVERED:
        return ()
    author = Account(read.identifier(user, "id"), read.text(comment, "user", "login"))
    return (Command(read.number(payload, "issue", "number"), read.identifier(comment, "id"), author, said.strip()[: read.COMMAND_LIMIT]),)

"""Webhooks of GitLab: the signature or the token first, then the few fields that a review needs.

A secret that begins with `whsec_` is a signing token (GitLab 19.0 and later): the raw body, the id and the time of a delivery are signed.
Any other is a secret token, which GitLab sends along as it is. https://docs.gitlab.com/user/project/integrations/webhooks/

What kind of event it is, the body says: the header is not signed. Of a merge train, each merge request is reviewed, and again whenever its
target branch moves; the merge commits that the train itself builds and tests carry no status of ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from service.forges import payload as read
from service.forges.port import Account, Call, Command, Headers, Look, PipelineBegan, WebhookError, WebhookEvent
from service.secret import Secret
from service.settings.readers import SettingsError

SIGNING = "whsec_"
_TOLERANCE = 300.0  # seconds that a signed delivery may be off our clock
_KEY_LENGTH = 24  # bytes; what a signing key has at least
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v1,([A-Za-z0-9+/]{43}=)")
_SIGNATURES = 10
_ACTIONS = frozenset({"open", "reopen", "close", "merge", "approved", "unapproved", "approval", "unapproval"})
_CHANGES = frozenset({"draft", "target_branch"})
# Accounts that GitLab makes for project and group access tokens: nobody is behind them.
_BOT = re.compile(r"(?:project|group)_[0-9]+_bot(?:[0-9]*|_[0-9a-z]+)")


class GitLabReceiver:
    """Reads deliveries of one GitLab."""

    def __init__(self, secrets: tuple[Secret, ...], variable: str = "") -> None:
        """Raises `SettingsError`, which names the variable, for a signing token that holds no key: anyone could sign with an empty one."""
        self._keys = tuple(_key(secret, variable) for secret in secrets if secret.reveal().startswith(SIGNING))
        self._tokens = tuple(secret for secret in secrets if secret and not secret.reveal().startswith(SIGNING))

    def receive(self, headers: Headers, body: bytes, now: float) -> WebhookEvent:
        """The event of a delivery; see `Receiver`."""
        read.bounded(body)
        delivery = self._verified(headers, body, now)
        payload = read.parse(body)
        kind = read.word(payload.get("object_kind"))
        if not kind:
            raise WebhookError(400, "missing-event", "The body has no usable object_kind.")
        about = read.part(payload, "object_attributes")
        action = read.word(about.get("action"))
        calls = _calls(kind, action, about, payload)
        repository = read.text(payload, "project", "path_with_namespace") if calls else ""
        return WebhookEvent(_identity(delivery, calls), kind, action, repository, calls)

    def _verified(self, headers: Headers, body: bytes, now: float) -> str:
        """The id of a delivery that is genuine."""
        signature, token = headers.get("webhook-signature", ""), headers.get("X-Gitlab-Token", "")
        if signature and self._keys:
            return self._signed(headers, signature, body, now)
        if token and self._tokens:
            held = [hmac.compare_digest(known.reveal().encode(), token.encode()) for known in self._tokens]
            if not any(held):
                raise WebhookError(401, "wrong-token", "X-Gitlab-Token does not match; the webhook and the service hold different secrets.")
            return _unsigned_id(headers, body)
        wanted = " or ".join(name for name, use in (("webhook-signature", self._keys), ("X-Gitlab-Token", self._tokens)) if use)
        raise WebhookError(401, "missing-signature", f"{wanted or 'A secret'} is missing; set the service's secret on the webhook.")

    def _signed(self, headers: Headers, signature: str, body: bytes, now: float) -> str:
        delivery, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not _ID.fullmatch(delivery) or not _TIMESTAMP.fullmatch(sent):
            raise WebhookError(401, "malformed-signature", "webhook-id or webhook-timestamp is missing or malformed.")
        given = [match[1] for entry in signature.split(" ")[:_SIGNATURES] if (match := _SIGNATURE.fullmatch(entry))]
        if not given:
            raise WebhookError(401, "malformed-signature", "webhook-signature must hold v1, and a Base64 HMAC-SHA256.")
        content = f"{delivery}.{sent}.".encode() + body
        right = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in self._keys]
        held = [hmac.compare_digest(one, other) for one in right for other in given]
        if not any(held):
            raise WebhookError(401, "wrong-signature", "The signature does not match; the webhook and the service hold different secrets.")
        if abs(now - int(sent)) > _TOLERANCE:
            raise WebhookError(401, "stale-signature", "The delivery was signed more than five minutes ago, or by a clock that is off.")
        return delivery


def _key(secret: Secret, variable: str) -> bytes:
    try:
        key = base64.b64decode(secret.reveal().removeprefix(SIGNING), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < _KEY_LENGTH:
        raise SettingsError(f"{variable}WEBHOOK_SECRET: a signing token is whsec_ and the Base64 of at least 24 bytes, as GitLab shows it")
    return key


def _unsigned_id(headers: Headers, body: bytes) -> str:
    """The same for a delivery that is sent again. Hooks that a hook set off share the UUID, so the body tells them apart."""
    key, event = headers.get("Idempotency-Key", ""), headers.get("X-Gitlab-Event-UUID", "")
    if _ID.fullmatch(key):
        return key
    if _ID.fullmatch(event):
        return f"{event}:{hashlib.sha256(body).hexdigest()}"
    raise WebhookError(400, "missing-delivery", "Idempotency-Key and X-Gitlab-Event-UUID are missing or malformed.")


def _identity(delivery: str, calls: tuple[Call, ...]) -> str:
    """A command has an effect, so it is known by its note: no header makes it new. A pipeline tells of every step that it takes, also those
    that our own status makes it take, and is heard once."""
    for call in calls:
        if isinstance(call, Command):
            return f"note-{call.comment}"
        if isinstance(call, PipelineBegan):
            return f"pipeline-{call.pipeline}"
    return delivery


def _calls(kind: str, action: str, about: Mapping[str, Any], payload: Mapping[str, Any]) -> tuple[Call, ...]:
    if kind == "merge_request":
        wanted = action in _ACTIONS or (action == "update" and _matters(about, payload))
        return (Look(read.number(payload, "object_attributes", "iid")),) if wanted else ()
    if kind == "push":
        return read.moved(payload)
    if kind == "pipeline":
        return _pipeline(about)
    return _command(action, about, payload) if kind == "note" else ()


def _pipeline(about: Mapping[str, Any]) -> tuple[Call, ...]:
    """A pipeline of GitLab's own; an external one was made of statuses such as ours."""
    sha = about.get("sha")
    if about.get("source") == "external" or not isinstance(sha, str) or not _COMMIT.fullmatch(sha):
        return ()
    return (PipelineBegan(read.identifier(about, "id"), sha),)


def _matters(about: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    """Whether an update has other commits (only then there is an oldrev), or changes what is compared or whether it is reviewed."""
    return isinstance(about.get("oldrev"), str) or not _CHANGES.isdisjoint(read.part(payload, "changes"))


def _command(action: str, about: Mapping[str, Any], payload: Mapping[str, Any]) -> tuple[Call, ...]:
    said = about.get("note")
    # Before 16.11 there was no action, and no event when a note was edited.
    fresh = action == "create" or "action" not in about
    written = about.get("noteable_type") == "MergeRequest" and about.get("system") is False
    if not fresh or not written or not isinstance(said, str) or not read.is_command(said):
        return ()
    user = read.part(payload, "user")
    author = read.identifier(user, "id")
    if author != read.identifier(about, "author_id"):
        return ()
    name = read.text(payload, "user", "username")
    if _BOT.fullmatch(name):
        return ()
    number, comment = read.number(payload, "merge_request", "iid"), read.identifier(about, "id")
    return (Command(number, comment, Account(author, name), said.strip()[: read.COMMAND_LIMIT]),)

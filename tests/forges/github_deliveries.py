"""Webhooks as GitHub sends them: the fields that are read, a few around them, and the signature."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from service.forges.port import Account
from service.secret import Secret
from tests.forges.contract import BASE, HEAD, QUEUE_REF, Delivery, Happening
from tests.forges.github_app import written

_ACTIONS = {
    Happening.OPENED: "opened",
    Happening.REOPENED: "reopened",
    Happening.PUSHED: "synchronize",
    Happening.READY: "ready_for_review",
    Happening.CLOSED: "closed",
    Happening.RETARGETED: "edited",
    Happening.RETITLED: "edited",
}
_REVIEWS = {Happening.REVIEWED: "submitted", Happening.DISMISSED: "dismissed"}
_COMMENTS = {
    Happening.COMMENTED: "created",
    Happening.ISSUE_COMMENTED: "created",
    Happening.COMMENT_EDITED: "edited",
    Happening.COMMENT_DELETED: "deleted",
}
_PUSHES = (Happening.BRANCH_MOVED, Happening.BRANCH_DELETED, Happening.TAGGED)


def signature(body: bytes, secret: Secret, algorithm: str = "sha256") -> str:
    """The value of `X-Hub-Signature-256`."""
    return f"{algorithm}={hmac.new(secret.reveal().encode(), body, algorithm).hexdigest()}"


def signed(kind: str, payload: Mapping[str, Any] | bytes, *, name: str, secret: Secret) -> Delivery:
    """A delivery of an event."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"X-GitHub-Event": kind, "X-GitHub-Delivery": name, "X-Hub-Signature-256": signature(body, secret)}
    return Delivery({"Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/044aadd", **headers}, body)


def of_pull(repository: str, action: str, number: int, **more: Any) -> dict[str, Any]:
    """An event about a pull request."""
    pull = {"number": number, "head": {"sha": HEAD}, "base": {"ref": "main"}}
    return {"action": action, "number": number, "pull_request": pull, "repository": {"full_name": repository, "id": 1}, **more}


def of_comment(repository: str, action: str, number: int, comment: str, author: Account, text: str, now: float) -> dict[str, Any]:
    """An event about a comment on a pull request."""
    user = {"login": author.name, "id": int(author.id), "type": "Bot" if author.bot else "User"}
    issue = {"number": number, "pull_request": {"url": f"https://api.github.example/repos/{repository}/pulls/{number}"}}
    said = {"id": int(comment), "user": user, "body": text, "created_at": written(now)}
    return {"action": action, "issue": issue, "comment": said, "repository": {"full_name": repository, "id": 1}}


def of_push(repository: str, ref: str, *, deleted: bool = False) -> dict[str, Any]:
    """A push."""
    return {"ref": ref, "before": BASE, "after": "0" * 40 if deleted else HEAD, "deleted": deleted, "repository": {"full_name": repository}}


def payload(
    repository: str, happening: Happening, *, number: int, author: Account, comment: str, text: str, ref: str, now: float
) -> tuple[str, dict[str, Any]]:
    """The kind of event that tells of a happening, and its body."""
    here = {"repository": {"full_name": repository, "id": 1}}
    if happening in _ACTIONS:
        changes = {Happening.RETARGETED: {"base": {"ref": {"from": "old"}}}, Happening.RETITLED: {"title": {"from": "old"}}}.get(happening)
        return "pull_request", of_pull(repository, _ACTIONS[happening], number, updated_at=written(now), changes=changes or {})
    if happening in _REVIEWS:
        return "pull_request_review", of_pull(repository, _REVIEWS[happening], number, review={"state": "approved"})
    if happening in _COMMENTS:
        body = of_comment(repository, _COMMENTS[happening], number, comment, author, text, now)
        issue = {"issue": {"number": number}} if happening is Happening.ISSUE_COMMENTED else {}
        return "issue_comment", {**body, **issue}
    if happening in _PUSHES:
        name = "refs/tags/v1" if happening is Happening.TAGGED else ref
        return "push", of_push(repository, name, deleted=happening is Happening.BRANCH_DELETED)
    if happening is Happening.QUEUED:
        group = {"head_sha": HEAD, "head_ref": QUEUE_REF, "base_sha": BASE, "base_ref": "refs/heads/main"}
        return "merge_group", {"action": "checks_requested", "merge_group": group, **here}
    if happening is Happening.RERUN:
        return "check_run", {"action": "rerequested", "check_run": {"id": 1, "external_id": str(number), "pull_requests": []}, **here}
    if happening is Happening.PRESSED:
        run = {"id": 1, "external_id": str(number), "head_sha": HEAD, "pull_requests": []}
        sender = {"login": author.name, "id": int(author.id), "type": "Bot" if author.bot else "User"}
        pressed = {"requested_action": {"identifier": text}, "sender": sender}
        return "check_run", {"action": "requested_action", "check_run": run, **pressed, **here}
    return "ping", {"zen": "Keep it logically awesome.", "hook_id": 1}

"""Webhooks as Gitea and Forgejo send them: the fields of their documentation, https://docs.gitea.com/usage/webhooks"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from service.forges.port import Account

ZERO = "0" * 40
WRITTEN = "2023-11-14T22:13:20Z"  # 1,700,000,000 seconds since 1970


def pull_request(path: str, number: int, action: str, *, user: Account, title: str = "A change", **more: Any) -> bytes:
    """A pull_request event; an edit has `changes`, a review `review`."""
    known = {"action": action, "number": number, "pull_request": _pull(path, number, title), "requested_reviewer": None}
    return _body(path, user, **known, commit_id="", review=more.pop("review", None), **more)


def comment(path: str, number: int, action: str, text: str, *, user: Account, id: int, is_pull: bool = True) -> bytes:
    """An issue_comment event."""
    issue: dict[str, Any] = {"id": 12, "number": number, "user": _user(user), "title": "A change", "body": "", "state": "open"}
    issue["pull_request"] = {"merged": False, "merged_at": None} if is_pull else None
    said = {
        "id": id,
        "user": _user(user),
        "body": text,
        "html_url": "",
        "pull_request_url": "",
        "issue_url": "",
        "created_at": WRITTEN,
        "updated_at": WRITTEN,
    }
    return _body(path, user, action=action, issue=issue, comment=said, is_pull=is_pull)


def push(path: str, ref: str, after: str, *, user: Account) -> bytes:
    """A push event."""
    known = {
        "ref": ref,
        "before": "28e1879d029cb852e4844d9c718537df08844e03",
        "after": after,
        "compare_url": "",
        "commits": [],
        "total_commits": 0,
    }
    return _body(path, user, **known, head_commit=None, pusher=_user(user))


def gitea_headers(event: str, delivery: str, secret: str, body: bytes) -> dict[str, str]:
    """The headers that Gitea sends, those of GitHub that it sends too included."""
    return {
        "Content-Type": "application/json",
        **_family("Gitea", event, delivery, secret, body),
        **_family("Gogs", event, delivery, secret, body),
        "X-Hub-Signature-256": f"sha256={signature(secret, body)}",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
    }


def forgejo_headers(event: str, delivery: str, secret: str, body: bytes) -> dict[str, str]:
    """The headers that Forgejo sends: its own, and those of Gitea."""
    return {**gitea_headers(event, delivery, secret, body), **_family("Forgejo", event, delivery, secret, body)}


def signature(secret: str, body: bytes) -> str:
    """The bare hex HMAC-SHA256."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _family(name: str, event: str, delivery: str, secret: str, body: bytes) -> dict[str, str]:
    known = {"Event": event, "Event-Type": event, "Delivery": delivery, "Signature": signature(secret, body)}
    return {f"X-{name}-{part}": value for part, value in known.items()}


def _body(path: str, user: Account, **more: Any) -> bytes:
    return json.dumps({**more, "repository": _repository(path), "sender": _user(user)}, indent=2).encode()


def _user(account: Account) -> dict[str, Any]:
    return {"id": int(account.id), "login": account.name, "full_name": "", "email": "", "avatar_url": "", "username": account.name}


def _repository(path: str) -> dict[str, Any]:
    page = f"https://gitea.example/{path}"
    known = {"id": 77, "name": path.split("/")[1], "full_name": path, "private": True, "fork": False, "default_branch": "main"}
    return {**known, "owner": {"id": 9, "login": path.split("/")[0]}, "html_url": page, "clone_url": f"{page}.git", "ssh_url": ""}


def _pull(path: str, number: int, title: str) -> dict[str, Any]:
    end = {"label": "main", "ref": "main", "sha": "b" * 40, "repo_id": 77, "repo": _repository(path)}
    known = {"id": number + 5_000, "number": number, "title": title, "body": "", "state": "open", "merged": False, "mergeable": True}
    return {**known, "user": {"id": 501, "login": "alice"}, "base": end, "head": {**end, "label": "change", "ref": "change"}}

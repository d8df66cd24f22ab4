"""Webhooks as GitLab sends them: the fields of its documentation, https://docs.gitlab.com/user/project/integrations/webhook_events/"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from service.forges.port import Account

PROJECT, OTHER_PROJECT = 77, 78
ZERO = "0" * 40


def merge_request(path: str, iid: int, action: str, *, user: Account, oldrev: str = "", changes: dict[str, Any] | None = None) -> bytes:
    """A Merge Request Hook. `oldrev` is there only where commits were pushed."""
    about = {
        **_merge(path, iid),
        "action": action,
        "first_contribution": True,
        "total_time_spent": 0,
        "url": f"https://gitlab.example/{path}/-/merge_requests/{iid}",
        **({"oldrev": oldrev} if oldrev else {}),
    }
    return _body("merge_request", path, user, object_attributes=about, labels=[], changes=changes or {}, assignees=[], reviewers=[])


def note(
    path: str,
    iid: int,
    text: str,
    *,
    user: Account,
    number: int,
    action: str | None = "create",
    on: str = "MergeRequest",
    system: bool = False,
) -> bytes:
    """A Note Hook. `action` None is GitLab before 16.11."""
    about = {
        "id": number,
        "note": text,
        "noteable_type": on,
        "author_id": int(user.id),
        "created_at": "2015-05-17 18:21:36 UTC",
        "updated_at": "2015-05-17 18:21:36 UTC",
        "project_id": PROJECT,
        "attachment": None,
        "line_code": None,
        "commit_id": "",
        "noteable_id": iid + 5_000,
        "system": system,
        "st_diff": None,
        "url": f"https://gitlab.example/{path}/-/merge_requests/{iid}#note_{number}",
        **({} if action is None else {"action": action}),
    }
    target = (
        {"merge_request": _merge(path, iid)}
        if on == "MergeRequest"
        else {"issue": {"id": 92, "iid": iid, "title": "test", "state": "opened"}}
    )
    return _body("note", path, user, project_id=PROJECT, object_attributes=about, **target)


def push(path: str, ref: str, after: str, *, user: Account, kind: str = "push") -> bytes:
    """A Push Hook or a Tag Push Hook."""
    known = {
        "object_kind": kind,
        "event_name": kind,
        "before": "95790bf891e76fee5e1747ab589903a6a1f80f22",
        "after": after,
        "ref": ref,
        "ref_protected": True,
        "checkout_sha": None if after == ZERO else after,
        "user_id": int(user.id),
        "user_username": user.name,
        "project_id": PROJECT,
        "project": _project(path),
        "repository": _repository(path),
        "commits": [],
        "total_commits_count": 0,
    }
    return json.dumps(known).encode()


def pipeline(path: str, number: int, sha: str, *, user: Account, source: str = "merge_request_event", status: str = "pending") -> bytes:
    """A Pipeline Hook."""
    about = {
        "id": number,
        "iid": 3,
        "ref": "change",
        "tag": False,
        "sha": sha,
        "before_sha": ZERO,
        "source": source,
        "status": status,
        "detailed_status": status,
        "stages": ["test"],
        "created_at": "2016-08-12 15:23:28 UTC",
        "finished_at": None,
        "duration": None,
    }
    return _body("pipeline", path, user, object_attributes=about, merge_request=None, commit={"id": sha}, builds=[])


def token_headers(event: str, key: str, token: str) -> dict[str, str]:
    """The headers of a delivery with a secret token."""
    return {**_headers(event, key), "X-Gitlab-Token": token}


def signed_headers(event: str, key: str, secret: str, body: bytes, sent: int) -> dict[str, str]:
    """The headers of a delivery that is signed with a signing token."""
    return {
        **_headers(event, key),
        "webhook-id": key,
        "webhook-timestamp": str(sent),
        "webhook-signature": signature(secret, key, sent, body),
    }


def signature(secret: str, key: str, sent: int, body: bytes) -> str:
    """One entry of webhook-signature."""
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), f"{key}.{sent}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _headers(event: str, key: str) -> dict[str, str]:
    return {
        "User-Agent": "GitLab/19.0.0",
        "Idempotency-Key": key,
        "X-Gitlab-Event": event,
        "X-Gitlab-Webhook-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e",
        "X-Gitlab-Event-UUID": f"event-of-{key}",
        "X-Gitlab-Instance": "https://gitlab.example",
        "Content-Type": "application/json",
    }


def _body(kind: str, path: str, user: Account, **more: Any) -> bytes:
    who = {"id": int(user.id), "name": user.name, "username": user.name, "avatar_url": None, "email": "[REDACTED]"}
    known = {"object_kind": kind, "event_type": kind, "user": who, "project": _project(path), "repository": _repository(path)}
    return json.dumps({**known, **more}).encode()


def _merge(path: str, iid: int) -> dict[str, Any]:
    return {
        "id": iid + 5_000,
        "iid": iid,
        "target_branch": "main",
        "source_branch": "change",
        "source_project_id": PROJECT,
        "target_project_id": PROJECT,
        "author_id": 501,
        "assignee_ids": [],
        "reviewer_ids": [],
        "title": "A change",
        "description": "",
        "created_at": "2013-12-03T17:23:34Z",
        "updated_at": "2013-12-03T17:23:34Z",
        "state": "opened",
        "draft": False,
        "work_in_progress": False,
        "merge_status": "unchecked",
        "detailed_merge_status": "mergeable",
        "source": _project(path),
        "target": _project(path),
        "last_commit": {"id": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "message": "fixed readme", "title": "fixed readme"},
        "labels": [],
    }


def _project(path: str) -> dict[str, Any]:
    page = f"https://gitlab.example/{path}"
    places = {"web_url": page, "homepage": page, "git_http_url": f"{page}.git", "git_ssh_url": f"git@gitlab.example:{path}.git"}
    known = {"id": PROJECT, "name": path.rsplit("/", 1)[-1], "path_with_namespace": path, "default_branch": "main", "visibility_level": 0}
    return {**known, **places, "namespace": path.split("/")[0], "description": "", "avatar_url": None}


def _repository(path: str) -> dict[str, Any]:
    page = f"https://gitlab.example/{path}"
    return {"name": path.rsplit("/", 1)[-1], "url": f"git@gitlab.example:{path}.git", "description": "", "homepage": page}

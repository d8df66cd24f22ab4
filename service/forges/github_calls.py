"""What each event of GitHub calls for: one reader for each kind. A payload is GitHub's; the texts in it are anyone's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from service.forges.git_names import is_branch_ref
from service.forges.payload import age, identifier, is_command, moved, number, part, text
from service.forges.port import Account, Call, Command, Look, Pressed, Queued, WebhookError

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ACTION = re.compile(r"[A-Za-z0-9:_-]{1,20}")
_QUEUE = "refs/heads/gh-readonly-queue/"
_QUEUED_PULL = re.compile(re.escape(_QUEUE) + r".+/pr-([1-9][0-9]{0,8})-[0-9a-f]{40,64}")
# GitHub sends a delivery again on request for three days; a command that is older is a replay.
_REDELIVERED = 3 * 86_400.0
# `closed` calls for a look too: what is still queued or running for the pull request has become pointless.
_ACTIONS = frozenset({"opened", "reopened", "synchronize", "ready_for_review", "closed"})

Payload = Mapping[str, Any]
Reader = Callable[[Payload, str, float], tuple[Call, ...]]


def _pull_request(payload: Payload, action: str, _now: float) -> tuple[Call, ...]:
    look = Look(number(payload, "pull_request", "number"))
    retargeted = action == "edited" and "base" in part(payload, "changes")
    return (look,) if action in _ACTIONS or retargeted else ()


def _review(payload: Payload, action: str, _now: float) -> tuple[Call, ...]:
    look = Look(number(payload, "pull_request", "number"))
    return (look,) if action in ("submitted", "dismissed") else ()


def _comment(payload: Payload, action: str, now: float) -> tuple[Call, ...]:
    """A new comment on a pull request that speaks to us. One that is edited was not said like this, one that is deleted is answered."""
    pull = number(payload, "issue", "number")
    comment = part(payload, "comment")
    user, said = part(comment, "user"), comment.get("body")
    if action != "created" or not part(payload, "issue").get("pull_request") or not isinstance(said, str) or not is_command(said):
        return ()
    if user.get("type") == "Bot" or age(comment.get("created_at"), now) > _REDELIVERED:
        return ()
    return (Command(pull, identifier(comment, "id"), Account(identifier(user, "id"), text(comment, "user", "login")), said.strip()),)


def _check_run(payload: Payload, action: str, _now: float) -> tuple[Call, ...]:
    """The button to run a check again, and the buttons that we put there."""
    if action not in ("rerequested", "requested_action"):
        return ()
    run = part(payload, "check_run")
    looks = _subject(run) or _pulls(payload, run)
    return _pressed(payload, run, looks) or looks if action == "requested_action" else looks


def _subject(run: Payload) -> tuple[Look, ...]:
    """Our runs carry the pull request's number; one from a fork has no other way to tell."""
    subject = run.get("external_id")
    return (Look(int(subject)),) if isinstance(subject, str) and re.fullmatch(r"[1-9][0-9]{0,8}", subject) else ()


def _pressed(payload: Payload, run: Payload, looks: tuple[Look, ...]) -> tuple[Call, ...]:
    """A button of ours. The commit can be in several pull requests; which one was meant must be plain."""
    pressed, head = part(payload, "requested_action").get("identifier"), run.get("head_sha")
    if len(looks) != 1 or not isinstance(pressed, str) or not _ACTION.fullmatch(pressed):
        return ()
    if not isinstance(head, str) or not _COMMIT.fullmatch(head):
        raise WebhookError(400, "missing-field", "The body has no usable check_run.head_sha.")
    sender = part(payload, "sender")
    account = Account(identifier(sender, "id"), text(payload, "sender", "login"), sender.get("type") == "Bot")
    return (Pressed(looks[0].number, account, pressed, head),)


def _check_suite(payload: Payload, action: str, _now: float) -> tuple[Call, ...]:
    return _pulls(payload, part(payload, "check_suite")) if action == "rerequested" else ()


def _merge_group(payload: Payload, action: str, _now: float) -> tuple[Call, ...]:
    if action != "checks_requested":
        return ()
    ref, base, head = (text(payload, "merge_group", name) for name in ("head_ref", "base_sha", "head_sha"))
    if not is_branch_ref(ref) or not _COMMIT.fullmatch(base) or not _COMMIT.fullmatch(head):
        raise WebhookError(400, "missing-field", "The merge group names a branch or a commit that git would not take.")
    pull = _QUEUED_PULL.fullmatch(ref)
    return (Queued(base, head, ref, int(pull[1]) if pull else None),)


def _push(payload: Payload, _action: str, _now: float) -> tuple[Call, ...]:
    """A branch with a new tip; those of the merge queue come and go and are nobody's base."""
    return () if str(payload.get("ref")).startswith(_QUEUE) else moved(payload)


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "pull_request": _pull_request,
        "pull_request_review": _review,
        "issue_comment": _comment,
        "check_run": _check_run,
        "check_suite": _check_suite,
        "merge_group": _merge_group,
        "push": _push,
    }
)
"""The events that can call for something. Any other, `ping` among them, is taken and calls for nothing."""


def _pulls(payload: Payload, holder: Payload) -> tuple[Look, ...]:
    """The pull requests of a check. A commit can be in those of other repositories too, whose numbers mean nothing here."""
    listed = holder.get("pull_requests")
    pulls = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    here = (None, part(payload, "repository").get("id"))
    own = [{"pull_requests": pull} for pull in pulls if part(part(pull, "base"), "repo").get("id") in here]
    return tuple(Look(each) for each in dict.fromkeys(number(pull, "pull_requests", "number") for pull in own))

"""The body of a webhook, read tolerantly: only the fields that are needed, and a clear error for what is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service.forges.git_names import is_branch_ref
from service.forges.port import BaseMoved, Call, WebhookError

_COMMAND = re.compile(r"\s*/flowdelta(?=\s|$)")
LARGEST = 25_000_000
"""Bytes of the largest delivery that is read."""
COMMAND_LIMIT = 4_000
"""Characters of a command that are kept."""
_NUMBERS = 2**31
_IDS = 2**63


def bounded(body: bytes) -> None:
    """Refuse a body that is too large, before anything is computed from it. Raises `WebhookError`."""
    if len(body) > LARGEST:
        raise WebhookError(413, "too-large", f"The body has more than {LARGEST} bytes.")


def parse(body: bytes) -> Mapping[str, Any]:
    """The object that a body holds. Raises `WebhookError`."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookError(400, "malformed-body", "The body is not JSON; set the webhook's content type to application/json.") from None
    if not isinstance(payload, dict):
        raise WebhookError(400, "malformed-body", "The body is not a JSON object.")
    return payload


def part(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of a field; empty where it is something else."""
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def word(value: object) -> str:
    """A kind or an action; empty where it is something else."""
    return value if isinstance(value, str) and re.fullmatch(r"[a-z_]{1,40}", value) else ""


def text(payload: Mapping[str, Any], outer: str, inner: str) -> str:
    """A text that must be there. Raises `WebhookError`."""
    value = part(payload, outer).get(inner)
    if not isinstance(value, str) or not value:
        raise _missing(f"{outer}.{inner}")
    return value


def number(payload: Mapping[str, Any], outer: str, inner: str) -> int:
    """The number of a pull request. Raises `WebhookError`."""
    return _whole(part(payload, outer).get(inner), _NUMBERS, f"{outer}.{inner}")


def identifier(holder: Mapping[str, Any], name: str) -> str:
    """The forge's own id of something. Raises `WebhookError`."""
    return str(_whole(holder.get(name), _IDS, name))


def is_command(comment: str) -> bool:
    """Whether a comment speaks to Flowdelta."""
    return _COMMAND.match(comment) is not None


def age(created: object, now: float) -> float:
    """Seconds from a time as JSON writes it until `now`; 0 where it is not told."""
    told = moment(created)
    return 0.0 if told is None else now - told


def moment(written: object) -> float | None:
    """Seconds since 1970 of a time as JSON writes it; None where it is not told."""
    try:
        return datetime.fromisoformat(written).timestamp() if isinstance(written, str) else None
    except ValueError:
        return None


def moved(payload: Mapping[str, Any]) -> tuple[Call, ...]:
    """What a push calls for: nothing, where it deletes a branch or is about something else."""
    ref, after = payload.get("ref"), payload.get("after")
    gone = not isinstance(after, str) or not after.strip("0")
    return (BaseMoved(str(ref)),) if is_branch_ref(ref) and not gone else ()


def _whole(value: object, end: int, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < end:
        raise _missing(field)
    return value


def _missing(field: str) -> WebhookError:
    return WebhookError(400, "missing-field", f"The body has no usable {field}.")

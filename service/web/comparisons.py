"""From the body of an API request to what is to be compared. Unknown fields are refused: a typo must not change the question."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Request

from service.analysis.job import ArchiveComparison, ArchiveSide, GitComparison, GitSide, Merging
from service.web.problems import Problem
from service.web.revisions import Revisions

_SIDES = ("base", "head")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for; `host_network` is empty where it leaves that to the settings."""

    comparison: GitComparison | ArchiveComparison
    host_network: str


def revisions(request: Request, known: Revisions) -> Asked:
    """Two revisions: `{"repository", "base", "head", "merge"?, "path"?, "host_network"?}`. Fetches them."""
    body = _object(request.get_data(cache=False))
    _refuse_unknown(body, ("repository", *_SIDES, "merge", "path", "host_network"))
    repository, base, head = (_text(body, name) for name in ("repository", *_SIDES))
    folder = _text(body, "path", "")
    merge = body.get("merge", False)
    if not isinstance(merge, bool):
        raise Problem(400, "invalid-field", "merge must be true or false.")
    mode = _host_network(_text(body, "host_network", ""))
    where = known.fetch(repository, base, head)
    comparison = GitComparison(
        base=GitSide(base, where.base, folder),
        head=GitSide(head, where.head, folder),
        root=where.root,
        url=where.url,
        allow_file=where.allow_file,
        merging=Merging.REQUIRED if merge else Merging.NO,
        browse=where.browse,
    )
    return Asked(comparison, mode)


def archives(request: Request, directory: Path) -> Asked:
    """Two archives, tar or zip, as the files `base` and `head` of a form, which may also say `host_network`."""
    _refuse_unknown(request.form, ("host_network",))
    _refuse_unknown(request.files, _SIDES)
    for name in _SIDES:
        if len(request.files.getlist(name)) != 1:
            raise Problem(400, "invalid-field", f"The form must hold one file named {name}.")
        request.files[name].save(directory / f"{name}.archive")
    base, head = (ArchiveSide(name, str(directory / f"{name}.archive")) for name in _SIDES)
    return Asked(ArchiveComparison(base, head), _host_network(request.form.get("host_network", "")))


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem(400, "malformed-body", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Problem(400, "malformed-body", "The body must be a JSON object.")
    return body


def _refuse_unknown(given: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Problem(400, "unknown-field", f"There is no field {unknown[0][:40]!r}; known are {', '.join(known)}.")


def _text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if value is None:
        raise Problem(400, "missing-field", f"{name} is missing.")
    if not isinstance(value, str) or len(value) > 1_000:
        raise Problem(400, "invalid-field", f"{name} must be a string of at most 1000 characters.")
    return value


def _host_network(value: str) -> str:
    if value not in ("", "node", "pod"):
        raise Problem(400, "invalid-field", "host_network must be node or pod.")
    return value

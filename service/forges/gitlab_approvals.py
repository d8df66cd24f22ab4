"""Approvals on GitLab, and the commit that each was given for.

GitLab does not say which commit was approved, and keeps an approval when more is pushed unless the project is set otherwise. So the commit
is the head of the newest version of the merge request that was there when the approval was given; an older GitLab does not say when that
was, and then the commit is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gitlab.v4.objects import ProjectMergeRequest

from service.forges.git_names import commit_id
from service.forges.payload import moment
from service.forges.port import Account, GivenReview

Json = Mapping[str, Any]


def standing(merge: ProjectMergeRequest, account: Callable[[Json], Account]) -> tuple[GivenReview, ...]:
    """See `Forge.reviews`. GitLab drops an approval that is taken back, and has no other opinion."""
    given = merge.approvals.get().attributes["approved_by"]
    timed = any(each.get("approved_at") for each in given)
    versions = [version.attributes for version in merge.diffs.list(iterator=True)] if timed else []
    return tuple(_given(each, versions, account) for each in given)


def _given(approval: Json, versions: Sequence[Json], account: Callable[[Json], Account]) -> GivenReview:
    at = approval.get("approved_at") or ""
    return GivenReview(account(approval["user"]), approves=True, commit=_commit(approval, versions), id=at, given=moment(at))


def _commit(approval: Json, versions: Sequence[Json]) -> str:
    """A version is made after the push, so at worst an approval counts for the commit before the one that was looked at."""
    if not approval.get("approved_at"):
        return ""
    given = datetime.fromisoformat(approval["approved_at"])
    before = [version for version in versions if datetime.fromisoformat(version["created_at"]) <= given]
    newest = max(before, key=lambda version: int(version["id"]), default=None)
    return "" if newest is None else commit_id(newest["head_commit_sha"])

"""Reviews that people give on Gitea."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.forges.gitea_api import GiteaApi, account
from service.forges.payload import moment
from service.forges.port import GivenReview

# A comment is no opinion, and neither is being asked for one.
_OPINIONS = frozenset({"APPROVED", "REQUEST_CHANGES"})


def standing(api: GiteaApi, repository: str, number: int) -> tuple[GivenReview, ...]:
    """The last opinion of each account, unless it was dismissed. A review of a team has no account.

    Whether Gitea itself would count a review (`official`) is about its own rules; whether it is `stale`, the commit says.
    """
    last: dict[int, Mapping[str, Any]] = {}
    for review in sorted(api.pages(repository, f"pulls/{number}/reviews"), key=lambda review: int(review["id"])):
        if review["user"] is not None and review["state"] in _OPINIONS:
            last[int(review["user"]["id"])] = review
    standing = (review for review in last.values() if review.get("dismissed") is not True)
    return tuple(_given(each) for each in standing)


def _given(review: Mapping[str, Any]) -> GivenReview:
    approves, commit = review["state"] == "APPROVED", str(review["commit_id"] or "")
    return GivenReview(account(review["user"]), approves, commit, str(review["id"]), moment(review.get("submitted_at")))

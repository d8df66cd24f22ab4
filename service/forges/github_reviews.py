"""Reviews that people give on GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from github.Repository import Repository

from service.forges.github_pages import items
from service.forges.payload import moment
from service.forges.port import Account, GivenReview

# A comment is no opinion: it takes no approval back. A review that was dismissed hides what its author thought before.
_OPINIONS = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})


def standing(known: Repository, number: int) -> tuple[GivenReview, ...]:
    """The last opinion of each account, unless it was dismissed. GitHub lists reviews in the order in which they were given."""
    last: dict[int, Mapping[str, Any]] = {}
    for review in items(known.requester, f"{known.url}/pulls/{number}/reviews"):
        if review["user"] is not None and review["state"] in _OPINIONS:
            last[review["user"]["id"]] = review
    return tuple(_given(review) for review in last.values() if review["state"] != "DISMISSED")


def _given(review: Mapping[str, Any]) -> GivenReview:
    user = review["user"]
    account = Account(str(user["id"]), str(user["login"]), user["type"] == "Bot")
    given = moment(review.get("submitted_at"))
    return GivenReview(account, review["state"] == "APPROVED", review["commit_id"] or "", str(review["id"]), given)

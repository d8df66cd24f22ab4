"""Labels of a pull request on GitHub, which ignores case in them and makes a label that the repository has not."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from github.GithubException import GithubException
from github.Repository import Repository

from service.forges.github_errors import is_missing
from service.forges.github_pages import items


def put(known: Repository, number: int, present: Collection[str], absent: Collection[str]) -> None:
    """See `Forge.put_labels`."""
    place = f"{known.url}/issues/{number}/labels"
    shown = {label["name"].lower() for label in items(known.requester, place)}
    if missing := [name for name in present if name.lower() not in shown]:
        known.requester.requestJsonAndCheck("POST", place, input={"labels": missing})
    for name in absent:
        if name.lower() in shown:
            _remove(known, f"{place}/{quote(name, safe='')}")


def _remove(known: Repository, place: str) -> None:
    try:
        known.requester.requestJsonAndCheck("DELETE", place)
    except GithubException as error:
        if not is_missing(error):  # someone was faster
            raise

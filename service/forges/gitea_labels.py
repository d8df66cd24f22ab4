"""Labels of a pull request on Gitea, which knows them by ids: those of the repository, and those of its organisation."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from service.forges.connection import Refused
from service.forges.gitea_api import GiteaApi

_COLOUR = "#ededed"


def put(api: GiteaApi, repository: str, number: int, present: Collection[str], absent: Collection[str]) -> None:
    """See `Forge.put_labels`. Names may be there twice, so what is taken away is every label of a name."""
    place = f"issues/{number}/labels"
    shown = [(str(label["name"]), int(label["id"])) for label in api.pages(repository, place)]
    missing = [name for name in present if name not in dict(shown)]
    if missing:
        known = {str(label["name"]): int(label["id"]) for label in _labels(api, repository)}
        api.post(repository, place, {"labels": [known[name] if name in known else _made(api, repository, name) for name in missing]})
    for name, label in shown:
        if name in absent:
            _remove(api, repository, f"{place}/{label}")


def _labels(api: GiteaApi, repository: str) -> Iterator[Mapping[str, Any]]:
    """Labels of the organisation, and then the repository's own, which go before them."""
    try:
        yield from api.labels_of(repository.partition("/")[0])
    except Refused as refused:
        if refused.status != 404:  # the owner is a person
            raise
    yield from api.pages(repository, "labels")


def _made(api: GiteaApi, repository: str, name: str) -> int:
    return int(api.post(repository, "labels", {"name": name, "color": _COLOUR}).json()["id"])


def _remove(api: GiteaApi, repository: str, place: str) -> None:
    try:
        api.delete(repository, place)
    except Refused as refused:
        if refused.status != 404:  # someone was faster
            raise

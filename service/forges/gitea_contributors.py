"""Who had a hand in a pull request on Gitea: by its commits, whose emails it reads itself, and by the pushes since it was opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from service.forges.gitea_api import GiteaApi
from service.forges.port import Contributors, ForgeError
from service.forges.signers import Signer, co_authors, contributors

Json = Mapping[str, Any]


def find(api: GiteaApi, repository: str, number: int) -> Contributors:
    """See `Forge.contributors`."""
    head = api.get(repository, f"pulls/{number}")["head"]["sha"]
    commits = list(api.pages(repository, f"pulls/{number}/commits", verification="false", files="false"))
    # A pull request that holds nothing new has no commits.
    if commits and head not in {commit["sha"] for commit in commits}:
        raise ForgeError("Gitea does not list the head among the commits of the pull request yet", retry=True)
    pushes = (event for event in api.timeline(repository, number) if event["type"] == "pull_push" and event["user"] is not None)
    pushers = {str(int(event["user"]["id"])) for event in pushes}
    # The addresses that Gitea gives out hold a name, which can change hands, and no id.
    return contributors((signer for commit in commits for signer in _signers(commit)), pushers, lambda _: "")


def _signers(commit: Json) -> Iterator[Signer]:
    written = commit["commit"]
    for role in ("author", "committer"):
        names, user = written[role] or {}, commit[role] or {}
        yield Signer(str(names.get("email") or ""), str(names.get("name") or ""), str(user.get("id") or ""))
    yield from co_authors(str(written["message"]))

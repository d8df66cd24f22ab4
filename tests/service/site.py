"""A service around a stand-in forge and real git: what the tests of reviews, of the API and of the whole have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.forges import Connected, connect
from service.settings import Settings
from service.store import Store
from tests.forges.fixtures import TOKEN
from tests.forges.github_fake import GitHubFake, Pull
from tests.forges.origin import Origin, shop

SHOP, NUMBER = "acme/shop", 7
BASE, HEAD = "refs/heads/main", f"refs/pull/{NUMBER}/head"
WEBHOOK_SECRET = "webhook-secret-91c2"


def environment(data: Path, github: GitHubFake, origin: Origin, **more: str) -> dict[str, str]:
    """Settings of a service that serves acme/shop, impatient where it would wait for a person or a forge."""
    known = {
        "DATA_DIR": str(data),
        "GITHUB_REPOSITORIES": SHOP,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "GITHUB_API_URL": github.url,
        "GITHUB_GIT_URL": origin.url,
        "ALLOW_LOCAL_GIT": "true",
        "LISTEN_PORT": "0",
        "POLL_INTERVAL": "0.05",
        "RETRY_FIRST": "0.01",
        "RETRY_LONGEST": "0.05",
        "WRITE_INTERVAL": "0",
        "GRACE": "0",
        "LEASE": "1.5",
        "DEBOUNCE": "0.2",
        "RECONCILE_INTERVAL": "86400",
    }
    return {f"FLOWDELTA_{name}": value for name, value in (known | more).items()}


@dataclass(frozen=True)
class Site:
    """One repository with one pull request, on the forge and in git."""

    github: GitHubFake
    origin: Origin

    def open(self, base: dict[str, str], head: dict[str, str]) -> Pull:
        """Open the pull request: `head` was made from `base`."""
        base_commit = self.origin.commit(BASE, base)
        head_commit = self.origin.commit(HEAD, head, base_commit)
        pull = Pull(NUMBER, base="main", base_sha=base_commit, head_sha=head_commit)
        self.github.repository(SHOP).pulls[NUMBER] = pull
        self.github.repository(SHOP).branches["main"] = base_commit
        return pull

    def push(self, files: dict[str, str]) -> str:
        """A second push to the pull request."""
        pull = self.github.repository(SHOP).pulls[NUMBER]
        pull.head_sha = self.origin.commit(HEAD, files, pull.head_sha)
        return pull.head_sha

    def advance(self, files: dict[str, str]) -> str:
        """A commit on the base branch, made after the pull request was."""
        repository = self.github.repository(SHOP)
        repository.branches["main"] = self.origin.commit(BASE, files, repository.branches["main"])
        return repository.branches["main"]

    @property
    def pull(self) -> Pull:
        """The pull request."""
        return self.github.repository(SHOP).pulls[NUMBER]

    @property
    def comments(self) -> list[str]:
        """The comments on the pull request."""
        return [comment.body for comment in self.github.comments(SHOP, NUMBER)]

    @property
    def comment(self) -> str:
        """The one comment; anything else is an error."""
        (body,) = self.comments
        return body

    @property
    def states(self) -> list[str]:
        """The states that the commit of the head was given."""
        return [state for state, _ in self.github.statuses(SHOP, self.pull.head_sha)]

    @property
    def status(self) -> tuple[str, str]:
        """The last status of the commit of the head."""
        return self.github.statuses(SHOP, self.pull.head_sha)[-1]


def opened(github: GitHubFake, origin: Origin) -> Site:
    """The usual pull request: it lets web reach cart on another port."""
    site = Site(github, origin)
    site.open(shop(7070), shop(9090))
    return site


def parts(settings: Settings) -> tuple[Store, Mapping[str, Connected]]:
    """The database and the forges of the settings."""
    return Store.open(settings), connect(settings)


__all__ = ["NUMBER", "SHOP", "WEBHOOK_SECRET", "Site", "environment", "opened", "parts"]

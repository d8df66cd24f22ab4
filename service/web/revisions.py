"""Revisions that an API request names: a branch, a tag, a full ref or a commit of a served repository, fetched into its mirror."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.checkout import CheckoutError, Mirrors, resolve
from service.forges.port import Forge
from service.settings import Settings
from service.web.problems import Problem

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """Two commits and the mirror that holds them."""

    base: str
    head: str
    root: str
    url: str
    allow_file: bool
    browse: str


@dataclass(frozen=True, slots=True)
class Revisions:
    """Fetches what requests name."""

    settings: Settings
    forge: Forge
    mirrors: Mirrors

    def fetch(self, repository: str, base: str, head: str) -> Fetched:
        """The two commits. Raises `Problem` for a repository that is not served, and what git and the forge raise."""
        served = self.settings.repository(repository)
        if served is None:
            raise Problem(404, "unknown-repository", "The repository is not served here; add it to FLOWDELTA_REPOSITORIES.")
        url = self.forge.clone_url(served)
        base, head = (self._commit(url, served, name) for name in (base, head))
        return Fetched(base, head, str(self.mirrors.root), url, self.mirrors.allow_file, self.forge.browse_url(served))

    def _commit(self, url: str, repository: str, name: str) -> str:
        if _COMMIT.fullmatch(name):
            return self._by_id(url, repository, name)
        if name.startswith("refs/"):
            return self._fetch(url, name)
        try:
            return self._fetch(url, f"refs/heads/{name}")
        except CheckoutError as error:
            if error.reason != "unknown-ref":
                raise
        return self._fetch(url, f"refs/tags/{name}")

    def _by_id(self, url: str, repository: str, commit: str) -> str:
        """A commit by its id: in the mirror already, or below a ref that the forge connects with it."""
        for ref in ("", *self.forge.refs_near(repository, commit)):
            try:
                if ref:
                    self._fetch(url, ref)
                with self.mirrors.open(url) as mirror:
                    return resolve(mirror, commit)
            except CheckoutError as error:
                if error.reason not in ("unknown-ref", "unknown-revision", "not-a-repository"):
                    raise
        raise CheckoutError("unknown-revision", f"no branch or pull request of {repository} was found to hold {commit}")

    def _fetch(self, url: str, ref: str) -> str:
        return self.mirrors.fetch(url, (ref,), self.forge.credential)[ref]

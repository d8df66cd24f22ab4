"""Revisions that an API request names: a branch, a tag, a full ref or a commit of a served repository, fetched into its mirror."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from service.checkout import CheckoutError, resolve
from service.checkout.mirror import Mirrors
from service.forges import Connected
from service.web.problems import Problem

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Place:
    """A served repository, as the settings spell it, on its forge. `url` is built from the settings, never from a request."""

    known: Connected
    repository: str

    @property
    def url(self) -> str:
        """Where it is fetched from."""
        return self.known.forge.clone_url(self.repository)

    @property
    def source_url(self) -> str:
        """Where its lines are read."""
        return self.known.forge.source_url(self.repository)


@dataclass(frozen=True, slots=True)
class Revisions:
    """Fetches what requests name."""

    connected: Mapping[str, Connected]
    mirrors: Mirrors

    def place(self, forge: str | None, repository: str) -> Place:
        """The repository that a request means. Raises `Problem` where it is not served, or by more than one forge and none was named."""
        asked = [known for name, known in self.connected.items() if forge in (None, name)]
        found = [(known, served) for known in asked if (served := known.settings.repository(repository)) is not None]
        if not found:
            raise Problem(
                404, "unknown-repository", "The repository is not served here; FLOWDELTA_<NAME>_REPOSITORIES lists those that are."
            )
        if len(found) > 1:
            names = ", ".join(known.settings.name for known, _ in found)
            raise Problem(409, "ambiguous-repository", f"More than one forge serves it; say which as forge: {names}.")
        return Place(*found[0])

    def commit(self, place: Place, name: str) -> str:
        """The commit that is called so now. Raises what git and the forge raise."""
        if _COMMIT.fullmatch(name):
            return self._by_id(place, name)
        if name.startswith("refs/"):
            return self._fetch(place, name)
        try:
            return self._fetch(place, f"refs/heads/{name}")
        except CheckoutError as error:
            if error.reason != "unknown-ref":
                raise
        return self._fetch(place, f"refs/tags/{name}")

    def _by_id(self, place: Place, commit: str) -> str:
        """A commit by its id: in the mirror already, or below a ref that the forge connects with it."""
        for ref in ("", *place.known.forge.refs_near(place.repository, commit)):
            try:
                if ref:
                    self._fetch(place, ref)
                with self.mirrors.open(place.url) as mirror:
                    return resolve(mirror, commit)
            except CheckoutError as error:
                if error.reason not in ("unknown-ref", "unknown-revision", "not-a-repository"):
                    raise
        raise CheckoutError("unknown-revision", f"no branch or pull request of {place.repository} was found to hold {commit}")

    def _fetch(self, place: Place, ref: str) -> str:
        return self.mirrors.fetch(place.url, (ref,), place.known.forge.credential(place.repository))[ref]

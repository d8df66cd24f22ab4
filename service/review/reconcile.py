"""Reviews that nobody asked for: of pull requests whose base branch moved, and of those whose events got lost."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from service.forges import Connected
from service.forges.port import Forge, ForgeError, PullRequest
from service.review.steps import MOST_TAKEOVERS
from service.settings import Settings
from service.store import Move, Review, Store

log = logging.getLogger(__name__)
# One round over a repository: what is beyond it is found by the next one.
_MOST_PULLS, _MOST_REQUESTS = 2_000, 200
_PATIENCE = 3  # failures in a row after which a forge is left alone for this round: each may be a timeout, and other forges wait


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Compares what the forges have with what was judged. Asking for a review that is not needed costs time and changes nothing."""

    settings: Settings
    store: Store
    connected: Mapping[str, Connected]

    def follow(self) -> None:
        """Ask for reviews of the open pull requests towards the branches that have moved and come to rest."""
        failures = Counter[str]()
        for move in self.store.due_moves():
            known = self.connected.get(move.forge)
            if failures[move.forge] >= _PATIENCE:
                continue  # the database hands it out again
            try:
                if known is not None and known.settings.repository(move.repository) is not None:
                    self._follow(move, known.forge)
                failures[move.forge] = 0
            except ForgeError as error:
                log.warning("%s of %s moved, but: %s", move.ref, move.repository, error.message)
                if error.retry:
                    failures[move.forge] += 1
                    continue
            self.store.moved(move)

    def reconcile(self) -> None:
        """Look at every open pull request of every repository that is served, and ask for what was missed."""
        for known in self.connected.values():
            failures = 0
            for repository in self._repositories(known):
                try:
                    self._reconcile(known, repository)
                    failures = 0
                except ForgeError as error:
                    log.warning("looking for lost events in %s: %s", repository, error.message)
                    failures += error.retry
                if failures >= _PATIENCE:
                    break

    def _follow(self, move: Move, forge: Forge) -> None:
        towards = [known.pull for known in self.store.pulls(move.forge, move.repository, move.ref)]
        if towards:
            self._ask(move.forge, towards, {move.ref: forge.tip(move.repository, move.ref)})

    def _reconcile(self, known: Connected, repository: str) -> None:
        pulls = list(islice(known.forge.open_pull_requests(repository), _MOST_PULLS))
        tips = dict(self._tips(known.forge, repository, pulls))
        asked = self._ask(known.settings.name, (pull for pull in pulls if pull.base_ref in tips), tips)
        if asked:
            log.info("asked for %d reviews in %s that no event had asked for", asked, repository)

    def _tips(self, forge: Forge, repository: str, pulls: Iterable[PullRequest]) -> Iterator[tuple[str, str]]:
        for ref in sorted({pull.base_ref for pull in pulls}):
            try:
                yield ref, forge.tip(repository, ref)
            except ForgeError as error:
                log.warning("the tip of %s in %s: %s", ref, repository, error.message)

    def _ask(self, forge: str, pulls: Iterable[PullRequest], tips: Mapping[str, str]) -> int:
        causes = (
            (pull, missed(pull, tips[pull.base_ref], self._newest(forge, pull), drafts=self.settings.review_drafts)) for pull in pulls
        )
        wanted = list(islice(((pull, cause) for pull, cause in causes if cause), _MOST_REQUESTS))
        for pull, cause in wanted:
            self.store.request(forge, pull.repository, str(pull.number), cause)
        return len(wanted)

    def _newest(self, forge: str, pull: PullRequest) -> Review | None:
        return self.store.newest_review(forge, pull.repository, str(pull.number))

    def _repositories(self, known: Connected) -> list[str]:
        """Those that the settings name, and those seen of owners that they name."""
        named = {name for name in known.settings.repositories if not name.endswith("/*")}
        return sorted(named | {name for name in self.store.repositories(known.settings.name) if known.settings.repository(name) == name})


def missed(pull: PullRequest, tip: str, newest: Review | None, *, drafts: bool) -> str:
    """Why an open pull request needs a review that was not asked for, given its newest one and its base's tip; empty where it does not.

    A review that failed is not repeated for the same commits: it would fail again, and may be what kills workers.
    """
    if pull.draft and not drafts:
        return ""
    if newest is None:
        return "never reviewed"
    if newest.head_sha is None:
        settled = newest.state in ("queued", "running") or newest.takeovers > MOST_TAKEOVERS
        return "" if settled else f"the last review ended {newest.state}"
    if newest.head_sha != pull.head_sha:
        return "the head has moved"
    if newest.base_sha != tip:
        return "the base has moved"
    return "the last review ended closed" if newest.state in ("closed", "draft") else ""

"""The steps of a review. Each may run twice, so each looks before it writes and stores by content."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from service.analysis.job import AnalysisError, GitComparison, GitSide, Merging, Order, Result, Wanted
from service.checkout import Mirrors
from service.forges.port import Forge, ForgeError, PullRequest, State, Status
from service.logs import fields
from service.review import verdict as say
from service.review.durable import Json
from service.review.verdict import Verdict
from service.settings import Settings
from service.store import Request, Store

log = logging.getLogger(__name__)
# A review whose worker died this often under it is given up: the pull request may be what kills them.
_MOST_STARTS = 5
_FULL = 20_000_000

Analyse = Callable[[Order, float], Result]


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of the reviews of one process, with what they work on. `work` is a folder for files that no crash needs."""

    settings: Settings
    store: Store
    forge: Forge
    mirrors: Mirrors
    analyse: Analyse
    work: Path

    def look(self, request: Request) -> Json:
        """The pull request as the forge knows it now."""
        if self.settings.repository(request.repository) is None:
            raise ForgeError("the repository is not served any more", retry=False)
        return asdict(self.forge.pull_request(request.repository, request.number))

    def announce(self, pull: PullRequest) -> Json:
        """Say on the commit that a review is under way."""
        self.forge.put_status(pull.repository, pull.head_sha, Status(State.PENDING, "Comparing network flows"))
        return None

    def refuse_fork(self) -> Json:
        """The verdict on a pull request from a fork that may not be analysed."""
        return self._keep(say.from_fork())

    def examine(self, request: Request, pull: PullRequest) -> Json:
        """Fetch, merge and analyse. The stored verdict, or null where git has another head than the forge named."""
        if self.store.start(request) > _MOST_STARTS:
            raise AnalysisError("crashes", f"The analysis stopped its worker {_MOST_STARTS} times.")
        commits = self._fetch(pull)
        if commits[pull.head_ref] != pull.head_sha:
            return None
        with tempfile.TemporaryDirectory(dir=self.work) as directory:
            result = self.analyse(self._order(request, pull, commits, directory), self.settings.analysis_timeout)
            report, text = (self.store.keep((Path(directory) / name).read_bytes()) for name in ("report.json", "report.md"))
            self.store.attach(request, report, text)
            comment = (Path(directory) / "comment.md").read_text(encoding="utf-8")
        log.info(
            "analysed", extra=fields(pull_request=request.pull_request, head=pull.head_sha, complete=result.complete, digest=result.digest)
        )
        return self._keep(say.analysed(result, comment))

    def give_up(self, reason: str, remedy: str) -> Json:
        """The verdict on a review that failed."""
        return self._keep(say.not_analysed(reason, remedy))

    def comment(self, request: Request, pull: PullRequest, verdict: Json) -> Json:
        """Write the comment if the pull request is still what was analysed. False where it is not."""
        now = self.forge.pull_request(request.repository, request.number)
        if (now.open, now.head_sha, now.base_ref) != (True, pull.head_sha, pull.base_ref):
            return False
        self.forge.put_comment(request.repository, request.number, self.store.content(verdict["body"]).decode())
        return True

    def conclude(self, request: Request, pull: PullRequest, verdict: Json) -> Json:
        """Set the final status of the commit."""
        review = self.store.review(request.id)
        link = self._link(request) if review is not None and review.report is not None else ""
        status = Status(State(verdict["state"]), verdict["line"], link)
        self.forge.put_status(pull.repository, pull.head_sha, status)
        return None

    def note(self, request: Request, state: str, reason: str) -> Json:
        """Record how the review ended."""
        self.store.finish(request, state, reason)
        log.info("review ended", extra=fields(pull_request=request.pull_request, state=state, reason=reason))
        return None

    def _fetch(self, pull: PullRequest) -> Mapping[str, str]:
        url, refs = self.forge.clone_url(pull.repository), (pull.base_ref, pull.head_ref)
        return self.mirrors.fetch(url, refs, self.forge.credential)

    def _order(self, request: Request, pull: PullRequest, commits: Mapping[str, str], directory: str) -> Order:
        """What merging the pull request would do; where it cannot be merged, what it does to its merge base."""
        comparison = GitComparison(
            base=GitSide(pull.base_ref.removeprefix("refs/heads/"), commits[pull.base_ref]),
            head=GitSide(pull.head_ref, commits[pull.head_ref]),
            root=str(self.mirrors.root),
            url=self.forge.clone_url(pull.repository),
            allow_file=self.mirrors.allow_file,
            merging=Merging.PREFERRED,
            browse=self.forge.browse_url(pull.repository),
        )
        return Order(
            comparison,
            (Wanted("report.json", "json"), Wanted("report.md", "markdown", _FULL), Wanted("comment.md", "markdown", say.BUDGET)),
            directory,
            host_network=self.settings.host_network,
            cpu=int(self.settings.analysis_timeout) + 1,
            memory=self.settings.analysis_memory,
            report_url=self._link(request),
            cache=str(self.settings.cache_dir),
        )

    def _keep(self, verdict: Verdict) -> Json:
        """The verdict as the record holds it: its text is stored by content, so that the record stays small."""
        return {"state": verdict.state.value, "line": verdict.line, "body": self.store.keep(verdict.body.encode())}

    def _link(self, request: Request) -> str:
        return f"{self.settings.public_url}/reports/{request.id}" if self.settings.public_url else ""

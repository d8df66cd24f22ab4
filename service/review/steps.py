"""The steps of a review. Each may run twice, so each looks before it writes and stores by content."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service import telemetry
from service.analysis.guards import FILE as GUARDED
from service.analysis.inventories import laid_out
from service.analysis.job import AnalysisError, Guard, Order, Result, Wanted
from service.checkout.mirror import Mirrors
from service.forges import Connected
from service.forges.port import Annotation, Button, Check, Forge, ForgeError, PullRequest, State
from service.logs import fields
from service.review import remarks
from service.review import verdict as say
from service.review.consent import Consent
from service.review.durable import Json
from service.review.outcome import asks, buttons, labels, labels_of
from service.review.target import Target, compared
from service.review.verdict import Verdict
from service.settings import Settings
from service.signoff.audit import START
from service.store import Request, Store

log = logging.getLogger(__name__)
MOST_TAKEOVERS = 3
"""A review whose worker died more often than this is given up: the pull request may be what kills them."""

_FULL = 20_000_000

Analyse = Callable[[Order, float], Result]
Still = Callable[[], None]
"""Returns where the review is still this process's and still wanted; raises where it is not."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of the reviews of one process, with what they work on. `work` is a folder for files that no crash needs; `turns` lets as
    many analyses run at once as the machine bears; below `subdir` of the repository is what is compared. `alone` is the review of a CI job:
    nobody hears comments and buttons after it, and no audit log outlives it."""

    settings: Settings
    store: Store
    connected: Mapping[str, Connected]
    mirrors: Mirrors
    analyse: Analyse
    work: Path
    turns: AbstractContextManager[Any] = field(default_factory=nullcontext)
    subdir: str = ""
    alone: bool = False

    def forge(self, name: str, repository: str) -> Forge:
        """The forge of a name. Raises `ForgeError` where it, or the repository, is not served any more."""
        found = self.connected.get(name)
        if found is None or found.settings.repository(repository) is None:
            raise ForgeError("the repository is not served any more", retry=False)
        return found.forge

    def look(self, request: Request) -> Json:
        """The pull request as the forge knows it now, and why it is not to be analysed: closed, draft, fork or nothing."""
        assert request.number is not None
        pull = self._forge(request).pull_request(request.repository, request.number)
        if not pull.open:
            self.store.saw(request.forge, pull, "")
        return {"pull": asdict(pull), "kept": self.kept(pull)}

    def kept(self, pull: PullRequest) -> str:
        """Why a pull request is not to be analysed: closed, draft, fork or nothing."""
        if not pull.open:
            return "closed"
        if pull.draft and not self.settings.review_drafts:
            return "draft"
        return "fork" if pull.fork and not self.settings.allow_forks else ""

    def announce(self, request: Request, target: Target) -> Json:
        """Say on the commit that a review is under way."""
        self._put(request, target, Verdict(State.PENDING, "Comparing network flows", ""))
        return None

    def refuse_fork(self, request: Request, pull: PullRequest) -> Json:
        """The verdict on a pull request from a fork that may not be analysed."""
        self._saw(request, pull, self._forge(request).tip(request.repository, pull.base_ref))
        return self._keep(say.from_fork())

    def examine(self, request: Request, target: Target, pull: PullRequest | None, still: Still) -> Json:
        """Fetch, merge and analyse. The stored verdict, or null where git has another head than the forge named."""
        self._refuse_deadly(request)
        self.store.start(request)
        commits = self._fetch(request, target)
        if commits[target.head_ref] != target.sha:
            return None
        base = target.base(commits)
        if pull is None:
            self.store.judged(request, target.sha, base)
        else:
            self._saw(request, pull, base)
        with self.turns:
            still()
            verdict = self._analysed(request, target, base)
        return self._keep(verdict)

    def give_up(self, reason: str, remedy: str) -> Json:
        """The verdict on a review that failed."""
        return self._keep(say.not_analysed(reason, remedy))

    def judge(self, request: Request, target: Target, number: int | None, verdict: Json) -> Json:
        """The verdict with what became of the guardrails; a commit of a merge queue is judged like the pull request that it holds."""
        found = json.loads(self.store.content(verdict["guarded"]))
        unneeded = {**verdict, "ask": [], "present": [], "absent": labels_of(found)}
        if number is None:
            if not any(each["flows"] or each["excepted"] or each["problem"] for each in found["guarded"]):
                return unneeded
            raise ForgeError("the merge queue does not say which pull request it holds, so nobody's approval can be found", retry=False)
        review = self.store.review(request.id)
        pull = self._forge(request).pull_request(request.repository, number)
        if request.queued is None:
            pull = replace(pull, head_sha=target.sha, base_ref=target.base_ref)
        consent = self.consent(request.forge, request.repository)
        judged = consent.judge(request, pull, ((review.base_sha if review else None) or "", target.sha), found)
        if not judged.hash:
            return unneeded
        told = say.judged(State(verdict["state"]), verdict["line"], self._text(verdict), judged, heard=not self.alone)
        present, absent = labels(judged.decision.rulings)
        audit = START if self.alone else judged.hash
        kept = {"state": told.state.value, "line": told.line, "body": self.store.keep(told.body.encode()), "audit": audit}
        told_of = {"ask": list(asks(judged.decision)), "present": sorted(present), "absent": sorted(absent)}
        offered = () if self.alone else buttons(judged.decision)
        return {**verdict, **kept, **told_of, "buttons": [asdict(each) for each in offered]}

    def tell(self, request: Request, verdict: Json) -> Json:
        """Set the labels of the guardrails, and ask the groups that are waited for, once each."""
        assert request.number is not None
        forge, consent = self._forge(request), self.consent(request.forge, request.repository)
        if verdict["present"] or verdict["absent"]:
            forge.put_labels(request.repository, request.number, verdict["present"], verdict["absent"])
        if unasked := consent.unasked(request.number, verdict["ask"]):
            forge.request_review(request.repository, request.number, unasked)
            consent.note_asked(request.number, unasked)
        return None

    def consent(self, forge: str, repository: str) -> Consent:
        """Sign-off of the pull requests of a repository. Raises `ForgeError`."""
        return Consent(self.settings, self.store, self.forge(forge, repository), forge, repository)

    def comment(self, request: Request, target: Target, verdict: Json, still: Still) -> Json:
        """Write the comment if the pull request is still what was analysed. False where it is not."""
        assert request.number is not None
        forge, body = self._forge(request), self._text(verdict)
        now = forge.pull_request(request.repository, request.number)
        if (now.open, now.head_sha, now.base_ref) != (True, target.sha, target.base_ref):
            return False
        still()
        forge.put_comment(request.repository, request.number, body)
        return True

    def conclude(self, request: Request, target: Target, verdict: Json) -> Json:
        """Set the final state of the check."""
        noted = tuple(Annotation(**each) for each in json.loads(self.store.content(verdict["annotations"])))
        offered = tuple(Button(**each) for each in verdict.get("buttons", ()))
        said = Verdict(State(verdict["state"]), verdict["line"], self._text(verdict), noted)
        if request.number is not None and said.state is State.SUCCESS:
            said = say.beside(said, self.consent(request.forge, request.repository).beside(request.number, target.sha))
        self._put(request, target, say.published(said, verdict["audit"]), offered)
        return None

    def note(self, request: Request, state: str, reason: str) -> Json:
        """Record how the review ended."""
        self.store.finish(request, state, reason)
        telemetry.review_ended(state)
        log.info("review ended", extra=fields(pull_request=request.lane, state=state, reason=reason))
        return None

    def _forge(self, request: Request) -> Forge:
        return self.forge(request.forge, request.repository)

    def _refuse_deadly(self, request: Request) -> None:
        known = self.store.review(request.id)
        if known is not None and known.takeovers > MOST_TAKEOVERS:
            raise AnalysisError("crashes", f"The analysis stopped its worker {known.takeovers} times.")

    def _saw(self, request: Request, pull: PullRequest, base_sha: str) -> None:
        self.store.saw(request.forge, pull, base_sha)
        self.store.judged(request, pull.head_sha, base_sha)

    def _fetch(self, request: Request, target: Target) -> Mapping[str, str]:
        forge = self._forge(request)
        url = forge.clone_url(target.repository)
        return self.mirrors.fetch(url, target.refs, forge.credential(target.repository))

    def _analysed(self, request: Request, target: Target, base: str) -> Verdict:
        with tempfile.TemporaryDirectory(dir=self.work) as directory:
            result = self.analyse(self._order(request, target, base, directory), self.settings.analysis_timeout)
            document, text = ((Path(directory) / name).read_bytes() for name in ("report.json", "report.md"))
            comment = (Path(directory) / "comment.md").read_text(encoding="utf-8")
            guarded = self._kept_guarded(Path(directory) / GUARDED)
        telemetry.diagnosed(result.diagnostics)
        self.store.attach(
            request,
            report=self.store.keep(document),
            text=self.store.keep(text),
            digest=result.digest,
            complete=result.complete,
            headline=result.headline,
        )
        log.info("analysed", extra=fields(pull_request=request.lane, head=target.sha, complete=result.complete, digest=result.digest))
        return replace(say.analysed(result, comment, remarks.of_report(document, self.subdir)), guarded=guarded)

    def _kept_guarded(self, path: Path) -> str:
        """The address of what the guardrails say; empty where there is no guardrail."""
        content = path.read_bytes()
        return self.store.keep(content) if json.loads(content)["guarded"] else ""

    def _order(self, request: Request, target: Target, base: str, directory: str) -> Order:
        """What merging the pull request would do; where it cannot be merged, what it does to its merge base."""
        forge = self._forge(request)
        budget = say.budget(forge.comment_limit)
        return Order(
            compared(target, base, forge, self.mirrors, self.subdir),
            (Wanted("report.json", "json"), Wanted("report.md", "markdown", _FULL), Wanted("comment.md", "markdown", budget)),
            directory,
            host_network=self.settings.host_network,
            cpu=int(self.settings.analysis_timeout) + 1,
            memory=self.settings.analysis_memory,
            report_url=self._link(request),
            cache=str(self.settings.cache_dir),
            guard=Guard(datetime.now(UTC).date().isoformat(), self.settings.guardrails, self.settings.guardrails_stricter),
            inventories=laid_out(self.store, request.forge, request.repository, directory),
        )

    def _put(self, request: Request, target: Target, verdict: Verdict, offered: tuple[Button, ...] = ()) -> None:
        review = self.store.review(request.id)
        link = self._link(request) if review is not None and review.report is not None else ""
        check = Check(
            target.sha, verdict.state, verdict.line, verdict.body, link, verdict.annotations, target.number, target.head_ref, offered
        )
        self._forge(request).put_check(request.repository, check)

    def _keep(self, verdict: Verdict) -> Json:
        """The verdict as the record holds it: its texts are stored by content, so that the record stays small."""
        noted = json.dumps([asdict(each) for each in verdict.annotations]).encode()
        body, kept = self.store.keep(verdict.body.encode()), self.store.keep(noted)
        said = {"state": verdict.state.value, "line": verdict.line, "body": body, "annotations": kept, "guarded": verdict.guarded}
        return {**said, "audit": self.store.newest_hash()}

    def _text(self, verdict: Json) -> str:
        return self.store.content(verdict["body"]).decode()

    def _link(self, request: Request) -> str:
        return f"{self.settings.public_url}/reports/{request.id}" if self.settings.public_url else ""

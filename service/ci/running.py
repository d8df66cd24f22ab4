"""One review in a CI job: the flow of every review, its report in the job's output, and an exit code."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from analyzers.reports.escape import printable
from service.analysis.runner import run as analyse
from service.checkout.mirror import Mirrors
from service.ci import actions, pipelines, showing
from service.ci.inline import Inline
from service.ci.job import Job
from service.ci.lending import forge_of, settings_of
from service.ci.telling import Telling
from service.exits import BadInput, Exit
from service.forges import connect
from service.forges.port import Check, Forge, Look, Queued, State
from service.logs import configure, reviewing
from service.review.durable import Retries
from service.review.flow import review
from service.review.steps import Steps
from service.review.verdict import not_analysed
from service.secret import Redaction
from service.settings import Settings
from service.store import Review, Store, subject_of_queue


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command. `app` is the slug of the App that a token of an installation belongs to."""

    path: str
    host_network: str | None
    exit_code: bool
    app: str
    json: Path | None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a review ended: its record, its report as JSON where there is one, the last check, and what could not be written, with why."""

    review: Review
    document: bytes | None
    check: Check | None
    untold: Mapping[str, str]

    @property
    def text(self) -> str:
        """What the pull request was to read; empty where there is nothing to say."""
        if self.review.state == "failed" and (self.check is None or self.check.state is State.PENDING):
            return not_analysed(self.review.reason or "", "").body
        return "" if self.check is None else self.check.summary

    @property
    def differs(self) -> bool:
        """Whether any flow changes."""
        report = json.loads(self.document or b"{}")
        return any(each.get("groups") for each in report.get("clusters", [report]))


def ci(options: Options, environ: Mapping[str, str] = os.environ) -> Exit:
    """Run `flowdelta ci`. Raises `BadInput`."""
    job = job_of(environ)
    if job.call is None:
        _say(f"nothing to review: this is a job of the event {job.event}, not of a pull request or a merge queue")
        return Exit.DONE
    with tempfile.TemporaryDirectory(prefix="flowdelta-ci-") as folder:
        settings = settings_of(job, environ, folder, options.host_network)
        configure(settings.log_level, Redaction(settings.secrets))
        with showing.mute(commands=job.commands):
            ended = _reviewed(job, job.call, options, settings, Path(folder))
            _show(job, ended, options)
        if job.commands and "check" in ended.untold and ended.check is not None:
            print("\n".join(showing.remarks(ended.check.annotations)), flush=True)
    return _exit(ended, options)


def job_of(environ: Mapping[str, str]) -> Job:
    """The job that this environment is of. Raises `BadInput`."""
    kind = actions.kind_of(environ)
    if kind is not None:
        return actions.read(environ, kind)
    if pipelines.is_job(environ):
        return pipelines.read(environ)
    raise BadInput("this is no CI job that is known: GitHub Actions, Gitea or Forgejo Actions, or GitLab CI")


def _reviewed(job: Job, call: Look | Queued, options: Options, settings: Settings, folder: Path) -> Ended:
    known = connect(settings)[job.kind.value]
    told = Telling(forge_of(job, known, settings, options.app))
    repository = known.settings.repository(job.repository)
    assert repository is not None  # it is the one that is served
    subject = str(call.number) if isinstance(call, Look) else subject_of_queue(call)
    # Mirrors and parsed files may be kept between jobs. What was asked for and said may not: this job knows nothing of others.
    with closing(Store.open(replace(settings, data_dir=folder / "store"))) as store:
        request = store.request(known.settings.name, repository, subject, f"a CI job of {job.event}")
        forges = {known.settings.name: replace(known, forge=cast(Forge, told))}
        steps = Steps(settings, store, forges, _mirrors(settings), analyse, folder, subdir=options.path, alone=True)
        with reviewing(request.id):
            review(request, steps, Inline(), Retries(settings.retry_attempts, settings.retry_first, settings.retry_longest))
        found = store.review(request.id)
        assert found is not None
        document = None if found.report is None else store.content(found.report)
    return Ended(found, document, told.check, told.untold)


def _mirrors(settings: Settings) -> Mirrors:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    root, local = settings.data_dir / "mirrors", settings.allow_local_git
    return Mirrors(root, allow_file=local, timeout=settings.fetch_timeout, max_bytes=settings.fetch_bytes)


def _show(job: Job, ended: Ended, options: Options) -> None:
    if ended.text:
        print(ended.text, flush=True)
        if job.summary is not None:
            showing.on_page(job.summary, ended.text)
    for what, why in ended.untold.items():
        _say(f"{what}: could not be written: {why}. The report is in this job's output.")
    if options.json is not None and ended.document is not None:
        try:
            options.json.write_bytes(ended.document)
        except OSError as error:
            raise BadInput(f"cannot write {options.json}: {error.strerror}") from error


def _exit(ended: Ended, options: Options) -> Exit:
    state, reason = ended.review.state, ended.review.reason
    if state not in ("done", "failed"):
        _say(f"nothing to review: {reason}")
        return Exit.DONE
    _say(f"{'not analysed' if state == 'failed' else 'reviewed'}: {reason}")
    if options.exit_code and ended.differs:
        return Exit.DIFFERENCES
    return Exit.DONE if ended.check is not None and ended.check.state is State.SUCCESS else Exit.BAD_INPUT


def _say(line: str) -> None:
    print(f"flowdelta: {printable(line)}", file=sys.stderr, flush=True)

"""Reports on demand: one analysis in a process of its own, written in one format, answered now or later."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Response, request

from service import telemetry
from service.analysis.inventories import laid_out
from service.analysis.job import Order, Pair, Result, Wanted
from service.settings import Settings
from service.store import Store
from service.web.desk import Answer, Desk, Work
from service.web.failures import explained
from service.web.problems import Problem
from service.web.shown import ProblemDocument, job_of, respond
from service.web.subjects import Fetching

TYPES = {
    "json": "application/json",
    "markdown": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "dot": "text/vnd.graphviz; charset=utf-8",
    "text": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "sarif": "application/sarif+json",
    "codequality": "application/json",
}
"""The media type of each format; of one that is not listed it is that of text."""

_BUDGET = 20_000_000
_CHUNK = 65_536
_WAIT = re.compile(r"wait=([0-9]{1,4})")
_POLL = "2"  # seconds

Analyse = Callable[[Order, float], Result]


@dataclass(frozen=True, slots=True)
class Options:
    """How an analysis is done and written."""

    format: str
    host_network: str
    namespaces: tuple[str, ...] = ()
    pair: Pair | None = None
    digest: str = ""  # what it must find; anything where it is empty
    cluster: str | None = None
    served: tuple[str, str] | None = None  # the forge and the repository whose inventories count


@dataclass(frozen=True, slots=True)
class Reporting:
    """Writes reports on demand."""

    settings: Settings
    store: Store
    desk: Desk
    analyse: Analyse

    def respond(self, kind: str, fetch: Fetching, directory: Path, options: Options) -> Response:
        """The report, or where the client can poll for it. `directory` is removed when it is of no more use."""
        work = Work(kind, lambda: self._report(kind, fetch, directory, options), lambda: shutil.rmtree(directory, ignore_errors=True))
        preferred = _preference(request.headers.get("Prefer", ""), self.desk.patience)
        outcome = self.desk.ask(work, preferred)
        if isinstance(outcome, str):
            return self._accepted(outcome, asked=preferred == 0)
        try:
            return Response(_stream(outcome.path), content_type=outcome.type)
        finally:
            work.end()

    def _report(self, kind: str, fetch: Fetching, directory: Path, options: Options) -> Answer:
        with explained(), telemetry.stage(f"on demand: {kind}"):
            result = self.analyse(self._order(fetch, directory, options), self.settings.analysis_timeout)
        telemetry.diagnosed(result.diagnostics)
        if options.digest and result.digest != options.digest:
            raise Problem(409, "changed", "The analysis finds something else now: the settings or this version differ. Run it again.")
        return Answer(directory / "report", TYPES.get(options.format, TYPES["text"]))

    def _order(self, fetch: Fetching, directory: Path, options: Options) -> Order:
        return Order(
            fetch(),
            (Wanted("report", options.format, _BUDGET),),
            str(directory),
            host_network=options.host_network,
            cpu=int(self.settings.analysis_timeout) + 1,
            memory=self.settings.analysis_memory,
            cache=str(self.settings.cache_dir),
            pair=options.pair,
            namespaces=options.namespaces,
            cluster=options.cluster,
            inventories=laid_out(self.store, *options.served, str(directory)) if options.served is not None else (),
        )

    def _accepted(self, id: str, *, asked: bool) -> Response:
        question = self.store.question(id)
        assert question is not None
        problem = problem_of(question.status, question.reason, question.detail) if question.state == "failed" else None
        more = {"Preference_Applied": "respond-async"} if asked else {}
        return respond(job_of(question, problem), 202, Location=f"/api/v1/jobs/{id}", Retry_After=_POLL, **more)


def problem_of(status: int, reason: str, detail: str) -> ProblemDocument:
    """The problem that ended a question."""
    return ProblemDocument.model_validate(Problem(status, reason, detail).document)


def _preference(header: str, patience: float) -> float:
    """How long the client wants to wait, in seconds, as RFC 7240 has it: not at all with `respond-async` unless it says `wait=…` too."""
    said = [part.strip().lower() for part in header.split(",")]
    waits = [float(found[1]) for part in said if (found := _WAIT.fullmatch(part))]
    return waits[0] if waits else 0.0 if "respond-async" in said else patience


def _stream(path: Path) -> Iterator[bytes]:
    """The bytes of a file that is opened now: its folder goes away before the last of them is sent."""
    opened = path.open("rb")

    def chunks() -> Iterator[bytes]:
        with opened:
            while chunk := opened.read(_CHUNK):
                yield chunk

    return chunks()

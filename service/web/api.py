"""POST /api/v1/diff: an analysis on demand, of two revisions of a served repository or of two uploaded archives."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, request

from analyzers.reports import FORMATS
from service.analysis.job import AnalysisError, Order, Result, Wanted
from service.checkout import CheckoutError
from service.forges.port import ForgeError
from service.settings import Settings
from service.web.auth import require_token
from service.web.bodies import declared_length
from service.web.comparisons import archives, revisions
from service.web.problems import Problem
from service.web.revisions import Revisions

_AT_ONCE = 2
_TYPES = {
    "json": "application/json",
    "markdown": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "dot": "text/vnd.graphviz; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
_LARGEST_JSON = 64_000
_BUDGET = 20_000_000
_CHUNK = 65_536
# What is wrong with the input, with the forge, or with our limits: the HTTP status of each kind of failure.
_STATUS = {
    "unknown-ref": 404,
    "unknown-revision": 404,
    "unknown-folder": 404,
    "conflict": 409,
    "too-large": 413,
    "fetch-failed": 502,
    "access-denied": 502,
    "redirected": 502,
    "unknown-repository": 502,
    "locked": 503,
    "timeout": 504,
    "memory": 413,
    "git-missing": 500,
    "git-too-old": 500,
    "git-failed": 500,
    "internal": 500,
}

Analyse = Callable[[Order, float], Result]


@dataclass(frozen=True, slots=True)
class Api:
    """What the API works with."""

    settings: Settings
    revisions: Revisions
    analyse: Analyse

    def diff(self, directory: Path) -> Response:
        """The answer to the current request, with its files in `directory`, which may be gone before the answer is sent."""
        format = _format(request.args)
        if request.mimetype == "multipart/form-data":
            declared_length(self.settings.upload_bytes)
            asked = archives(request, directory)
        elif request.mimetype == "application/json":
            declared_length(_LARGEST_JSON)
            asked = revisions(request, self.revisions)
        else:
            raise Problem(415, "unsupported-media-type", "Send application/json, or multipart/form-data with the files base and head.")
        order = Order(
            asked.comparison,
            (Wanted("report", format, _BUDGET),),
            str(directory),
            host_network=asked.host_network or self.settings.host_network,
            cpu=int(self.settings.analysis_timeout) + 1,
            memory=self.settings.analysis_memory,
            cache=str(self.settings.cache_dir),
        )
        self.analyse(order, self.settings.analysis_timeout)
        return Response(_stream(directory / "report"), content_type=_TYPES[format])


def blueprint(api: Api) -> Blueprint:
    """The routes below /api/v1."""
    routes = Blueprint("api", __name__, url_prefix="/api/v1")
    turns = threading.BoundedSemaphore(_AT_ONCE)

    @routes.post("/diff")
    def diff() -> Response:
        require_token(api.settings.api_tokens)
        if not turns.acquire(blocking=False):
            raise Problem(503, "busy", f"{_AT_ONCE} analyses are running; ask again.", {"Retry-After": "5"})
        try:
            with tempfile.TemporaryDirectory(prefix="flowdelta-api-") as directory:
                return api.diff(Path(directory))
        except (AnalysisError, CheckoutError) as error:
            raise Problem(_STATUS.get(error.reason, 422), error.reason, error.message) from None
        except ForgeError as error:
            wait = {} if error.retry_after is None else {"Retry-After": str(round(error.retry_after))}
            raise Problem(503 if wait else 502, "forge", error.message, wait) from None
        finally:
            turns.release()

    return routes


def _format(arguments: Mapping[str, str]) -> str:
    unknown = sorted(set(arguments) - {"format"})
    if unknown:
        raise Problem(400, "unknown-field", f"There is no query parameter {unknown[0][:40]!r}.")
    wanted = arguments.get("format", "json")
    if wanted not in dict(FORMATS) or wanted not in _TYPES:
        raise Problem(400, "unknown-format", f"format must be one of {', '.join(sorted(_TYPES))}.")
    return wanted


def _stream(path: Path) -> Iterator[bytes]:
    """The bytes of a file that is opened now: its folder goes away before the last of them is sent."""
    opened = path.open("rb")

    def chunks() -> Iterator[bytes]:
        with opened:
            while chunk := opened.read(_CHUNK):
                yield chunk

    return chunks()

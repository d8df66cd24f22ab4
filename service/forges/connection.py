"""HTTP to one forge: one request at a time, to its own host alone, and every failure as a `ForgeError`."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import requests

from service.forges.port import DENIED, ForgeError
from service.secret import Redaction, Secret

_SAID_LIMIT = 200
_PATIENCE = 60.0  # seconds, where a forge limits the rate and does not say until when


class Refused(ForgeError):
    """The forge answered with an error. `status` is HTTP's, `said` what it wrote, cut."""

    def __init__(self, message: str, status: int, said: str, *, retry: bool, retry_after: float | None) -> None:
        super().__init__(message, retry=retry, retry_after=retry_after, denied=not retry and status in DENIED)
        self.status, self.said = status, said


class Connection(requests.Session):
    """A session with the forge at `api_url`. Clients may share it: `turn` is held for as long as one of them must not be interrupted.

    Nothing is tried again here: the job retries, durably and by what the forge says. `write_interval` is the least number of seconds
    between two writes.
    """

    def __init__(self, forge: str, api_url: str, token: Secret, *, timeout: float, write_interval: float) -> None:
        super().__init__()
        self.headers["User-Agent"] = "flowdelta"
        self._forge, self._origin, self._timeout = forge, _origin(api_url), timeout
        self._redaction = Redaction([token])
        self._turn = threading.RLock()
        self._write_interval, self._next_write = write_interval, 0.0

    @property
    def turn(self) -> AbstractContextManager[object]:
        """What is held while one thing is asked or changed; a thread may take it again."""
        return self._turn

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request and give its answer where it reports success. Raises `ForgeError`."""
        if _origin(str(request.url)) != self._origin:
            raise ForgeError(f"{self._forge} named another host for a request", retry=False)
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        with self._turn:
            self._pace(str(request.method))
            try:
                answer = super().send(request, **kwargs)
            except requests.RequestException as error:
                raise ForgeError(f"{self._forge} could not be reached ({type(error).__name__})", retry=True) from None
        if answer.status_code >= 400:
            raise self._refusal(answer)
        return answer

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer leads to: only a reading request is led on, and only within the host. `send` checks the host."""
        target = super().get_redirect_target(resp)
        if target is not None and resp.request.method != "GET":
            raise ForgeError(f"{self._forge} answered a write with a redirect ({resp.status_code})", retry=False)
        return target

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Keep what the request was authenticated with: a redirect stays on its host, and nothing from a .netrc replaces the token."""

    def _pace(self, method: str) -> None:
        if method == "GET":
            return
        time.sleep(max(0.0, self._next_write - time.monotonic()))
        self._next_write = time.monotonic() + self._write_interval

    def _refusal(self, answer: requests.Response) -> Refused:
        status, said, wait = answer.status_code, cut(self._redaction(_said(answer)), _SAID_LIMIT), _wait(answer)
        if status == 429 or (status == 403 and wait is not None):
            message = f"{self._forge} limits the rate of requests ({status})"
            return Refused(message, status, said, retry=True, retry_after=_PATIENCE if wait is None else wait)
        # 409: something else is changing the same thing just now.
        retry = status >= 500 or status in (408, 409, 425)
        return Refused(f"{self._forge} answered {status}: {said}", status, said, retry=retry, retry_after=wait)


def cut(text: str, limit: int) -> str:
    """The text on one line, of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None


def _said(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return "no message"
    found = next((body[key] for key in ("message", "error") if body.get(key)), None) if isinstance(body, Mapping) else None
    return "no message" if found is None else str(found)


def _wait(answer: requests.Response) -> float | None:
    """Seconds to wait by `Retry-After`, or by `RateLimit-Reset` where the rate is limited; None where neither says."""
    after, reset = answer.headers.get("Retry-After", ""), answer.headers.get("RateLimit-Reset", "")
    if re.fullmatch(r"[0-9]{1,6}", after):
        return float(after)
    if answer.status_code == 429 and re.fullmatch(r"[0-9]{1,12}", reset):
        return max(1.0, int(reset) - time.time())
    return None

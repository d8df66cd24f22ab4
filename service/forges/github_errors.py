"""What goes wrong with GitHub, as `ForgeError`: whether asking again can help, and when."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from github.GithubException import GithubException

from service.forges.port import DENIED, ForgeError

_UNTOLD = 60.0


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the client as `ForgeError`, without anything that the request carried."""
    try:
        yield
    except GithubException as error:
        raise _from_answer(error) from None
    except requests.RequestException as error:
        raise ForgeError(f"GitHub could not be reached ({type(error).__name__})", retry=True) from None
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        # PyGithub raises these for answers that are not GitHub's: a proxy's error page, a redirect to another host.
        raise ForgeError(f"GitHub gave an answer that is not its API's ({type(error).__name__})", retry=True) from error


def is_missing(error: GithubException) -> bool:
    """Whether GitHub knows no such thing. PyGithub has an exception for it, but goes by what the message says."""
    return bool(error.status == 404)


def is_limited(error: GithubException) -> bool:
    """Whether GitHub asks for patience, which it also does by 403."""
    asks = _wait(_headers(error)) is not None or "rate limit" in _said(error).lower()
    return bool(error.status == 429 or (error.status == 403 and asks))


def cut(text: str, limit: int) -> str:
    """The text on one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _from_answer(error: GithubException) -> ForgeError:
    headers, said = _headers(error), _said(error)
    wait = _wait(headers)
    if is_limited(error):
        return ForgeError(f"GitHub limits the rate of requests ({error.status})", retry=True, retry_after=wait or _UNTOLD)
    retry = error.status >= 500 or error.status == 408
    return ForgeError(f"GitHub answered {error.status}: {said}", retry=retry, retry_after=wait, denied=error.status in DENIED)


def _headers(error: GithubException) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in (error.headers or {}).items()}


def _said(error: GithubException) -> str:
    return cut(str(error.data.get("message")) if isinstance(error.data, dict) else "no message", 200)


def _wait(headers: dict[str, str]) -> float | None:
    """Seconds to wait by `Retry-After`, or by `X-RateLimit-Reset` where nothing remains; None where neither says."""
    after = headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,6}", after):
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(r"[0-9]{1,12}", reset):
        return max(1.0, int(reset) - time.time())
    return None

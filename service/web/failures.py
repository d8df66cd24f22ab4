"""What went wrong with a question, as a problem: the HTTP status says whose part it was, the reason what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from service.analysis.job import AnalysisError
from service.checkout import CheckoutError
from service.forges.port import ForgeError
from service.web.problems import Problem

# What is wrong with the input (422 where nothing else is said), with the forge, or with our limits.
_STATUS = {
    "unknown-ref": 404,
    "unknown-revision": 404,
    "unknown-folder": 404,
    "conflict": 409,
    "too-large": 413,
    "memory": 413,
    "git-missing": 500,
    "git-too-old": 500,
    "git-failed": 500,
    "internal": 500,
    "fetch-failed": 502,
    "access-denied": 502,
    "redirected": 502,
    "unknown-repository": 502,
    "locked": 503,
    "timeout": 504,
}


@contextmanager
def explained() -> Iterator[None]:
    """Raise `Problem` for what git, a forge or the analysis raises."""
    try:
        yield
    except (AnalysisError, CheckoutError) as error:
        raise Problem(_STATUS.get(error.reason, 422), error.reason, error.message) from None
    except ForgeError as error:
        wait = {} if error.retry_after is None else {"Retry-After": str(max(1, round(error.retry_after)))}
        raise Problem(503 if wait else 502, "forge", error.message, wait) from None

"""How often something may be done a minute, counted in this process: each web process of a service counts for itself."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from flask import Response, g
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

_WINDOW = 60


@dataclass(frozen=True, slots=True)
class Count:
    """Where one client stands: whether this time was within its rate, what is left, and in how many seconds there is more."""

    name: str
    limit: int
    within: bool
    remaining: int
    reset: int


class Rate:
    """A rate with a name, for any number of clients."""

    def __init__(self, name: str, per_minute: int) -> None:
        self._name, self._item = name, RateLimitItemPerMinute(per_minute, namespace=name)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, client: str) -> Count:
        """Count once more; what is refused does not count."""
        within = self._limiter.hit(self._item, client)
        window = self._limiter.get_window_stats(self._item, client)
        reset = min(_WINDOW, max(1, math.ceil(window.reset_time - time.time())))
        return Count(self._name, self._item.amount, within, max(0, window.remaining), reset)


def tell(response: Response) -> Response:
    """Say where the token of the current request stands, in the fields of the HTTP working group's draft on rate limits."""
    count: Count | None = g.get("rate")
    if count is not None:
        response.headers["RateLimit-Policy"] = f'"{count.name}";q={count.limit};w={_WINDOW}'
        response.headers["RateLimit"] = f'"{count.name}";r={count.remaining};t={count.reset}'
    return response

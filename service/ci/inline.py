"""A review without a job engine: its steps run here and now, and end with this process."""

from __future__ import annotations

import time

from service.review.durable import Action, Json


class Inline:
    """See `Durable`. Nothing is recorded: a CI job that dies is run again from its start, and every step bears that."""

    def mine(self) -> bool:
        """See `Durable`: nobody else knows of it."""
        return True

    def step(self, name: str, action: Action) -> Json:
        """See `Durable`."""
        return action()

    def sleep(self, seconds: float) -> None:
        """See `Durable`."""
        time.sleep(seconds)

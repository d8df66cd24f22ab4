"""How an analysis ends without a result."""

from __future__ import annotations


class AnalysisError(Exception):
    """The analysis gave no result. `reason` is a stable word, `message` a sentence for the person who waits for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message

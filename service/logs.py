"""Logs: one JSON object a line on standard error, with the id of the review at work and without secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from service.secret import Redaction

_review: ContextVar[str] = ContextVar("review", default="")
# What a caller may say beside the message: `log.info("…", extra=fields(repository=…))`.
_FIELDS = "flowdelta"


@contextmanager
def reviewing(review: str) -> Iterator[None]:
    """Name the review on every line that this thread logs inside."""
    token = _review.set(review)
    try:
        yield
    finally:
        _review.reset(token)


def reviewed() -> str:
    """The review that this thread works on; empty where there is none."""
    return _review.get()


def fields(**values: object) -> dict[str, object]:
    """The `extra` of a log call that adds members to the line."""
    return {_FIELDS: values}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, and redacts the whole of it: message, members and traceback."""

    def __init__(self, redact: Redaction) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        if review := _review.get():
            line["review"] = review
        for name, value in getattr(record, _FIELDS, {}).items():
            line[name] = value if isinstance(value, int | float | bool | None) else self._redact(str(value))
        if record.exc_info:
            line["traceback"] = self._redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def configure(level: str, redact: Redaction) -> None:
    """Send every logger of this process through one handler, those of the libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(redact))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("service").setLevel(level)
    engine = logging.getLogger("dbos")
    # The engine adds a console handler of its own where it finds none.
    engine.handlers, engine.propagate = [handler], False

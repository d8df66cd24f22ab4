"""Faults of a forge, to be injected: wrong answers, lost answers, slow answers, and a gate that stops a call where a test wants it."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class When(StrEnum):
    """Whether the fault happens instead of the call's effect, or after it: the client cannot tell."""

    BEFORE = "before"
    AFTER = "after"


@dataclass
class Fault:
    """Hits calls of `method` whose path matches `path`: after `skip` of them the next `times` (None: all). `status` 0 closes the connection
    without an answer; a `gate` holds the call until it is opened."""

    method: str
    path: str
    status: int = 500
    when: When = When.BEFORE
    times: int | None = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "Server Error"
    gate: Gate | None = None
    skip: int = 0

    def hits(self, method: str, path: str) -> bool:
        """Whether it is for this call, and uses it up."""
        if self.times == 0 or method != self.method or not re.fullmatch(self.path, path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Gate:
    """Holds a call until it is opened. `reached` is set when the call is there."""

    def __init__(self) -> None:
        self.reached, self._opened = threading.Event(), threading.Event()

    def wait_until_reached(self, timeout: float) -> None:
        """Block until a call stands at the gate."""
        if not self.reached.wait(timeout):
            raise TimeoutError("no call came to the gate")

    def open(self) -> None:
        """Let it go on."""
        self._opened.set()

    def hold(self) -> None:
        """Called by the forge."""
        self.reached.set()
        self._opened.wait()

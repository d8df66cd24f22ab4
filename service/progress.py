"""A progress bar for whoever waits at a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from analyzers.pipeline import Observer, ignore

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0
"""Seconds that pass before a bar appears: what ends sooner needs none."""

_WORDS = {"read": "reading manifests", "reachability": "computing who reaches whom", "diff": "comparing"}


@contextmanager
def watching(*, quiet: bool) -> Iterator[Observer]:
    """An observer of the pipeline that draws on stderr, if that is a terminal, once the run takes longer than `PATIENCE`."""
    if quiet or not sys.stderr.isatty():
        yield ignore
        return
    bar = _Bar()
    try:
        yield bar.observe
    finally:
        bar.stop()


class _Bar:
    """Begins to draw late, and says what is being done."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._progress: Progress | None = None

    def observe(self, stage: str, done: int, total: int) -> None:
        """Take note of where the run is."""
        if self._progress is None:
            if time.monotonic() - self._began < PATIENCE:
                return
            self._progress = _drawn()
            self._progress.add_task("")
            self._progress.start()
        self._progress.update(self._progress.task_ids[0], description=_WORDS[stage], completed=done, total=total or None)

    def stop(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()


def _drawn() -> Progress:
    from rich.console import Console  # imported here: most runs end before a bar is needed
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)

"""The jobs that run in this process, as the engine runs them, and how they are brought to a stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dbos import DBOS

from service.review.durable import EXAMINE, EXPLAIN, Action, Json


class Running:
    """Counts what runs. It is the engine as a job sees it; step results are JSON values."""

    def __init__(self, executor: str) -> None:
        self._executor = executor
        self._changed = threading.Condition()
        self._jobs = self._writes = 0
        self._closed = False

    def mine(self) -> bool:
        """See `Durable`. The engine's own record decides: a job that was taken over is queued again, or another executor's."""
        if self._closed:
            return False
        found = DBOS.get_workflow_status(DBOS.workflow_id or "")
        return found is not None and (found.status, found.executor_id) == ("PENDING", self._executor)

    def step(self, name: str, action: Action) -> Json:
        """See `Durable`."""
        with self._counted(0, int(name not in (EXAMINE, EXPLAIN))):
            return DBOS.run_step({"name": name}, action)

    def sleep(self, seconds: float) -> None:
        """See `Durable`."""
        DBOS.sleep(seconds)

    @contextmanager
    def job(self) -> Iterator[None]:
        """Counts the job that runs inside."""
        with self._counted(1, 0):
            yield

    def wait(self, seconds: float) -> bool:
        """Give running jobs that long to end; whether all have."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs, seconds)

    def close(self, seconds: float) -> None:
        """Let no step begin any more, and give those that may be writing to a forge that long to end."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._writes, seconds)

    @property
    def closed(self) -> bool:
        """Whether no step begins any more."""
        return self._closed

    @contextmanager
    def _counted(self, jobs: int, writes: int) -> Iterator[None]:
        self._count(jobs, writes)
        try:
            yield
        finally:
            self._count(-jobs, -writes)

    def _count(self, jobs: int, writes: int) -> None:
        with self._changed:
            self._jobs, self._writes = self._jobs + jobs, self._writes + writes
            self._changed.notify_all()

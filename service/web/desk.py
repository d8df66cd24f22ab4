"""The desk: works on the questions of the API, a few at a time, and answers at once where that is soon enough.

A question that takes longer becomes a row in the database that can be polled, from any process. It is worked on here and nowhere else:
when this process ends, gently or not, the question is seen as failed, never as pending for ever. An answer costs nothing but time, so
asking again is the way to repeat it, and no engine needs to.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from service.store import Store, StoreError
from service.web.problems import Problem

log = logging.getLogger(__name__)
_LARGEST = 200_000_000  # bytes of an answer that is kept


@dataclass(frozen=True, slots=True)
class Answer:
    """A report in a file, and its media type."""

    path: Path
    type: str


class Work:
    """One question at work. `run` gives the answer or raises `Problem`; `end` removes its files, once nobody needs them."""

    def __init__(self, kind: str, run: Callable[[], Answer], end: Callable[[], None]) -> None:
        self.kind, self._run, self.end = kind, run, end
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.id = ""  # set while the lock is held: the question is in the database, and its answer goes there
        self.abandoned = False
        self.outcome: Answer | Problem = _stopped()

    def work(self) -> None:
        """Find the outcome."""
        try:
            self.outcome = self._run()
        except Problem as problem:
            self.outcome = problem
        except Exception:
            # The thread of a pool: nobody else would hear of it.
            log.exception("a question failed")
            self.outcome = Problem(500, "internal", "The service failed to answer; its log says why.")


class Desk:
    """Works on questions. `waiting` may wait beside the `workers` that run; `patience` (seconds) is how long a client is kept waiting, of
    whom `patient` may be kept at once, because each holds a thread that webhooks need too."""

    def __init__(self, store: Store, *, lease: float, patient: int, workers: int = 2, waiting: int = 8, patience: float = 10.0) -> None:
        self.patience = patience
        self._store, self._lease = store, lease
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="desk")
        self._places, self._patient = threading.BoundedSemaphore(workers + waiting), threading.BoundedSemaphore(patient)
        self._kept: dict[str, Work] = {}
        self._guard, self._stopped = threading.Lock(), threading.Event()
        self._renewing: threading.Thread | None = None

    def ask(self, work: Work, wait: float) -> Answer | str:
        """The answer, whose files the caller then ends; or the id of the question where there is none within `wait` seconds.

        Raises `Problem`: why there is no answer, or that too many wait for theirs.
        """
        if self._stopped.is_set() or not self._places.acquire(blocking=False):
            work.end()
            raise Problem(503, "busy", "Too many questions wait for their answer; ask again.", {"Retry-After": "5"})
        self._pool.submit(work.work).add_done_callback(lambda _: self._ended(work))
        self._wait(work, min(wait, self.patience))
        with work.lock:
            if not work.ended.is_set():
                return self._open(work)
        if isinstance(work.outcome, Problem):
            work.end()
            raise work.outcome
        return work.outcome

    def stop(self) -> None:
        """Take nothing more. What is still at work is lost, and says so."""
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._guard:
            left = list(self._kept)
        for id in left:
            self._note(partial(self._store.fail_question, id, *_stopped().said))

    def _wait(self, work: Work, seconds: float) -> None:
        if seconds > 0 and self._patient.acquire(blocking=False):
            try:
                work.ended.wait(seconds)
            finally:
                self._patient.release()

    def _ended(self, work: Work) -> None:
        """The work is done, or was never begun because the desk stopped."""
        with work.lock:
            work.ended.set()
        if work.id:
            self._close(work)
        elif work.abandoned:
            work.end()
        self._places.release()

    def _open(self, work: Work) -> str:
        """Put a question that takes long into the database. Called under its lock."""
        try:
            id = self._store.open_question(work.kind, self._lease)
        except StoreError:
            work.abandoned = True
            raise
        work.id = id
        with self._guard:
            self._kept[id] = work
            if self._renewing is None:
                self._renewing = threading.Thread(target=self._renew_forever, name="desk-leases", daemon=True)
                self._renewing.start()
        return id

    def _close(self, work: Work) -> None:
        """Write the outcome of a question down, then let go of its lease."""
        try:
            self._note(partial(self._write, work))
        finally:
            work.end()
            with self._guard:
                self._kept.pop(work.id, None)

    def _write(self, work: Work) -> None:
        outcome = work.outcome
        if isinstance(outcome, Answer) and outcome.path.stat().st_size > _LARGEST:
            outcome = Problem(
                413, "too-large", f"The answer has more than {_LARGEST // 1_000_000} MB; ask about less, or for another format."
            )
        if isinstance(outcome, Problem):
            self._store.fail_question(work.id, *outcome.said)
        else:
            self._store.answer_question(work.id, outcome.type, self._store.keep(outcome.path.read_bytes()))
        self._store.forget_questions()

    def _renew_forever(self) -> None:
        while not self._stopped.wait(self._lease / 3):
            with self._guard:
                ids = list(self._kept)
            if ids:
                self._note(partial(self._store.renew_questions, ids, self._lease))

    def _note(self, write: Callable[[], object]) -> None:
        """A database that fails loses the answer, and the lease then says so; the desk goes on."""
        try:
            write()
        except (StoreError, OSError):
            log.exception("a question could not be written down")


def _stopped() -> Problem:
    return Problem(503, "stopped", "The service stopped before it had an answer; ask again.")

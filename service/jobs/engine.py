"""Reviews on DBOS: hands requests from our outbox to the engine, runs them, and takes over what dead workers left.

Start it after any fork. The engine's database is a file of its own beside ours.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID

from service.jobs import slots
from service.logs import reviewing
from service.review.durable import Action, Json, Retries
from service.review.flow import review
from service.review.steps import Steps
from service.settings import Settings
from service.store import Request, Store

log = logging.getLogger(__name__)
QUEUE = "reviews"
# Ours to raise when the order of a review's steps changes; by default it is a hash of the source, and a deploy would strand every job.
WORKFLOW_VERSION = "1"
_TAKEOVER_INTERVAL = 5.0


class _DbosDurable:
    """The engine as a review sees it. Step results are JSON values."""

    def step(self, name: str, action: Action) -> Json:
        """See `Durable`."""
        return DBOS.run_step({"name": name}, action)

    def sleep(self, seconds: float) -> None:
        """See `Durable`."""
        DBOS.sleep(seconds)


class Engine:
    """The worker of one process. `steps` is called with the folder for its temporary files once the worker knows who it is."""

    def __init__(self, settings: Settings, store: Store, steps: Callable[[Path], Steps]) -> None:
        self._settings, self._store, self._make_steps = settings, store, steps
        self._wake, self._stop = threading.Event(), threading.Event()
        self._dispatcher = threading.Thread(target=self._dispatch_forever, name="dispatcher", daemon=True)
        self._slot: slots.Slot | None = None

    def start(self) -> None:
        """Launch the engine, which resumes what this worker's predecessor left, and begin to dispatch."""
        self._slot = slots.take(self._slots_folder)
        work = self._settings.data_dir / "work" / self._slot.name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        DBOS(config=self._config(self._slot.name))
        self._register(self._make_steps(work))
        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._settings.concurrency,
            partition_concurrency=1,
            polling_interval_sec=self._settings.poll_interval,
            on_conflict="always_update",
        )
        self._dispatcher.start()
        log.info("worker %s started", self._slot.name)

    def wake(self) -> None:
        """Say that there may be a new request; without it the dispatcher looks again after a while."""
        self._wake.set()

    def stop(self) -> None:
        """Start nothing more and give running reviews a moment to end; what does not end resumes at the next start."""
        self._stop.set()
        self._wake.set()
        if self._slot is None:
            return
        self._dispatcher.join()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=round(self._settings.grace))
        self._slot.release()

    @property
    def alive(self) -> bool:
        """Whether requests are being dispatched."""
        return self._dispatcher.is_alive()

    @property
    def _slots_folder(self) -> Path:
        return self._settings.data_dir / "workers"

    def _config(self, executor: str) -> DBOSConfig:
        return {
            "name": "flowdelta",
            "system_database_url": f"sqlite:///{self._settings.data_dir / 'jobs.sqlite3'}",
            "application_version": WORKFLOW_VERSION,
            "executor_id": executor,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "notification_listener_polling_interval_sec": max(0.001, self._settings.poll_interval),
        }

    def _register(self, steps: Steps) -> None:
        settings, store = self._settings, self._store
        retries = Retries(settings.retry_attempts, settings.retry_first, settings.retry_longest)

        # A review counts its own starts and ends as a failed check; the engine's limit would drop it without a word.
        @DBOS.workflow(name="review", max_recovery_attempts=None)
        def run(repository: str, number: int, generation: int) -> str:
            request = Request(repository, number, generation)
            with reviewing(request.id):
                try:
                    return review(request, steps, _DbosDurable(), retries)
                except Exception:
                    # Steps report their own failures; this is the engine's, such as a full disk. A redelivery asks again.
                    log.exception("the review could not go on")
                    store.finish(request, "failed", "the job engine failed")
                    raise

        self._run = run

    def _dispatch_forever(self) -> None:
        since_takeover = _TAKEOVER_INTERVAL
        while not self._stop.is_set():
            self._wake.clear()
            try:
                if since_takeover >= _TAKEOVER_INTERVAL:
                    self._take_over()
                    since_takeover = 0.0
                self._dispatch()
            except Exception:
                # A locked or full disk passes; a dispatcher that ended would leave every later webhook unanswered.
                log.exception("dispatching failed; trying again")
            self._wake.wait(self._settings.poll_interval)
            since_takeover += self._settings.poll_interval

    def _dispatch(self) -> None:
        """Turn requests into jobs. The job's id is the request's, so doing it twice, or dying before the note, makes one job."""
        for request in self._store.undispatched():
            with SetWorkflowID(request.job), SetEnqueueOptions(queue_partition_key=request.pull_request):
                DBOS.enqueue_workflow(QUEUE, self._run, request.repository, request.number, request.generation)
            self._store.dispatched(request)

    def _take_over(self) -> None:
        """Queue again what workers that died had begun, unless their successors are there to do it."""
        assert self._slot is not None
        with slots.abandoned(self._slots_folder, self._slot) as dead:
            if not dead:
                return
            jobs = [job.workflow_id for job in DBOS.list_workflows(status="PENDING", executor_id=list(dead), load_input=False)]
            if jobs:
                DBOS.resume_workflows(jobs, queue_name=QUEUE)
                log.warning("took over %d reviews of workers that died", len(jobs))

"""Reviews on DBOS: hands what was asked for to the engine, runs it, and takes over what dead workers left. Start it after any fork."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from dbos import DBOS

from service.jobs.chores import Chore, Chores
from service.jobs.database import config
from service.jobs.dispatch import dispatch
from service.jobs.lease import Lease
from service.jobs.pruning import prune
from service.jobs.queues import COMMANDS, REVIEWS, Queues
from service.jobs.running import Running
from service.jobs.takeover import COMMAND, REVIEW, adopt, hand_over, take_over
from service.jobs.workspace import Workspace
from service.logs import reviewing
from service.review.command_flow import answer, command_from_json
from service.review.durable import Json, Retries
from service.review.flow import review
from service.review.reconcile import Reconciler
from service.review.steps import Steps
from service.settings import Settings
from service.store import Request, Store

log = logging.getLogger(__name__)
# Reviews of one forge that a worker holds for each that it analyses: those that wait to try again must not keep the next waiting.
_WAITING = 4
_COMMANDS_AT_ONCE = 2
_SELDOM = 20  # times the usual interval: nobody waits for jobs of a forge that is not served, and every look costs
_DAY = 86_400.0


class Engine:
    """The worker of one process. `steps` is called with the folder for its temporary files; `lost` is called from a thread when another
    worker has taken this one for dead: the process must end then, or begin again."""

    def __init__(self, settings: Settings, store: Store, steps: Callable[[Path], Steps], lost: Callable[[], None]) -> None:
        self._settings, self._store = settings, store
        executor = uuid.uuid4().hex
        self._workspace = Workspace(settings.data_dir / "work", executor)
        self._steps = steps(self._workspace.folder)
        self._lease = Lease(store, executor, settings.lease, lost)
        self._running = Running(executor)
        self._queues = Queues(tuple(forge.name for forge in settings.forges))
        self._chores = Chores(self._listed())
        self._wake, self._stop = threading.Event(), threading.Event()
        self._dispatcher = threading.Thread(target=self._dispatch_forever, name="dispatcher", daemon=True)
        self._engine: DBOS | None = None

    def start(self) -> None:
        """Take a lease, launch the engine and begin to dispatch."""
        self._workspace.open()
        self._lease.take()
        self._engine = DBOS(config=config(self._settings, self._lease.executor, len(self._queues.names)))
        self._register()
        DBOS.listen_queues(self._queues.names)
        DBOS.launch()
        for kind, at_once in ((REVIEWS, self._settings.concurrency * _WAITING), (COMMANDS, _COMMANDS_AT_ONCE)):
            for name in self._queues.named(kind):
                self._make_queue(name, at_once)
        adopt(self._queues)
        self._dispatcher.start()
        self._chores.start()
        log.info("worker %s started", self._lease.executor)

    def wake(self) -> None:
        """Say that there may be a new request; without it the dispatcher looks again after a while."""
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing more and give running jobs a moment to end. What does not end is queued again, for whoever runs next."""
        self._stop.set()
        self._wake.set()
        if self._engine is None:
            return
        self._dispatcher.join()
        self._chores.stop()
        for event in self._engine.background_thread_stop_events:
            event.set()
        ended = self._running.wait(self._settings.grace)
        self._running.close(self._settings.forge_timeout)
        hand_over(self._lease.executor, self._queues)
        self._lease.give_up()
        if ended:
            DBOS.destroy(destroy_registry=True)
        self._workspace.close()

    @property
    def alive(self) -> bool:
        """Whether requests are being dispatched."""
        return self._dispatcher.is_alive()

    def _listed(self) -> tuple[Chore, ...]:
        settings = self._settings
        reconciler = Reconciler(settings, self._store, self._steps.connected)
        return (
            Chore(
                "reviewing what a branch that moved is the base of", max(settings.poll_interval, settings.debounce / 10), reconciler.follow
            ),
            Chore("looking for lost events", settings.reconcile_interval, lambda: self._alone("reconcile", reconciler.reconcile)),
            Chore("pruning", _DAY, lambda: self._alone("prune", lambda: prune(self._store, settings.retention_days))),
        )

    def _alone(self, role: str, do: Callable[[], None]) -> None:
        """Do what one worker at a time does."""
        if self._lease.holds(role):
            do()

    def _make_queue(self, name: str, concurrency: int) -> None:
        DBOS.register_queue(
            name,
            worker_concurrency=concurrency,
            partition_concurrency=1,
            polling_interval_sec=self._settings.poll_interval * (_SELDOM if name in (REVIEWS, COMMANDS) else 1),
            on_conflict="always_update",
        )

    def _register(self) -> None:
        settings, store, steps, running = self._settings, self._store, self._steps, self._running
        retries = Retries(settings.retry_attempts, settings.retry_first, settings.retry_longest)

        # Takeovers are counted in our own database and end as a failed check; the engine's limit would drop a job without a word.
        @DBOS.workflow(name=REVIEW, max_recovery_attempts=None)
        def run_review(forge: str, repository: str, subject: str, generation: int) -> str:
            request = Request(forge, repository, subject, generation)
            with reviewing(request.id), running.job():
                try:
                    return review(request, steps, running, retries)
                except Exception:
                    # Steps report their own failures; this is the engine's, such as a full disk. A redelivery asks again.
                    log.exception("the review could not go on")
                    if not running.closed:
                        store.finish(request, "failed", "the job engine failed")
                    raise

        @DBOS.workflow(name=COMMAND, max_recovery_attempts=None)
        def run_command(stored: Json) -> str:
            with running.job():
                try:
                    return answer(command_from_json(stored), steps, running, retries)
                except Exception:
                    log.exception("the command could not go on")
                    if not running.closed:
                        store.command_done(stored["id"], "failed: the job engine failed")
                    raise

        self._review, self._command = run_review, run_command

    def _dispatch_forever(self) -> None:
        every = max(1, round(self._settings.lease / 4 / self._settings.poll_interval))
        turn = 0
        while not self._stop.is_set():
            self._wake.clear()
            try:
                if turn % every == 0:
                    take_over(self._lease, self._store, self._queues)
                dispatch(self._store, self._queues, self._review, self._command)
            except Exception:
                # A locked or full disk passes; a dispatcher that ended would leave every later webhook unanswered.
                log.exception("dispatching failed; trying again")
            turn += 1
            self._wake.wait(self._settings.poll_interval)

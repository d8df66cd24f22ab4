"""From our outbox to the engine's queues. A job's id is the request's, so doing it twice, or dying before the note, makes one job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from service.jobs.queues import COMMANDS, REVIEWS, Queues
from service.review.commands import analyses
from service.store import Request, Store, StoredCommand

Job = Callable[..., str]


def dispatch(store: Store, queues: Queues, review: Job, command: Job) -> None:
    """Turn what was asked for into jobs."""
    for request in store.undispatched():
        _enqueue_review(request, queues, review)
        store.dispatched(request)
    for stored in store.undone_commands():
        _enqueue_command(stored, queues, command)


def _enqueue_review(request: Request, queues: Queues, job: Job) -> None:
    with SetWorkflowID(request.job), SetEnqueueOptions(queue_partition_key=request.lane):
        DBOS.enqueue_workflow(queues.of(REVIEWS, request.lane), job, request.forge, request.repository, request.subject, request.generation)


def _enqueue_command(stored: StoredCommand, queues: Queues, job: Job) -> None:
    """Commands of one pull request are answered in turn, those that analyse in turn with its reviews. The database hands a command out
    again until it is answered; it stays one job."""
    lane = f"{stored.forge}:{stored.repository}#{stored.command.number}"
    with SetWorkflowID(f"command:{stored.id}"), SetEnqueueOptions(queue_partition_key=lane):
        DBOS.enqueue_workflow(queues.of(REVIEWS if analyses(stored) else COMMANDS, lane), job, asdict(stored))

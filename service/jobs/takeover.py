"""Jobs that nobody would run any more: those of a worker that died, and those that another version of Flowdelta left in the queue."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from dbos import DBOS, SetWorkflowID, WorkflowStatus
from sqlalchemy.exc import IntegrityError

from service.jobs.database import WORKFLOW_VERSION
from service.jobs.lease import Lease
from service.jobs.queues import Queues
from service.store import Request, Store, StoreError

log = logging.getLogger(__name__)
REVIEW, COMMAND = "review", "command"
"""What the jobs are called."""
_JOBS = [REVIEW, COMMAND]


def take_over(lease: Lease, store: Store, queues: Queues) -> None:
    """Queue again what workers that died had begun. Each takeover of a review is counted, and committed, before the engine may run it."""
    for executor in lease.dead():
        jobs = _begun_by(executor)
        for job in jobs:
            _count(store, job)
        _queue_again(jobs, queues)
        lease.buried(executor)
        if jobs:
            log.warning("took over %d jobs of worker %s, which died", len(jobs), executor)
        adopt(queues)


def hand_over(executor: str, queues: Queues) -> None:
    """Queue again what this process has begun and will not end. That is no takeover: nothing died of it."""
    _queue_again(_begun_by(executor), queues)


def adopt(queues: Queues) -> None:
    """Take the jobs that wait where no worker of this version and these settings would ever begin them."""
    waiting = DBOS.list_workflows(status="ENQUEUED", name=_JOBS, load_input=False, load_output=False)
    _queue_again([job for job in waiting if job.app_version != WORKFLOW_VERSION or job.queue_name != _queue(job, queues)], queues)


def _queue(job: WorkflowStatus, queues: Queues) -> str:
    return queues.moved(job.queue_name or "", job.queue_partition_key or "")


def _begun_by(executor: str) -> Sequence[WorkflowStatus]:
    return DBOS.list_workflows(status="PENDING", executor_id=executor, name=_JOBS, load_output=False)


def _count(store: Store, job: WorkflowStatus) -> None:
    if job.name != REVIEW or job.input is None:
        return
    try:
        store.takeover(Request(*job.input["args"]))
    except (StoreError, TypeError) as error:
        # It was pruned, or a version before this one asked for it; whether it can still run will show.
        log.warning("a takeover of %s was not counted: %s", job.workflow_id, error)


def _queue_again(jobs: Sequence[WorkflowStatus], queues: Queues) -> None:
    own = [job for job in jobs if job.app_version == WORKFLOW_VERSION]
    for queue in sorted({_queue(job, queues) for job in own}):
        DBOS.resume_workflows([job.workflow_id for job in own if _queue(job, queues) == queue], queue_name=queue)
    _fork((job for job in jobs if job.app_version != WORKFLOW_VERSION), queues)


def _fork(jobs: Iterable[WorkflowStatus], queues: Queues) -> None:
    """Begin jobs of another version anew under this one. The new id follows from the old, so that two who do it make one job."""
    for job in jobs:
        try:
            with SetWorkflowID(f"{job.workflow_id}+{WORKFLOW_VERSION}"):
                DBOS.fork_workflow(
                    job.workflow_id,
                    1,
                    application_version=WORKFLOW_VERSION,
                    queue_name=_queue(job, queues),
                    queue_partition_key=job.queue_partition_key,
                )
            log.info("took %s over from version %s", job.workflow_id, job.app_version)
        except IntegrityError:
            log.info("%s was taken over from version %s before", job.workflow_id, job.app_version)
        DBOS.cancel_workflows([job.workflow_id])

"""Deletes what is old: from our own database by the settings, and from the engine's what ended a while ago."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from datetime import UTC, datetime

from dbos import DBOS

from service.logs import fields
from service.store import Store

log = logging.getLogger(__name__)
_JOB_DAYS = 7  # nothing reads a job that ended; a week is for people who look after trouble
_DAY, _BATCH = 86_400, 500


def prune(store: Store, days: int) -> None:
    """Delete. `days` is how long deliveries and reviews are kept, 0 for ever."""
    log.info("pruned", extra=fields(**asdict(store.prune(days)), jobs=_prune_jobs(time.time() - _JOB_DAYS * _DAY)))


def _prune_jobs(before: float) -> int:
    deleted = 0
    while old := _ended(datetime.fromtimestamp(before, UTC).isoformat()):
        DBOS.delete_workflows(old)
        deleted += len(old)
    return deleted


def _ended(before: str) -> list[str]:
    """Jobs that ended before a moment, one batch of them."""
    ended = ["SUCCESS", "ERROR", "CANCELLED"]
    jobs = DBOS.list_workflows(status=ended, completed_before=before, limit=_BATCH, load_input=False, load_output=False)
    return [job.workflow_id for job in jobs]

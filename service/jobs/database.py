"""Where the engine keeps its state: a file beside ours, or a schema of its own in the PostgreSQL of the settings."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from dbos import DBOSConfig, DBOSPortableJSONSerializer

from service.settings import Settings

WORKFLOW_VERSION = "2"
"""Ours to raise when the order of a job's steps changes; by default it is a hash of the source, and every deploy would strand the jobs."""

_SCHEMA = "flowdelta_jobs"
_CONNECTIONS = 6  # what the engine's own threads hold at once, beside one for each job and each queue


def config(settings: Settings, executor: str, queues: int) -> DBOSConfig:
    """The engine's settings for one process, which looks after so many queues."""
    return {
        "name": "flowdelta",
        "system_database_url": settings.database_url.reveal() if settings.database_url else _file(settings),
        "dbos_system_schema": _SCHEMA,
        "sys_db_pool_size": settings.concurrency * 2 + queues + _CONNECTIONS,
        "application_version": WORKFLOW_VERSION,
        "executor_id": executor,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": max(0.001, settings.poll_interval),
    }


def _file(settings: Settings) -> str:
    path = settings.data_dir / "jobs.sqlite3"
    # The mode stays with the file. Without it those who look for work and those who record it keep each other waiting.
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return f"sqlite:///{path}"

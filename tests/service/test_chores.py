"""Chores: done again and again, also where one of them fails; and the one that deletes what is old, on a real engine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos import DBOS

from service.jobs.chores import Chore, Chores
from service.jobs.database import config
from service.jobs.pruning import prune
from service.settings import Settings
from service.store import Store
from tests.service.forge_in_memory import environment

OFTEN, NEVER, PATIENCE = 0.01, 3_600.0, 30.0


def test_a_chore_that_fails_is_tried_again_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    failed, done, count = threading.Event(), threading.Event(), list[None]()

    def fail() -> None:
        count.append(None)
        if len(count) == 3:
            failed.set()
        raise OSError("the disk is full")

    chores = Chores([Chore("failing", OFTEN, fail), Chore("working", OFTEN, done.set), Chore("late", NEVER, pytest.fail)])
    with caplog.at_level(logging.CRITICAL):
        chores.start()
        assert failed.wait(PATIENCE)
        assert done.wait(PATIENCE)
        chores.stop()


def test_nothing_is_begun_after_a_stop() -> None:
    begun, go_on = threading.Event(), threading.Event()
    ran = list[str]()

    def hold() -> None:
        ran.append("held")
        begun.set()
        go_on.wait(PATIENCE)

    chores = Chores([Chore("holding", OFTEN, hold), Chore("next", OFTEN, lambda: ran.append("next"))])
    chores.start()
    assert begun.wait(PATIENCE)
    stopping = threading.Thread(target=chores.stop)
    stopping.start()
    stopping.join(PATIENCE)  # it waits a moment for the chore, not for ever
    go_on.set()
    chores._thread.join(PATIENCE)
    assert ran == ["held"]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of an engine that runs in this process, for once."""
    found = Settings.from_environment(environment(str(tmp_path)))
    found.data_dir.mkdir(exist_ok=True)

    DBOS(config=config(found, "executor-of-the-test", 1))

    @DBOS.workflow(name="nothing")
    def nothing() -> str:
        return "done"

    DBOS.launch()
    for _ in range(3):
        nothing()
    yield found
    DBOS.destroy(destroy_registry=True)


def test_jobs_that_ended_long_ago_are_deleted(settings: Settings) -> None:
    store = Store.open(settings)
    old = DBOS.list_workflows()[0].workflow_id
    engine = sa.create_engine(f"sqlite:///{settings.data_dir}/jobs.sqlite3")
    jobs = sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("completed_at"))
    with engine.begin() as connection:
        connection.execute(sa.update(jobs).where(jobs.c.workflow_uuid == old).values(completed_at=1_000))
    engine.dispose()
    prune(store, days=90)
    store.close()
    assert len(DBOS.list_workflows()) == 2
    assert old not in [job.workflow_id for job in DBOS.list_workflows()]

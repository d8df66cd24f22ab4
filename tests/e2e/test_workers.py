"""Several workers over one database: who dies is noticed, who was away too long is not believed, who ends hands over."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer

from service.demo.process import ServiceProcess
from service.jobs.database import WORKFLOW_VERSION
from service.store import Request
from tests.e2e.running import PATIENCE, Running
from tests.forges.faults import Fault, Gate, When
from tests.forges.origin import shop
from tests.postgres import database_url, postgres
from tests.service.site import NUMBER, SHOP, Site

__all__ = ["database_url", "postgres"]

STATUS = r"/repos/acme/shop/statuses/.*"
PULL = r"/repos/acme/shop/pulls/7"


@contextmanager
def held(site: Site, running: Running, fault: Fault) -> Iterator[Gate]:
    """A worker stands at a call to the forge."""
    gate = Gate()
    fault.gate = gate
    site.github.inject(fault)
    with running.serve("--no-worker") as web:
        running.deliver(web)
    try:
        gate.wait_until_reached(PATIENCE)
        yield gate
    finally:
        gate.open()


def pause(worker: ServiceProcess, running: Running) -> None:
    """Stop a worker where it is, but not in the middle of a write to SQLite: that would keep everyone waiting, and proves nothing."""
    files = [Path(running.environment["FLOWDELTA_DATA_DIR"]) / name for name in ("flowdelta.sqlite3", "jobs.sqlite3")]
    while True:
        worker.process.send_signal(signal.SIGSTOP)
        if all(writable(path) for path in files if path.exists()):
            return
        worker.process.send_signal(signal.SIGCONT)


def writable(path: Path) -> bool:
    """Whether nobody who is stopped holds the write lock."""
    with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


@pytest.mark.slow
def test_another_worker_takes_over_from_one_that_was_killed(site: Site, tmp_path: Path, database_url: str) -> None:
    running = Running(site, tmp_path / "data", DATABASE_URL=database_url)
    with running.worker() as first, held(site, running, Fault("POST", STATUS, status=0)), running.worker() as second:
        second.wait_for('started"')
        first.kill()
        running.wait_for_verdict(second)
        second.wait_for("took over 1 jobs")
    assert "9090" in site.comment
    with running.store() as store:
        assert [review.takeovers for review in store.reviews()] == [1]


@pytest.mark.slow
def test_a_worker_that_was_paused_for_too_long_writes_nothing_and_begins_again(site: Site, tmp_path: Path, database_url: str) -> None:
    """It stands right before its comment; when it goes on, another worker has written one, and there is a newer head."""
    running = Running(site, tmp_path / "data", DATABASE_URL=database_url)
    with running.worker() as first, held(site, running, Fault("GET", PULL, when=When.AFTER, status=0, skip=1)) as gate:
        pause(first, running)
        with running.worker() as second:
            running.wait_for_verdict(second)
            calls = len(site.github.calls)
            gate.open()
            first.process.send_signal(signal.SIGCONT)
            first.wait_for("was silent for so long")
            first.wait_for('started"', times=2)
            assert not [call for call in site.github.calls[calls:] if call.method != "GET"]
            second.kill()
        site.push(shop(5050))
        with running.serve("--no-worker") as web:
            running.deliver(web, "synchronize")
        running.wait(lambda: "5050" in site.comment, first)
    assert len(site.comments) == 1


@pytest.mark.slow
def test_a_worker_that_is_asked_to_stop_hands_its_review_over_at_once(site: Site, tmp_path: Path, database_url: str) -> None:
    """Its lease is long: nobody waits for it to run out."""
    running = Running(site, tmp_path / "data", DATABASE_URL=database_url, LEASE="3600", RETRY_FIRST="600", RETRY_LONGEST="600")
    with running.worker() as first, held(site, running, Fault("GET", PULL, status=503)) as gate:
        gate.open()
        first.wait_for("look: GitHub answered 503")  # it waits for ten minutes now
        assert first.stop() == 0
        with running.store() as store:
            assert [(review.state, review.takeovers) for review in store.reviews()] == [("queued", 0)]
        site.github.faults.clear()
    with running.store() as store:
        store.request("github", SHOP, str(NUMBER), "so that nobody waits for ten minutes")
    with running.worker() as second:
        running.wait_for_verdict(second)
    assert "9090" in site.comment


@pytest.mark.slow
def test_a_pull_request_that_keeps_killing_its_worker_ends_as_a_failed_check_with_the_reason(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    with running.worker() as first, held(site, running, Fault("POST", STATUS, status=0)):
        with running.store() as store:
            (review,) = store.reviews()
            for _ in range(3):
                store.takeover(review.request)
        first.kill()
    with running.worker() as second:
        running.wait_for_record("failed", second)
    assert site.status[0] == "error"
    assert "stopped its worker 4 times" in site.comment
    with running.store() as store:
        (review,) = store.reviews()
        assert "stopped its worker" in review.reason


@pytest.mark.slow
@pytest.mark.parametrize("state", ["ENQUEUED", "PENDING"])
def test_a_job_that_another_version_left_is_taken_over(site: Site, tmp_path: Path, database_url: str, state: str) -> None:
    running = Running(site, tmp_path / "data", DATABASE_URL=database_url)
    with running.worker() as first:
        first.wait_for('started"')
    with running.store() as store:
        request = store.request("github", SHOP, str(NUMBER), "before the upgrade")
        store.dispatched(request)
        store.beat("worker-of-before", 0)
    leave_behind(running, request, state)
    with running.worker() as second:
        running.wait_for_verdict(second)
    assert "9090" in site.comment


@pytest.mark.slow
def test_a_job_of_a_forge_that_is_not_served_any_more_ends_with_that_reason(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data", DATABASE_URL="")
    with running.worker() as first:
        first.wait_for('started"')
    with running.store() as store:
        request = store.request("gone", "acme/gone", "7", "before it was taken out of the settings")
        store.dispatched(request)
    leave_behind(running, request, "ENQUEUED", queue="reviews:gone", version=WORKFLOW_VERSION)
    with running.worker() as second:
        running.wait_for_record("failed", second)
    with running.store() as store:
        assert [review.reason for review in store.reviews()] == ["look: the repository is not served any more"]


def leave_behind(running: Running, request: Request, state: str, *, queue: str = "reviews", version: str = "1") -> None:
    """A job as another version, or other settings, would leave it: waiting, or begun by a worker that is dead."""
    url = running.environment["FLOWDELTA_DATABASE_URL"]
    schema = "flowdelta_jobs" if url else None
    engine = sa.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://") or f"sqlite:///{running.environment['FLOWDELTA_DATA_DIR']}/jobs.sqlite3"
    )
    client = DBOSClient(system_database_engine=engine, dbos_system_schema=schema or "dbos", serializer=DBOSPortableJSONSerializer())
    options = {"workflow_name": "review", "queue_name": queue, "workflow_id": request.job, "app_version": version}
    client.enqueue({**options, "queue_partition_key": request.lane}, *asdict(request).values())  # type: ignore[typeddict-item]
    if state == "PENDING":
        jobs = sa.table("workflow_status", sa.column("status"), sa.column("executor_id"), schema=schema)
        with engine.begin() as connection:
            connection.execute(sa.update(jobs).values(status="PENDING", executor_id="worker-of-before"))
    client.destroy()
    engine.dispose()

"""Questions that take longer than their client waits: a job to poll, which always comes to an end that somebody can read."""

from __future__ import annotations

import io
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from service.analysis.job import AnalysisError, Order, Result
from service.settings import Settings
from service.store import Question, Scope, Store, StoreError
from service.store.tables import questions
from service.web import desk as desk_module
from tests.forges.origin import shop
from tests.service.test_api import problem, tarball
from tests.service.test_tokens import variables
from tests.service.web_app import Web, web

PATIENCE = 30.0


class Analyst:
    """Answers when it is told to: an analysis that takes as long as a test needs."""

    def __init__(self) -> None:
        self.began, self.may_end = threading.Semaphore(0), threading.Event()
        self.error: Exception | None = None
        self.report = b'{"schema": "flowdelta.matrix/1"}'

    def __call__(self, order: Order, timeout: float) -> Result:
        self.began.release()
        assert self.may_end.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        (Path(order.directory) / "report").write_bytes(self.report)
        return Result(True, "", "")


@pytest.fixture
def analyst() -> Iterator[Analyst]:
    analyst = Analyst()
    yield analyst
    analyst.may_end.set()


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made, so that a test sees what is left of them."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def settings(data: Path) -> Settings:
    return Settings.from_environment(variables(data, LEASE="0.3", API_RATE="100000"))


@pytest.fixture
def process(tmp_path: Path, analyst: Analyst, folders: Path) -> Iterator[Web]:
    with web(settings(tmp_path / "data"), analyst, waiting=1) as running:
        yield running


def ask(process: Web, prefer: str = "respond-async", **headers: str) -> TestResponse:
    archive = {"archive": (io.BytesIO(tarball(shop())), "a.tar")}
    return process.client.post("/api/v1/matrix", data=archive, headers={**process.bearer(Scope.ANALYSE), "Prefer": prefer, **headers})


def poll(process: Web, where: str, *states: str) -> dict[str, Any]:
    """The job once it is in one of the states."""
    held, until = process.bearer(Scope.ANALYSE), time.monotonic() + PATIENCE
    while time.monotonic() < until:
        answer = process.client.get(where, headers=held)
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json  # type: ignore[assignment]
        if job["state"] in states:
            return job
        assert int(answer.headers["Retry-After"]) > 0
        threading.Event().wait(0.02)
    raise AssertionError(f"{where} is in none of the states {states}")


def test_whoever_prefers_so_gets_a_job_and_its_result_later(process: Web, analyst: Analyst, folders: Path) -> None:
    answer = ask(process)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")
    assert answer.json is not None
    assert (answer.json["state"], answer.json["kind"], answer.json["result"]) == ("running", "matrix", None)
    where = answer.headers["Location"]
    held = process.bearer(Scope.ANALYSE)
    assert problem(process.client.get(f"{where}/result", headers=held)) == (404, "no-result")
    analyst.may_end.set()
    job = poll(process, where, "done")
    result = process.client.get(job["result"], headers=held)
    assert (result.status_code, result.mimetype, result.data) == (200, "application/json", analyst.report)
    assert list(folders.iterdir()) == []


def test_what_takes_longer_than_the_client_waits_becomes_a_job(process: Web, analyst: Analyst) -> None:
    answer = ask(process, "wait=0")
    assert answer.status_code == 202
    analyst.may_end.set()
    assert poll(process, answer.headers["Location"], "done")["problem"] is None


def test_an_answer_that_is_soon_enough_is_the_answer_and_leaves_nothing(process: Web, analyst: Analyst, folders: Path) -> None:
    analyst.may_end.set()
    answer = ask(process, "respond-async, wait=30")
    assert (answer.status_code, answer.data) == (200, analyst.report)
    assert list(folders.iterdir()) == []
    with process.store._database.reading() as connection:
        assert connection.execute(sa.select(questions.c.id)).all() == []


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (AnalysisError("memory", "too much"), 413, "memory"),
        (AnalysisError("conflict", "they conflict"), 409, "conflict"),
        (RuntimeError("a detail of ours"), 500, "internal"),
    ],
)
def test_a_job_that_fails_says_why(process: Web, analyst: Analyst, error: Exception, status: int, reason: str) -> None:
    analyst.error = error
    where = ask(process).headers["Location"]
    analyst.may_end.set()
    job = poll(process, where, "failed")
    assert (job["problem"]["status"], job["problem"]["reason"], job["result"]) == (status, reason, None)
    assert "a detail of ours" not in str(job)


def test_an_answer_that_is_too_large_to_keep_is_a_failure(process: Web, analyst: Analyst, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "_LARGEST", 10)
    where = ask(process).headers["Location"]
    analyst.may_end.set()
    assert poll(process, where, "failed")["problem"]["reason"] == "too-large"


def test_too_many_questions_are_refused_before_they_are_begun(process: Web, analyst: Analyst, folders: Path) -> None:
    jobs = [ask(process).headers["Location"] for _ in range(3)]
    refused = ask(process)
    assert problem(refused) == (503, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    assert len(list(folders.iterdir())) == 3
    analyst.may_end.set()
    assert [poll(process, where, "done")["state"] for where in jobs] == ["done"] * 3


def test_clients_that_wait_leave_threads_for_others(tmp_path: Path, analyst: Analyst) -> None:
    with web(settings(tmp_path / "data"), analyst) as running, ThreadPoolExecutor(4) as clients:
        waiting = [clients.submit(ask, running, "wait=30") for _ in range(4)]
        for _ in range(2):
            assert analyst.began.acquire(timeout=PATIENCE)
        _until(lambda: running.parts.desk._patient._value == 0)
        assert ask(running, "wait=30").status_code == 202
        analyst.may_end.set()
        assert [answer.result().status_code for answer in waiting] == [200] * 4


def test_the_jobs_of_a_process_that_died_are_failed_and_never_pending_for_ever(tmp_path: Path) -> None:
    with web(settings(tmp_path / "data")) as running:
        lost = running.store.open_question("diff", 0.0)
        job = poll(running, f"/api/v1/jobs/{lost}", "failed")
    assert (job["problem"]["status"], job["problem"]["reason"]) == (503, "lost")


def test_the_lease_of_a_job_is_renewed_as_long_as_its_process_lives(process: Web, analyst: Analyst) -> None:
    where = ask(process).headers["Location"]
    first = _lease_of(process, where)
    _until(lambda: _lease_of(process, where) > first + 2 * 0.3)  # twice what one lease lasts
    assert poll(process, where, "running")


def test_a_desk_that_stops_says_so_on_every_job(tmp_path: Path, analyst: Analyst, folders: Path) -> None:
    known = settings(tmp_path / "data")
    with web(known, analyst) as running:
        jobs = [ask(running).headers["Location"].rpartition("/")[2] for _ in range(3)]
        running.parts.desk.stop()
        assert problem(ask(running)) == (503, "busy")
        ended = [_question(running.store, id) for id in jobs]
    assert {(question.state, question.reason) for question in ended} == {("failed", "stopped")}


def test_a_question_that_cannot_be_written_down_is_not_promised(
    process: Web, analyst: Analyst, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "open_question", full)
    assert problem(ask(process)) == (503, "storage")
    analyst.may_end.set()
    _until(lambda: list(folders.iterdir()) == [])


@pytest.mark.parametrize("id", ["0" * 32, "x", "0" * 31, "%00"])
def test_a_job_that_is_not_there_is_not_found(process: Web, id: str) -> None:
    held = process.bearer()
    assert problem(process.client.get(f"/api/v1/jobs/{id}", headers=held)) == (404, "unknown-job")
    assert problem(process.client.get(f"/api/v1/jobs/{id}/result", headers=held)) == (404, "unknown-job")


def test_old_answers_are_forgotten_unless_somebody_else_needs_them(tmp_path: Path) -> None:
    with web(settings(tmp_path / "data")) as running:
        store = running.store
        ids = [store.open_question("diff", 30.0) for _ in range(3)]
        shared, own = store.keep(b"shared"), store.keep(b"own")
        for id, address in zip(ids, (shared, own, shared), strict=True):
            store.answer_question(id, "text/plain", address)
        with store._database.writing() as connection:
            connection.execute(sa.update(questions).where(questions.c.id.in_(ids[:2])).values(updated=1.0, until=1.0))
            connection.execute(sa.text("update contents set kept = 1.0"))
        assert store.forget_questions() == 2
        assert [store.question(id) is None for id in ids] == [True, True, False]
        assert store.content(shared) == b"shared"
        with pytest.raises(StoreError):
            store.content(own)


def _question(store: Store, id: str) -> Question:
    found = store.question(id)
    assert found is not None
    return found


def _lease_of(process: Web, where: str) -> float:
    with process.store._database.reading() as connection:
        return float(connection.execute(sa.select(questions.c.until).where(questions.c.id == where.rpartition("/")[2])).scalar_one())


def _until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)

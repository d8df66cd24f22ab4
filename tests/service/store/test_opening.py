"""Opening: made, migrated and refused as it should be, by several processes at once, and without a word about the password."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from service.store import Store, StoreError
from service.store.schema import NEWEST
from tests.postgres import Postgres
from tests.service.store.conftest import Raw, settings_of
from tests.service.store.events import asked

PROCESSES = multiprocessing.get_context("fork")


def test_several_processes_open_a_new_database_at_once(settings: Settings, open_store: Callable[[], Store], raw: Raw) -> None:
    barrier = PROCESSES.Barrier(6)

    def start() -> None:
        barrier.wait()
        store = Store.open(settings)
        asked(store)
        store.close()

    processes = [PROCESSES.Process(target=start) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    assert raw("SELECT version_num FROM alembic_version") == [(NEWEST,)]
    assert [request.generation for request in open_store().undispatched()] == [6]


def test_several_threads_open_a_new_database_at_once(open_store: Callable[[], Store]) -> None:
    barrier = threading.Barrier(6)
    failures: list[BaseException] = []

    def start() -> None:
        try:
            barrier.wait()
            open_store()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("at", ["subjects", "tokens"])
def test_a_process_that_dies_while_it_migrates_leaves_nothing_behind(
    settings: Settings, open_store: Callable[[], Store], raw: Raw, at: str
) -> None:
    def start() -> None:
        from alembic import op

        make = op.create_table

        def make_or_die(name: str, *parts: Any) -> None:
            if name == at:
                os.kill(os.getpid(), signal.SIGKILL)
            make(name, *parts)

        setattr(op, "create_table", make_or_die)  # noqa: B010 - in this process only
        Store.open(settings)

    process = PROCESSES.Process(target=start)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    asked(open_store())
    assert raw("SELECT version_num FROM alembic_version") == [(NEWEST,)]


def test_a_database_that_is_up_to_date_is_opened_as_it_is(
    store: Store, open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(store)
    monkeypatch.setattr("alembic.command.upgrade", None)
    assert open_store().undispatched() == [request]


def test_a_database_of_a_later_version_is_refused(store: Store, raw: Raw, open_store: Callable[[], Store]) -> None:
    raw("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=f"schema 9999; this version of Flowdelta knows schemas up to {NEWEST}"):
        open_store()
    assert raw("SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_database_of_something_else_is_refused_and_left_alone(raw: Raw, open_store: Callable[[], Store]) -> None:
    raw("CREATE TABLE reviews (id INTEGER)")
    with pytest.raises(StoreError, match="without a version"):
        open_store()
    assert raw("SELECT * FROM reviews") == []


def test_a_store_answers_until_its_database_is_gone(store: Store, raw: Raw) -> None:
    store.ping()
    raw("DROP TABLE subjects")
    with pytest.raises(StoreError, match="subjects"):
        store.ping()


def test_a_data_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreError, match="data cannot be used"):
        Store.open(settings_of(tmp_path, ""))


def test_a_connection_that_the_server_dropped_costs_no_request(tmp_path: Path, postgres: Postgres) -> None:
    from psycopg import sql

    with postgres.database() as url:
        store = Store.open(settings_of(tmp_path, url))
        asked(store)
        postgres.execute(sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flowdelta'"))
        assert asked(store).generation == 2
        store.close()


_PASSWORD = "hunter2:the-second"
_SPELLED = "hunter2%3Athe-second"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://flow:{_SPELLED}@127.0.0.1:1/flowdelta",
        f"postgresql://flow:{_SPELLED}@127.0.0.1:port/flowdelta",
        f"postgresql://flow@127.0.0.1:1/flowdelta?password={_SPELLED}",
        f"postgresql://flow:{_SPELLED}@127.0.0.1:1/flowdelta?no-such-option={_SPELLED}",
        f"postgres://flow:{_SPELLED}@[::1/flowdelta",
    ],
)
def test_no_failure_to_connect_shows_the_password(tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    try:
        settings = settings_of(tmp_path, url)
    except Exception as error:
        said = "".join(traceback.format_exception(error))
    else:
        with pytest.raises(StoreError) as raised:
            Store.open(settings)
        said = "".join(traceback.format_exception(raised.value))
    for text in (said, caplog.text):
        assert _PASSWORD not in text
        assert _SPELLED not in text
        assert "hunter2" not in text


def test_no_log_and_no_error_of_a_working_database_shows_the_password(
    tmp_path: Path, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with postgres.database() as url:
        # The server trusts whoever comes, so that any password will do.
        store = Store.open(settings_of(tmp_path, url.replace("postgres:@", f"postgres:{_SPELLED}@")))
        asked(store)
        store.close()
    assert "hunter2" not in caplog.text + repr(vars(store))

"""The folder of a worker's temporary files: one for each, and none left behind by the dead."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Event
from pathlib import Path

from service.jobs.workspace import Workspace


def hold(root: Path, ready: Event) -> None:
    Workspace(root, "other").open()
    (root / "other" / "report.json").write_text("{}")
    ready.set()
    signal.pause()


def test_a_folder_is_gone_when_it_is_closed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, "own")
    workspace.open()
    (workspace.folder / "report.json").write_text("{}")
    workspace.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_worker_left_is_deleted_and_only_then(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    other = context.Process(target=hold, args=(tmp_path, ready))
    other.start()
    assert ready.wait(60)
    Workspace(tmp_path, "first").open()
    assert (tmp_path / "other" / "report.json").exists()
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    Workspace(tmp_path, "second").open()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "first.lock", "second", "second.lock"]

"""Slots: one owner each, given back by death, taken over only from the dead."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Event
from pathlib import Path

from service.jobs import slots


def hold(folder: Path, ready: Event) -> None:
    slots.take(folder)
    ready.set()
    signal.pause()


def test_each_worker_gets_a_slot_of_its_own_and_reuses_what_was_released(tmp_path: Path) -> None:
    first, second = slots.take(tmp_path), slots.take(tmp_path)
    assert (first.name, second.name) == ("worker-0", "worker-1")
    first.release()
    assert slots.take(tmp_path).name == "worker-0"


def test_the_slot_of_a_killed_process_is_free_and_only_then(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    other = context.Process(target=hold, args=(tmp_path, ready))
    other.start()
    assert ready.wait(60)
    own = slots.take(tmp_path)
    assert own.name == "worker-1"
    with slots.abandoned(tmp_path, own) as dead:
        assert dead == ()
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    with slots.abandoned(tmp_path, own) as dead:
        assert dead == ("worker-0",)
        assert slots.take(tmp_path).name == "worker-2"  # nobody becomes worker-0 while its jobs are being moved
    assert slots.take(tmp_path).name == "worker-0"
    own.release()

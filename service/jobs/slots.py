"""Slots: who a worker process is to the job engine, by a lock that the kernel gives back when the process dies.

The engine recovers the jobs of the executor id that it starts with, and of no other. A worker takes the lowest free slot of the data
folder, so a process that replaces a killed one gets the same id and its jobs. Slots whose owner died and was not replaced are taken
over by whoever runs: the lock being free is the proof of death.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SLOTS = 64


class SlotsExhausted(Exception):
    """More workers share the data folder than there are slots."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A held slot. `name` is the executor id."""

    number: int
    descriptor: int

    @property
    def name(self) -> str:
        """The executor id."""
        return f"worker-{self.number}"

    def release(self) -> None:
        """Give it back."""
        os.close(self.descriptor)


def take(folder: Path) -> Slot:
    """The lowest slot that nobody holds. Raises `SlotsExhausted`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(_SLOTS):
        if slot := _try(folder, number):
            return slot
    raise SlotsExhausted(f"all {_SLOTS} worker slots of {folder} are taken")


@contextmanager
def abandoned(folder: Path, own: Slot) -> Iterator[tuple[str, ...]]:
    """The executor ids whose owners are dead; nobody can take those slots inside the block."""
    held = [slot for number in _known(folder) if number != own.number and (slot := _try(folder, number))]
    try:
        yield tuple(slot.name for slot in held)
    finally:
        for slot in held:
            slot.release()


def _known(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.lock") if path.stem.isdecimal())


def _try(folder: Path, number: int) -> Slot | None:
    descriptor = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Slot(number, descriptor)

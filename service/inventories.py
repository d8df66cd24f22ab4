"""Inventories: snapshots of clusters from files, with their age in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from analyzers.interest import read_running
from analyzers.manifests.kinds import CustomKinds
from analyzers.manifests.running import Running, SnapshotError, SnapshotLimits

NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
"""Names of clusters that an inventory can be given for."""

_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def of_files(given: Iterable[str], kinds: CustomKinds) -> Mapping[str, Running]:
    """What runs, by cluster, of `FILE` or `CLUSTER=FILE`. Raises `SnapshotError`."""
    found: dict[str, Running] = {}
    for each in given:
        cluster, path = _parted(each)
        if cluster in found:
            raise SnapshotError(
                f"--inventory {each}: another inventory is given for {f'cluster {cluster}' if cluster else 'the same cluster'}"
            )
        found[cluster] = _of_file(path, kinds)
    return found


def of_bytes(data: bytes, name: str, kinds: CustomKinds, brought: datetime, how: str) -> Running:
    """What runs, of a snapshot that was brought at a time, which counts where it does not say itself when it was taken. Raises
    `SnapshotError`."""
    running = read_running(data, name, kinds)
    said = _told("taken", running.taken) if running.taken is not None else _told(how, brought)
    return replace(running, said=said)


def _parted(given: str) -> tuple[str, Path]:
    """A file may have an equals sign in its name, but what stands before it must look like a cluster to be one."""
    cluster, separator, path = given.partition("=")
    return (cluster, Path(path)) if separator and path and NAME.fullmatch(cluster) else ("", Path(given))


def _of_file(path: Path, kinds: CustomKinds) -> Running:
    most = SnapshotLimits().bytes
    try:
        status = path.stat()
        if status.st_size > most:
            raise SnapshotError(f"{path}: has {status.st_size:,} bytes; at most {most:,} are read")
        data = path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    return of_bytes(data, path.name, kinds, datetime.fromtimestamp(status.st_mtime, UTC), "by the time of its file of")


def _told(how: str, when: datetime) -> str:
    return f"{how} {when.astimezone(UTC):%Y-%m-%d %H:%M} UTC ({_ago((datetime.now(UTC) - when).total_seconds())})"


def _ago(seconds: float) -> str:
    for unit, length in _UNITS:
        if seconds >= length:
            number = int(seconds // length)
            return f"{number:,} {unit}{'' if number == 1 else 's'} ago"
    return "just now" if seconds > -60 else "in the future"

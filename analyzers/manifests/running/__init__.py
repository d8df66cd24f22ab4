"""What runs in a cluster: read from a snapshot, reduced to what the analysis needs, and put beside what a repository declares."""

from __future__ import annotations

from analyzers.manifests.running.beside import Besides, Declared, beside, declared_by, nothing_declared
from analyzers.manifests.running.snapshot import (
    TAKEN,
    Running,
    SnapshotError,
    SnapshotLimits,
    is_running,
    read_snapshot,
    reduced_list,
    unpacked,
)

__all__ = [
    "TAKEN",
    "Besides",
    "Declared",
    "Running",
    "SnapshotError",
    "SnapshotLimits",
    "beside",
    "declared_by",
    "is_running",
    "nothing_declared",
    "read_snapshot",
    "reduced_list",
    "unpacked",
]

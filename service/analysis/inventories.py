"""The stored inventories of a repository, laid out as files for the process of an analysis."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from service.analysis.job import InventoryFile
from service.store import Store


def laid_out(store: Store, forge: str, repository: str, directory: str) -> tuple[InventoryFile, ...]:
    """Write the snapshot of each cluster into a folder."""
    return tuple(
        _written(store.content(each.content), each.cluster, each.uploaded, Path(directory) / f"inventory-{number}.json")
        for number, each in enumerate(store.inventories(forge, repository))
    )


def _written(content: bytes, cluster: str, uploaded: float, path: Path) -> InventoryFile:
    path.write_bytes(content)
    return InventoryFile(cluster, str(path), datetime.fromtimestamp(uploaded, UTC).isoformat())

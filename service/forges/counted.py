"""Counts what forges are asked, by how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from service.forges.port import ForgeError
from service.telemetry import forge_call


@contextmanager
def counted(forge: str) -> Iterator[None]:
    """Count one thing that a kind of forge is asked: done, limited (it said when to come again), failed (trying again can help) or
    refused."""
    try:
        yield
    except ForgeError as error:
        forge_call(forge, "limited" if error.retry_after is not None else "failed" if error.retry else "refused")
        raise
    forge_call(forge, "done")

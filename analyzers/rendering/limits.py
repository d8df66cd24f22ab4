"""What a renderer may use."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

MEBIBYTE: Final = 2**20


class RenderLimits(Struct, frozen=True):
    """What one renderer may use: seconds of time and of processor, bytes of memory (of addresses, which Go reserves freely) and of each
    file that it writes, its output included."""

    seconds: float = 30
    cpu: int = 30
    memory: int = 3_000 * MEBIBYTE
    file_bytes: int = 32 * MEBIBYTE

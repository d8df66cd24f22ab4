"""Decompression that stops at a cap, so that a small upload cannot fill the memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator

from service.archives.errors import ArchiveError

_CHUNK = 65_536
_XZ_MEMORY = 128 * 2**20  # twice what the strongest preset of xz asks for


def inflate(data: bytes, cap: int) -> memoryview:
    """The tar archive inside compressed data, told by its first bytes; the data themselves when they are not compressed.

    Raises `ArchiveError` (`too-large` above `cap` bytes, `corrupt`, `not-an-archive`).
    """
    chunks = next((chunks for magic, chunks in _FORMATS if data.startswith(magic)), None)
    if chunks is None:
        _check(len(data), cap)
        return memoryview(data)
    output = bytearray()
    try:
        for chunk in chunks(data):
            output += chunk
            _check(len(output), cap)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise ArchiveError("corrupt", f"the archive cannot be decompressed: {error}") from error
    return memoryview(output)


def _check(size: int, cap: int) -> None:
    if size > cap:
        raise ArchiveError("too-large", f"the archive unpacks to more than {cap} bytes")


def _gzip(data: bytes) -> Iterator[bytes]:
    return _read(gzip.GzipFile(fileobj=io.BytesIO(data)))


def _bzip2(data: bytes) -> Iterator[bytes]:
    return _read(bz2.BZ2File(io.BytesIO(data)))


def _read(stream: gzip.GzipFile | bz2.BZ2File) -> Iterator[bytes]:
    with stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _xz(data: bytes) -> Iterator[bytes]:
    """Streams of xz, one after the other. The standard library's reader sets no cap on the memory that a stream may ask for."""
    while data:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        yield decoder.decompress(data, _CHUNK)
        while not decoder.eof:
            if decoder.needs_input:
                raise EOFError("it is cut short")
            yield decoder.decompress(b"", _CHUNK)
        data = decoder.unused_data.lstrip(b"\0")


def _zstd(data: bytes) -> Iterator[bytes]:
    raise ArchiveError("not-an-archive", "zstd is not supported; use tar with gzip, bzip2 or xz, or zip")


_FORMATS: tuple[tuple[bytes, Callable[[bytes], Iterator[bytes]]], ...] = (
    (b"\x1f\x8b", _gzip),
    (b"BZh", _bzip2),
    (b"\xfd7zXZ\0", _xz),
    (b"\x28\xb5\x2f\xfd", _zstd),
)

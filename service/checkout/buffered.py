"""Records and counted bytes out of a stream of chunks."""

from __future__ import annotations

from collections.abc import Generator, Iterator


class Buffered:
    """Reads a stream of chunks piece by piece, holding little more than the piece asked for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._held, self._start = chunks, bytearray(), 0

    def until(self, mark: bytes, longest: int) -> bytes:
        """The bytes before the next `mark`, which is consumed; what is left when there is none. `OverflowError` above `longest` bytes."""
        while (found := self._held.find(mark, self._start)) < 0:
            if len(self._held) - self._start > longest:
                raise OverflowError("no end of the record in sight")
            if not self._more():
                return self.exactly(len(self._held) - self._start)
        if found - self._start > longest:
            raise OverflowError("the record is too long")
        record = self.exactly(found - self._start)
        self._start += len(mark)
        return record

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes. `EOFError` when the stream ends before."""
        while len(self._held) - self._start < size:
            if not self._more():
                raise EOFError("the stream ended in the middle of a record")
        piece = bytes(memoryview(self._held)[self._start : self._start + size])
        self._start += size
        return piece

    def skip(self, size: int) -> None:
        """Reads past the next `size` bytes without holding them. `EOFError` when the stream ends before."""
        while size > len(self._held) - self._start:
            size -= len(self._held) - self._start
            self._start = len(self._held)
            if not self._more():
                raise EOFError("the stream ended in the middle of a record")
        self._start += size

    def end(self) -> None:
        """Reads on to the end, so that a failure at the very end is heard of."""
        while self._more():
            self._start = len(self._held)

    def close(self) -> None:
        """Ends the stream early, with whatever feeds it."""
        if isinstance(self._chunks, Generator):
            self._chunks.close()

    def _more(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        del self._held[: self._start]
        self._start = 0
        self._held += chunk
        return True

"""Where results and remarks go."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from service.exits import BadInput


def write(chunks: Iterable[str], output: Path | None) -> None:
    """Stream to stdout, or to a file that appears whole or not at all. Raises `BadInput`."""
    if output is None:
        _print(chunks)
        return
    try:
        with tempfile.NamedTemporaryFile("w", dir=output.parent, prefix=f".{output.name}.", encoding="utf-8", delete=False) as partial:
            try:
                partial.writelines(chunks)
                partial.close()
                os.replace(partial.name, output)
            except BaseException:
                os.unlink(partial.name)
                raise
    except OSError as error:
        raise BadInput(f"cannot write {output}: {error.strerror}") from error


def remark(lines: Iterable[str]) -> None:
    """Say on stderr what a result does not say."""
    for line in lines:
        print(line, file=sys.stderr)


def _print(chunks: Iterable[str]) -> None:
    """Stream to stdout; a reader that goes away early has what it wanted."""
    try:
        for chunk in chunks:
            sys.stdout.write(chunk)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered must have somewhere to go when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""The code itself, as part of the name of what it made: what other code kept is not found.

Hashing it takes some milliseconds and can never be forgotten, as raising a version by hand can.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import analyzers
import service


@cache
def digest_of_analysis() -> str:
    """Of what reads, decides and compares. OSError where the code cannot be read."""
    top = _folder_of(analyzers)
    return _digest(top, _below(top, without="reports"))


@cache
def digest_of_reports() -> str:
    """Of what turns an analysis into text, and what the command line does around it. OSError where the code cannot be read."""
    analysis, commands = _folder_of(analyzers), _folder_of(service)
    # Sign-off reads a part of the configuration.
    parts = (os.path.join(commands, name) for name in ("local", "analysis", "checkout", "signoff"))
    reports = _digest(analysis, _below(os.path.join(analysis, "reports")))
    return reports + _digest(commands, [path for part in parts for path in _below(part)] + [os.path.join(commands, "configuration.py")])


def parser() -> bytes:
    """The part of the YAML parser that says which one it is: to import it would take longer than all of this."""
    return Path(_place_of_parser()).read_bytes()


def installed() -> int:
    """Changes when a library is installed, replaced or taken away beside the parser."""
    return Path(_place_of_parser()).parent.parent.stat().st_mtime_ns


def _folder_of(package: ModuleType) -> str:
    assert package.__file__ is not None
    return os.path.dirname(package.__file__)


def _below(top: str, without: str = "") -> list[str]:
    found = []
    for folder, inner, names in os.walk(top):
        inner[:] = sorted({*inner} - {"__pycache__", without})
        found += [os.path.join(folder, name) for name in sorted(names)]
    return found


def _digest(top: str, paths: Iterable[str]) -> str:
    hasher = hashlib.blake2b()
    for path in paths:
        with open(path, "rb", buffering=0) as stream:
            hasher.update(f"{path.removeprefix(top)}\0".encode() + stream.read())
    return hasher.hexdigest()


def _place_of_parser() -> str:
    found = find_spec("yaml")
    assert found is not None
    assert found.origin is not None
    return found.origin

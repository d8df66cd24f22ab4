"""Uses: what a workload says of itself that it talks to. Evidence, never reachability: no verdict depends on it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from analyzers.model.diagnostics import SourceLocation


class UseKind(StrEnum):
    """Where a workload says it."""

    VARIABLE = "variable"
    ANNOTATION = "annotation"


class Use(Struct, frozen=True, array_like=True):
    """One thing that a workload talks to. `name` is that of the variable or annotation.

    Of a variable, `target` is a host name as written and `port` a number (0 where none is said); nothing else of its value is kept, as it
    may hold a password. Of an annotation, `target` is the workload that it names, as `Kind/name` or by its name alone.
    """

    kind: UseKind
    name: str
    target: str
    port: int
    origin: SourceLocation

    def __str__(self) -> str:
        return f"{self.target}:{self.port}" if self.port else self.target

"""The order that goes to the process of one analysis, and what comes back. Both travel as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class GitSide:
    """One side in a repository: a commit, and what people call it. Paths below `subdir` are compared."""

    label: str
    commit: str
    subdir: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveSide:
    """One side in an archive, a tar or zip file at `path`."""

    label: str
    path: str


class Merging(StrEnum):
    """Whether the head is merged into the base first, and what a conflict means."""

    NO = "no"
    REQUIRED = "required"  # a conflict is an error
    PREFERRED = "preferred"  # a conflict is compared from the merge base, and the result says so


@dataclass(frozen=True, slots=True)
class GitComparison:
    """Two commits of the mirror of `url` below `root`."""

    base: GitSide
    head: GitSide
    root: str
    url: str
    allow_file: bool
    merging: Merging
    browse: str = ""
    kind: Literal["git"] = "git"


@dataclass(frozen=True, slots=True)
class ArchiveComparison:
    """Two archives."""

    base: ArchiveSide
    head: ArchiveSide
    kind: Literal["archives"] = "archives"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report to write: its file name, its format, and for Markdown its budget of characters."""

    name: str
    format: str
    budget: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """What is compared and which reports are written into `directory`. `cpu` is in seconds, `memory` in bytes;
    `report_url` is where the full report can be read, `cache` the folder of the parse cache (none where it is empty)."""

    comparison: GitComparison | ArchiveComparison
    reports: tuple[Wanted, ...]
    directory: str
    host_network: str
    cpu: int
    memory: int
    report_url: str = ""
    cache: str = ""

    def to_json(self) -> dict[str, Any]:
        """The order as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Order:
        """The order that `to_json` wrote."""
        reports = tuple(Wanted(**wanted) for wanted in value["reports"])
        return cls(**{**value, "comparison": _comparison(value["comparison"]), "reports": reports})


@dataclass(frozen=True, slots=True)
class Result:
    """What an analysis found, beside its reports. `headline` says it in one line; `conflicts` are the paths that kept the head from
    merging."""

    complete: bool
    digest: str
    headline: str
    conflicts: tuple[str, ...] = ()


class AnalysisError(Exception):
    """The analysis gave no result. `reason` is a stable word, `message` a sentence for the person who waits for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


def _comparison(value: Mapping[str, Any]) -> GitComparison | ArchiveComparison:
    if value["kind"] == "git":
        sides = {side: GitSide(**value[side]) for side in ("base", "head")}
        return GitComparison(**{**value, **sides, "merging": Merging(value["merging"])})
    archives = {side: ArchiveSide(**value[side]) for side in ("base", "head")}
    return ArchiveComparison(**{**value, **archives})

"""The order that goes to the process of one analysis, and what comes back. Both travel as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

from service.analysis.errors import AnalysisError as AnalysisError


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
    """Two commits of the mirror of `url` below `root`. `source_url` is where a line can be read, as `Forge.source_url` says."""

    base: GitSide
    head: GitSide
    root: str
    url: str
    allow_file: bool
    merging: Merging
    source_url: str = ""
    kind: Literal["git"] = "git"


@dataclass(frozen=True, slots=True)
class ArchiveComparison:
    """Two archives."""

    base: ArchiveSide
    head: ArchiveSide
    kind: Literal["archives"] = "archives"


@dataclass(frozen=True, slots=True)
class GitRevision:
    """One commit of the mirror of `url` below `root`."""

    side: GitSide
    root: str
    url: str
    allow_file: bool
    source_url: str = ""
    kind: Literal["git-revision"] = "git-revision"


@dataclass(frozen=True, slots=True)
class Archive:
    """One archive."""

    side: ArchiveSide
    kind: Literal["archive"] = "archive"


Comparison = GitComparison | ArchiveComparison
Single = GitRevision | Archive
Subject = Comparison | Single


@dataclass(frozen=True, slots=True)
class Pair:
    """The ends that an explanation is about, endpoint ids or addresses, and the port if one was asked for (`8080/TCP`)."""

    source: str
    destination: str
    port: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report to write: its file name, its format, and for Markdown its budget of characters."""

    name: str
    format: str
    budget: int = 0


@dataclass(frozen=True, slots=True)
class Guard:
    """How guardrails are judged beside a comparison: on which day (ISO), by which file of the organisation beside the repository's own (a
    path, or empty), and whether a change of the rules is held to the stricter of both sides."""

    today: str
    organisation: str = ""
    stricter: bool = False


@dataclass(frozen=True, slots=True)
class InventoryFile:
    """A snapshot of what runs in a cluster (empty where it has no name), the file at `path`, uploaded at a time (ISO)."""

    cluster: str
    path: str
    uploaded: str


@dataclass(frozen=True, slots=True)
class Order:
    """What is analysed and which reports are written into `directory`: the explanation of `pair` where there is one, of a subject with two
    sides at its head; else what changes between two sides, or the matrix of one.

    `cpu` is in seconds, `memory` in bytes; `report_url` is where the full report can be read, `cache` the folder of the parse cache (none
    where it is empty); `namespaces` filters the rows shown. With `guard`, a comparison also says what the guardrails guard.
    `cluster` is the one of several that is analysed, None all of a comparison; `inventories` is beside what they are judged.
    """

    subject: Subject
    reports: tuple[Wanted, ...]
    directory: str
    host_network: str
    cpu: int
    memory: int
    report_url: str = ""
    cache: str = ""
    pair: Pair | None = None
    namespaces: tuple[str, ...] = ()
    guard: Guard | None = None
    cluster: str | None = None
    inventories: tuple[InventoryFile, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The order as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Order:
        """The order that `to_json` wrote."""
        reports = tuple(Wanted(**wanted) for wanted in value["reports"])
        pair = Pair(**value["pair"]) if value["pair"] is not None else None
        guard = Guard(**value["guard"]) if value["guard"] is not None else None
        read = {"subject": _subject(value["subject"]), "reports": reports, "pair": pair, "namespaces": tuple(value["namespaces"])}
        read["inventories"] = tuple(InventoryFile(**each) for each in value["inventories"])
        return cls(**{**value, **read, "guard": guard})


@dataclass(frozen=True, slots=True)
class Result:
    """What an analysis found, beside its reports. `headline` says it in one line; `conflicts` are the paths that kept the head from
    merging; only a comparison has a digest. `diagnostics` says how many there were of each code."""

    complete: bool
    digest: str
    headline: str
    conflicts: tuple[str, ...] = ()
    diagnostics: Mapping[str, int] = field(default_factory=dict)


def _subject(value: Mapping[str, Any]) -> Subject:
    match value["kind"]:
        case "git":
            return GitComparison(**{**value, **_git_sides(value), "merging": Merging(value["merging"])})
        case "archives":
            return ArchiveComparison(**{**value, **{side: ArchiveSide(**value[side]) for side in ("base", "head")}})
        case "git-revision":
            return GitRevision(**{**value, "side": GitSide(**value["side"])})
    return Archive(**{**value, "side": ArchiveSide(**value["side"])})


def _git_sides(value: Mapping[str, Any]) -> dict[str, GitSide]:
    return {side: GitSide(**value[side]) for side in ("base", "head")}

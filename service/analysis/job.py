"""The order that goes to the process of one analysis, and what comes back. Both travel as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, convert, field, to_builtins

from service.analysis.errors import AnalysisError as AnalysisError


class GitSide(Struct, frozen=True):
    """One side in a repository: a commit, and what people call it. Paths below `subdir` are compared."""

    label: str
    commit: str
    subdir: str = ""


class ArchiveSide(Struct, frozen=True):
    """One side in an archive, a tar or zip file at `path`."""

    label: str
    path: str


class Merging(StrEnum):
    """Whether the head is merged into the base first, and what a conflict means."""

    NO = "no"
    REQUIRED = "required"  # a conflict is an error
    PREFERRED = "preferred"  # a conflict is compared from the merge base, and the result says so


class GitComparison(Struct, frozen=True, tag_field="kind", tag="git"):
    """Two commits of the mirror of `url` below `root`. `source_url` is where a line can be read, as `Forge.source_url` says."""

    base: GitSide
    head: GitSide
    root: str
    url: str
    allow_file: bool
    merging: Merging
    source_url: str = ""


class ArchiveComparison(Struct, frozen=True, tag_field="kind", tag="archives"):
    """Two archives."""

    base: ArchiveSide
    head: ArchiveSide


class GitRevision(Struct, frozen=True, tag_field="kind", tag="git-revision"):
    """One commit of the mirror of `url` below `root`."""

    side: GitSide
    root: str
    url: str
    allow_file: bool
    source_url: str = ""


class Archive(Struct, frozen=True, tag_field="kind", tag="archive"):
    """One archive."""

    side: ArchiveSide


Comparison = GitComparison | ArchiveComparison
Single = GitRevision | Archive
Subject = Comparison | Single


class Pair(Struct, frozen=True):
    """The ends that an explanation is about, endpoint ids or addresses, and the port if one was asked for (`8080/TCP`)."""

    source: str
    destination: str
    port: str | None = None


class Wanted(Struct, frozen=True):
    """A report to write: its file name, its format, and for Markdown its budget of characters."""

    name: str
    format: str
    budget: int = 0


class Guard(Struct, frozen=True):
    """How guardrails are judged beside a comparison: on which day (ISO), by which file of the organisation beside the repository's own (a
    path, or empty), and whether a change of the rules is held to the stricter of both sides."""

    today: str
    organisation: str = ""
    stricter: bool = False


class InventoryFile(Struct, frozen=True):
    """A snapshot of what runs in a cluster (empty where it has no name), the file at `path`, uploaded at a time (ISO)."""

    cluster: str
    path: str
    uploaded: str


class Order(Struct, frozen=True):
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
        value: dict[str, Any] = to_builtins(self)
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Order:
        """The order that `to_json` wrote."""
        return convert(value, cls)


class Result(Struct, frozen=True):
    """What an analysis found, beside its reports. `headline` says it in one line; `conflicts` are the paths that kept the head from
    merging; only a comparison has a digest. `diagnostics` says how many there were of each code."""

    complete: bool
    digest: str
    headline: str
    conflicts: tuple[str, ...] = ()
    diagnostics: Mapping[str, int] = field(default_factory=dict)

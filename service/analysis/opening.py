"""From the subject of an order to trees of files: archives are unpacked in memory, revisions are read from a mirror."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from analyzers.manifests.running import is_running
from analyzers.manifests.tree import Tree
from analyzers.model.diagnostics import SourceLocation
from analyzers.pipeline import Revision
from service.analysis.job import (
    AnalysisError,
    Archive,
    ArchiveComparison,
    ArchiveSide,
    Comparison,
    GitComparison,
    GitRevision,
    GitSide,
    Merging,
    Single,
    Subject,
)
from service.archives import ArchiveTree
from service.checkout import Conflict, GitTree, Repository, merge, side_by_side
from service.checkout.mirror import Mirrors


class Side(Struct, frozen=True):
    """One tree, and what it is called."""

    tree: Tree
    revision: Revision


class Opened(Struct, frozen=True):
    """Both sides of a comparison; `conflicts` are the paths that kept the head from merging."""

    base: Side
    head: Side
    conflicts: tuple[str, ...] = ()


@contextmanager
def both(comparison: Comparison) -> Iterator[Opened]:
    """The two sides. Raises `AnalysisError`, `ArchiveError` or `CheckoutError`."""
    if isinstance(comparison, ArchiveComparison):
        yield Opened(_unpacked(comparison.base), _unpacked(comparison.head))
        return
    with _mirror(comparison) as repository:
        yield _merged(comparison, repository)


@contextmanager
def one(single: Single) -> Iterator[Side]:
    """The one tree. Raises `ArchiveError` or `CheckoutError`."""
    if isinstance(single, Archive):
        yield _unpacked(single.side)
        return
    with _mirror(single) as repository:
        side = single.side
        yield Side(GitTree(repository, side.commit, side.subdir), Revision(side.label, side.commit))


def link(subject: Subject, revision: Revision, location: SourceLocation) -> str | None:
    """Where a line can be read: at the commit of its side. None where that is nowhere."""
    if not isinstance(subject, GitComparison | GitRevision) or not subject.source_url or revision.commit is None or is_running(location):
        return None
    folder = (subject.head if isinstance(subject, GitComparison) else subject.side).subdir.strip("/")
    path = f"{folder}/{location.path}" if folder else location.path
    # Replaced one by one, the path last: braces in a path are characters, not fields.
    place = subject.source_url.replace("{commit}", revision.commit).replace("{line}", str(location.line or 1))
    return place.replace("{path}", quote(path))


def _unpacked(side: ArchiveSide) -> Side:
    return Side(ArchiveTree.from_bytes(Path(side.path).read_bytes()), Revision(side.label))


@contextmanager
def _mirror(subject: GitComparison | GitRevision) -> Iterator[Repository]:
    with Mirrors(Path(subject.root), allow_file=subject.allow_file).open(subject.url) as repository:
        yield repository


def _merged(comparison: GitComparison, repository: Repository) -> Opened:
    base, head = comparison.base, comparison.head
    if comparison.merging is Merging.NO:
        return _sides(repository, base, head)
    merged = merge(repository, base.commit, head.commit)
    if not isinstance(merged, Conflict):
        return _sides(repository, base, head, merged.tree)
    if comparison.merging is Merging.REQUIRED:
        raise AnalysisError("conflict", f"{head.label} cannot be merged into {base.label}: conflicts in {', '.join(merged.paths[:5])}.")
    ancestor = GitSide(f"merge base with {base.label}", merged.merge_base, base.subdir)
    return replace(_sides(repository, ancestor, head), conflicts=merged.paths)


def _sides(repository: Repository, base: GitSide, head: GitSide, merged: str = "") -> Opened:
    """Both sides; `merged` is the tree to read for head where it is not that of its commit."""
    before, after = GitTree(repository, base.commit, base.subdir), GitTree(repository, merged or head.commit, head.subdir)
    first, second = side_by_side(before, after)
    label = f"{head.label} merged into {base.label}" if merged else head.label
    return Opened(Side(first, Revision(base.label, base.commit)), Side(second, Revision(label, head.commit)))

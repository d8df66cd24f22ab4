"""From an order to its reports: opens the two trees, analyses them and renders. Runs in the process of the analysis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from analyzers.manifests.tree import Tree
from analyzers.model.cluster import HostNetwork
from analyzers.model.diagnostics import SourceLocation
from analyzers.pipeline import Options, Revision, diff
from analyzers.reports import Context, headline, render
from service.analysis.job import AnalysisError, ArchiveComparison, GitComparison, GitSide, Merging, Order, Result
from service.analysis.wording import conflict_note
from service.archives import ArchiveError, ArchiveTree
from service.checkout import CheckoutError, Conflict, GitTree, Mirrors, Repository, merge, side_by_side
from service.parse_cache import remembering


@dataclass(frozen=True, slots=True)
class _Side:
    tree: Tree
    revision: Revision


@dataclass(frozen=True, slots=True)
class _Opened:
    base: _Side
    head: _Side
    conflicts: tuple[str, ...] = ()


def compare(order: Order) -> Result:
    """Write the reports of the order. Raises `AnalysisError`."""
    try:
        with _opened(order.comparison) as opened:
            return _compared(order, opened)
    except (ArchiveError, CheckoutError) as error:
        raise AnalysisError(error.reason, error.message) from error


def _compared(order: Order, opened: _Opened) -> Result:
    base, head = opened.base, opened.head
    started = time.monotonic()
    with remembering(Path(order.cache) if order.cache else None) as shelf:
        options = Options(host_network=HostNetwork(order.host_network), shelf=shelf)
        report = diff(base.tree, head.tree, options, base_revision=base.revision, head_revision=head.revision)
    seconds = time.monotonic() - started
    note = conflict_note(opened.conflicts) if opened.conflicts else ""

    def link(side: str, location: SourceLocation) -> str | None:
        return _link(order.comparison, base.revision if side == "base" else head.revision, location)

    for wanted in order.reports:
        context = Context(link=link, budget=wanted.budget, note=note, report_url=order.report_url or None, seconds=seconds)
        with (Path(order.directory) / wanted.name).open("w", encoding="utf-8") as stream:
            stream.writelines(render(wanted.format, report, context=context))
    return Result(report.complete, report.digest, headline.of_diff(report), opened.conflicts)


@contextmanager
def _opened(comparison: GitComparison | ArchiveComparison) -> Iterator[_Opened]:
    if isinstance(comparison, ArchiveComparison):
        base, head = (
            _Side(ArchiveTree.from_bytes(Path(side.path).read_bytes()), Revision(side.label)) for side in (comparison.base, comparison.head)
        )
        yield _Opened(base, head)
        return
    with Mirrors(Path(comparison.root), allow_file=comparison.allow_file).open(comparison.url) as repository:
        yield _opened_git(comparison, repository)


def _opened_git(comparison: GitComparison, repository: Repository) -> _Opened:
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


def _sides(repository: Repository, base: GitSide, head: GitSide, merged: str = "") -> _Opened:
    """Both sides; `merged` is the tree to read for head where it is not that of its commit."""
    before, after = GitTree(repository, base.commit, base.subdir), GitTree(repository, merged or head.commit, head.subdir)
    one, other = side_by_side(before, after)
    label = f"{head.label} merged into {base.label}" if merged else head.label
    return _Opened(_Side(one, Revision(base.label, base.commit)), _Side(other, Revision(label, head.commit)))


def _link(comparison: GitComparison | ArchiveComparison, revision: Revision, location: SourceLocation) -> str | None:
    """Where a line can be read: at the commit of its side."""
    if not isinstance(comparison, GitComparison) or not comparison.browse or revision.commit is None:
        return None
    folder = comparison.head.subdir
    path = f"{folder}/{location.path}" if folder else location.path
    return f"{comparison.browse}/blob/{revision.commit}/{quote(path)}#L{location.line}"

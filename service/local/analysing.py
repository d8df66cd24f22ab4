"""The analysis commands: trees from folders or a repository, the pipeline, a report to stdout or a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from analyzers.impact.clusters import differs
from analyzers.manifests.folder import FolderTree, TreeError
from analyzers.manifests.limits import DEFAULT_LIMITS
from analyzers.manifests.running import SnapshotError
from analyzers.manifests.tree import Tree
from analyzers.model.cluster import HostNetwork
from analyzers.model.diagnostics import Severity
from analyzers.model.revision import Revision
from analyzers.pipeline import ClusterError, ExplainError, Options
from analyzers.pipeline import compare as compare_trees
from analyzers.pipeline import explain as explain_tree
from analyzers.pipeline import matrix as matrix_of_tree
from analyzers.reports import Context, Report, render
from analyzers.reports.escape import printable
from service import inventories
from service.analysis.errors import AnalysisError
from service.analysis.preparing import prepared
from service.checkout import CheckoutError
from service.exits import BadInput, Exit
from service.kept_entries import KeptEntries, keeping
from service.local.answers import Answer, Answers, Copied
from service.local.options import Shared
from service.local.output import remark, write
from service.local.revisions import Side
from service.parse_cache import ParseCache
from service.progress import watching

_MOST_SHOWN = 20
"""Diagnostics listed on stderr."""


def matrix(path: Path, shared: Shared) -> Exit:
    """Run `flowdelta matrix`."""
    with _explained(), keeping(shared.cache_folder) as entries:
        tree = FolderTree(path)
        options = options_for(tree, shared, entries)
        with watching(quiet=shared.quiet) as observe:
            report = matrix_of_tree(tree, options, revision=Revision(str(path)), observe=observe)
        _refuse_empty(report, str(path))
        return _finish(report, shared, _rendered(report, shared))


def diff_folders(base: Path, head: Path, shared: Shared, exit_code: bool) -> Exit:
    """Run `flowdelta diff` on two folders."""
    with _explained(), keeping(shared.cache_folder) as entries:
        sides = Side(FolderTree(base), Revision(str(base))), Side(FolderTree(head), Revision(str(head)))
        return diff(sides, shared, exit_code, entries)


def diff(
    sides: tuple[Side, Side], shared: Shared, exit_code: bool, entries: KeptEntries | None = None, answers: Answers | None = None
) -> Exit:
    """Compare two sides, and keep the answer where it is complete. Raises `BadInput`."""
    base, head = sides
    with _explained():
        options = options_for(base.tree, shared, entries)
        with watching(quiet=shared.quiet) as observe:
            report = compare_trees(base.tree, head.tree, options, base_revision=base.revision, head_revision=head.revision, observe=observe)
        _refuse_empty(report, f"{base.revision.label} and {head.revision.label}")
        differing, printed = differs(report), Copied(_rendered(report, shared))
        ended = _finish(report, shared, printed)
        if answers is not None and report.complete and printed.text is not None:
            answers.keep(Answer(printed.text, tuple(_remarks(report)), differing))
    if not exit_code:
        return ended
    return Exit.DIFFERENCES if differing else ended if report.complete else Exit.BAD_INPUT


def explain(path: Path, source: str, destination: str, port: str | None, shared: Shared) -> Exit:
    """Run `flowdelta explain`."""
    with _explained(), keeping(shared.cache_folder) as entries:
        tree = FolderTree(path)
        report = explain_tree(tree, source, destination, port, options_for(tree, shared, entries))
        return _finish(report, shared, _rendered(report, shared))


def options_for(base: Tree, shared: Shared, entries: KeptEntries | None) -> Options:
    """The options that the analysis takes; what the repository says of itself is read from `base`. Raises `AnalysisError` and
    `SnapshotError`."""
    shelf = ParseCache(entries, DEFAULT_LIMITS) if entries is not None else None
    options = prepared(Options(HostNetwork(shared.host_network), shelf=shelf, baselines=shelf, cluster=shared.cluster), base, shelf)
    return replace(options, running=inventories.of_files(shared.inventories, options.kinds))


def _refuse_empty(report: Report, where: str) -> None:
    """A place without a single manifest is a mistyped path far more often than an empty cluster."""
    found = [each for each in report.diagnostics if each.code == "no-manifests" and each.side is None]
    if found and report.complete:
        raise BadInput(f"{where}: {found[0].message}")


def _rendered(report: Report, shared: Shared) -> Iterator[str]:
    return render(shared.format_name, report, context=Context(frozenset(shared.namespaces)))


def _finish(report: Report, shared: Shared, rendered: Iterable[str]) -> Exit:
    """Write the rendered report and what it could not analyse; the exit code says whether --strict was met."""
    write(rendered, shared.output)
    if shared.remarks:
        remark(_remarks(report))
    return Exit.BAD_INPUT if shared.strict and not report.complete else Exit.DONE


def _remarks(report: Report) -> Iterator[str]:
    notable = [each for each in report.diagnostics if each.severity is not Severity.INFO]
    for each in notable[:_MOST_SHOWN]:
        place = ":".join(str(part) for part in (each.path, each.line) if part is not None)
        yield printable(f"{place + ': ' if place else ''}{each.severity}: {each.message} [{each.code}]")
    if len(notable) > _MOST_SHOWN:
        yield f"… and {len(notable) - _MOST_SHOWN} more diagnostics"
    if not report.complete:
        yield "flowdelta: the analysis is incomplete"


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what the input can do wrong into messages."""
    try:
        yield
    except (TreeError, CheckoutError, ClusterError, ExplainError, AnalysisError, SnapshotError) as error:
        raise BadInput(printable(str(error))) from error

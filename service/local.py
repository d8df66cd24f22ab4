"""The analysis commands: trees from folders or a repository, the pipeline, a report to stdout or a file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from analyzers.impact.clusters import differs
from analyzers.manifests.folder import FolderTree, TreeError
from analyzers.manifests.running import SnapshotError
from analyzers.manifests.tree import Tree
from analyzers.model.cluster import HostNetwork
from analyzers.model.diagnostics import Severity
from analyzers.pipeline import ClusterError, ExplainError, Options, Revision
from analyzers.pipeline import compare as compare_trees
from analyzers.pipeline import explain as explain_tree
from analyzers.pipeline import matrix as matrix_of_tree
from analyzers.reports import Context, Report, render
from analyzers.reports.escape import printable
from service import inventories
from service.analysis.errors import AnalysisError
from service.analysis.preparing import prepared
from service.checkout import CheckoutError, Conflict, GitTree, merge, open_repository, resolve_all, side_by_side
from service.exits import BadInput, Exit
from service.parse_cache import remembering
from service.progress import watching

_MOST_SHOWN = 20
"""Diagnostics listed on stderr."""


class Shared(Struct, frozen=True):
    """The options that the analysis commands share, as given."""

    format_name: str
    output: Path | None
    host_network: str
    namespaces: tuple[str, ...]
    no_cache: bool
    strict: bool
    quiet: bool
    cluster: str | None = None
    inventories: tuple[str, ...] = ()

    @contextmanager
    def analysis(self, base: Tree) -> Iterator[Options]:
        """The part that the analysis takes, for one run; what the repository says of itself is read from `base`."""
        with remembering(None if self.no_cache else _cache_folder()) as shelf:
            options = Options(HostNetwork(self.host_network), shelf=shelf, baselines=shelf, cluster=self.cluster)
            options = prepared(options, base, shelf)
            yield replace(options, running=inventories.of_files(self.inventories, options.kinds))

    @property
    def context(self) -> Context:
        """The part that the report takes."""
        return Context(frozenset(self.namespaces))


def matrix(path: Path, shared: Shared) -> Exit:
    """Run `flowdelta matrix`."""
    with _explained():
        tree = FolderTree(path)
        with shared.analysis(tree) as options, watching(quiet=shared.quiet) as observe:
            report = matrix_of_tree(tree, options, revision=Revision(str(path)), observe=observe)
        _refuse_empty(report, str(path))
        return _finish(report, shared)


def diff_folders(base: Path, head: Path, shared: Shared, exit_code: bool) -> Exit:
    """Run `flowdelta diff` on two folders."""
    with _explained():
        return _diff(FolderTree(base), FolderTree(head), Revision(str(base)), Revision(str(head)), shared, exit_code)


def diff_revisions(repo: Path, base: str, head: str, subdir: str, merged: bool, shared: Shared, exit_code: bool) -> Exit:
    """Run `flowdelta diff --repo`."""
    with _explained(), revisions(repo, base, head, subdir, merged) as (before, after):
        return _diff(before.tree, after.tree, before.revision, after.revision, shared, exit_code)


class Side(Struct, frozen=True):
    """One tree of a comparison, and what it is called."""

    tree: Tree
    revision: Revision


@contextmanager
def revisions(repo: Path, base: str, head: str, subdir: str, merged: bool) -> Iterator[tuple[Side, Side]]:
    """Two revisions of a repository; with `merged`, the second as merged into the first. Raises `CheckoutError` and `BadInput`."""
    with open_repository(repo) as repository:
        before, after = resolve_all(repository, base, head)
        head_revision = Revision(head, after)
        compared = after
        if merged:
            outcome = merge(repository, before, after)
            if isinstance(outcome, Conflict):
                paths = ", ".join(map(printable, outcome.paths[:_MOST_SHOWN]))
                raise BadInput(f"{head} does not merge into {base}: conflicts in {paths}")
            compared, head_revision = outcome.tree, Revision(f"{head} merged into {base}", after)
        trees = side_by_side(GitTree(repository, before, subdir), GitTree(repository, compared, subdir))
        yield Side(trees[0], Revision(base, before)), Side(trees[1], head_revision)


def explain(path: Path, source: str, destination: str, port: str | None, shared: Shared) -> Exit:
    """Run `flowdelta explain`."""
    with _explained():
        tree = FolderTree(path)
        with shared.analysis(tree) as options:
            report = explain_tree(tree, source, destination, port, options)
        return _finish(report, shared)


def _cache_folder() -> Path | None:
    """Where the user's caches are, by the XDG rule; None for a user without a home."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if chosen.startswith("/"):
        return Path(chosen) / "flowdelta"
    try:
        return Path.home() / ".cache" / "flowdelta"
    except RuntimeError:
        return None


def _diff(base: Tree, head: Tree, base_revision: Revision, head_revision: Revision, shared: Shared, exit_code: bool) -> Exit:
    with shared.analysis(base) as options, watching(quiet=shared.quiet) as observe:
        report = compare_trees(base, head, options, base_revision=base_revision, head_revision=head_revision, observe=observe)
    _refuse_empty(report, f"{base_revision.label} and {head_revision.label}")
    ended = _finish(report, shared)
    if not exit_code:
        return ended
    return Exit.DIFFERENCES if differs(report) else ended if report.complete else Exit.BAD_INPUT


def _refuse_empty(report: Report, where: str) -> None:
    """A place without a single manifest is a mistyped path far more often than an empty cluster."""
    found = [each for each in report.diagnostics if each.code == "no-manifests" and each.side is None]
    if found and report.complete:
        raise BadInput(f"{where}: {found[0].message}")


def _finish(report: Report, shared: Shared) -> Exit:
    """Write the report and what it could not analyse; the exit code says whether --strict was met."""
    _write(render(shared.format_name, report, context=shared.context), shared.output)
    if not shared.quiet and (shared.output is not None or shared.format_name != "text"):
        _list_diagnostics(report)
    return Exit.BAD_INPUT if shared.strict and not report.complete else Exit.DONE


def _list_diagnostics(report: Report) -> None:
    notable = [each for each in report.diagnostics if each.severity is not Severity.INFO]
    for each in notable[:_MOST_SHOWN]:
        place = ":".join(str(part) for part in (each.path, each.line) if part is not None)
        print(printable(f"{place + ': ' if place else ''}{each.severity}: {each.message} [{each.code}]"), file=sys.stderr)
    if len(notable) > _MOST_SHOWN:
        print(f"… and {len(notable) - _MOST_SHOWN} more diagnostics", file=sys.stderr)
    if not report.complete:
        print("flowdelta: the analysis is incomplete", file=sys.stderr)


def _write(chunks: Iterable[str], output: Path | None) -> None:
    """Stream to stdout, or to a file that appears whole or not at all."""
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


def _print(chunks: Iterable[str]) -> None:
    """Stream to stdout; a reader that goes away early has what it wanted."""
    try:
        for chunk in chunks:
            sys.stdout.write(chunk)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered must have somewhere to go when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what the input can do wrong into messages."""
    try:
        yield
    except (TreeError, CheckoutError, ClusterError, ExplainError, AnalysisError, SnapshotError) as error:
        raise BadInput(printable(str(error))) from error

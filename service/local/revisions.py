"""The two revisions of a repository that are compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from analyzers.manifests.tree import Tree
from analyzers.model.revision import Revision
from service.checkout import Conflict, GitTree, merge, open_repository, resolve_all, side_by_side
from service.exits import BadInput

_MOST_SHOWN = 20
"""Paths in conflict that are listed."""


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
                from analyzers.reports.escape import printable  # it brings all reports along

                paths = ", ".join(map(printable, outcome.paths[:_MOST_SHOWN]))
                raise BadInput(f"{head} does not merge into {base}: conflicts in {paths}")
            compared, head_revision = outcome.tree, Revision(f"{head} merged into {base}", after)
        trees = side_by_side(GitTree(repository, before, subdir), GitTree(repository, compared, subdir))
        yield Side(trees[0], Revision(base, before)), Side(trees[1], head_revision)

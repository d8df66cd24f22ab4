"""Git: whatever turns a revision into a tree of files; what is fetched from a forge stands in `mirror.py`. Importing it is cheap: GitPython
is loaded when git first runs."""

from service.checkout.errors import REASONS, CheckoutError
from service.checkout.merge import Conflict, Merged, merge
from service.checkout.repository import Repository, open_repository, resolve, resolve_all
from service.checkout.trees import GitTree, TreeLimits, side_by_side

__all__ = [
    "REASONS",
    "CheckoutError",
    "Conflict",
    "GitTree",
    "Merged",
    "Repository",
    "TreeLimits",
    "merge",
    "open_repository",
    "resolve",
    "resolve_all",
    "side_by_side",
]

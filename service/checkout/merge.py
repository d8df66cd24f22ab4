"""What merging a head would give, computed on trees alone: no work tree, no index, no hooks, no merge drivers."""

from __future__ import annotations

import re

from msgspec import Struct

from service.checkout.command import GitRunner
from service.checkout.errors import CheckoutError, GitFailed
from service.checkout.names import object_id, path_text
from service.checkout.repository import Repository

_NEEDED = (2, 38)
_CONFLICT = 1


class Merged(Struct, frozen=True):
    """The merge is clean; `tree` is the id of the tree that it gives, readable through the same open repository."""

    tree: str


class Conflict(Struct, frozen=True):
    """The merge needs a person. `paths` are the files in conflict, sorted; `merge_base` is the commit to compare the head with instead."""

    paths: tuple[str, ...]
    merge_base: str


def merge(repository: Repository, base: str, head: str) -> Merged | Conflict:
    """What merging commit `head` into commit `base` gives. Nothing is written into the repository.

    Raises `CheckoutError`: `git-too-old`, `unrelated-histories`, `shallow-repository`, `missing-object`, `timeout`.
    """
    require_merge(repository.objects)
    ancestor = merge_base(repository, object_id(base), object_id(head))
    arguments = ("--write-tree", "--name-only", "--no-messages", "-z", "--", base, head)
    try:
        done = repository.objects.run("merge-tree", *arguments, accept=(0, _CONFLICT))
    except GitFailed as error:
        reason = "missing-object" if re.search(r"unable to read|missing|bad object", error.complaint) else "git-failed"
        raise CheckoutError(reason, f"{repository.name}: {head} cannot be merged into {base}: {error.complaint}") from error
    tree, *paths = [path_text(field) for field in done.stdout.split(b"\0") if field]
    return Conflict(tuple(sorted(set(paths))), ancestor) if done.status == _CONFLICT else Merged(object_id(tree))


def merge_base(repository: Repository, base: str, head: str) -> str:
    """The best common ancestor of two commits; of several equally good ones the one that git names first."""
    try:
        return object_id(repository.objects.run("merge-base", "--", base, head).line)
    except GitFailed as error:
        if error.status != 1:
            raise CheckoutError("missing-object", f"{repository.name}: no history of {base} and {head}: {error.complaint}") from error
        if repository.shallow:
            message = f"{repository.name} is a shallow clone without the commit that {base} and {head} have in common"
            raise CheckoutError("shallow-repository", f"{message}: run `git fetch --unshallow`") from error
        raise CheckoutError("unrelated-histories", f"{repository.name}: {base} and {head} have no commit in common") from error


def require_merge(git: GitRunner) -> None:
    """Raises `CheckoutError` (`git-too-old`) unless git can merge without a work tree."""
    said = git.run("version").line
    found = re.match(r"git version (\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < _NEEDED:
        raise CheckoutError("git-too-old", f"git 2.38 or later is needed to merge without a work tree; this is {said!r}")

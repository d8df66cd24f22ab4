"""Names that come from a forge and go to git: what git would not take, or take for an option, is refused."""

from __future__ import annotations

import re

from service.forges.port import ForgeError

_BRANCH = re.compile(r"(?!/|-|\.|.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]{1,255}(?<![./])")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
HEADS = "refs/heads/"


def is_branch_ref(ref: object) -> bool:
    """Whether it is the full name of a branch."""
    return isinstance(ref, str) and ref.startswith(HEADS) and _BRANCH.fullmatch(ref.removeprefix(HEADS)) is not None


def branch_ref(name: object) -> str:
    """The full name of a branch. Raises `ForgeError`."""
    ref = f"{HEADS}{name}"
    if not isinstance(name, str) or not is_branch_ref(ref):
        raise ForgeError("the forge named a branch that git would not take", retry=False)
    return ref


def commit_id(value: object) -> str:
    """A whole commit id. Raises `ForgeError`."""
    if not isinstance(value, str) or not _COMMIT.fullmatch(value):
        raise ForgeError("the forge named a commit that git would not take", retry=False)
    return value

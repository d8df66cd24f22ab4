"""Which cluster a path belongs to, by the conventions of repositories."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

Convention = Callable[[str], str | None]
"""Tells the cluster that a folder belongs to, by its names; None where they name none."""

ENVIRONMENTS: Final = frozenset(
    {
        *("dev", "devel", "development", "sandbox", "qa", "uat", "stage", "staging", "stg"),
        *("preprod", "pre-prod", "preproduction", "prod", "production", "prd"),
    }
)
_ABOVE_CLUSTERS: Final = ("clusters", "cluster")
_ABOVE_VARIANTS: Final = ("overlays", "overlay", "environments", "environment", "envs", "env", "stages")


def cluster_of(folder: str) -> str | None:
    """The cluster that a folder belongs to: the one below `clusters/`, else the variant below `overlays/` or `environments/`, else the
    innermost folder that is called like an environment. None where nothing names one."""
    steps = folder.split("/") if folder else []
    for above in (_ABOVE_CLUSTERS, _ABOVE_VARIANTS):
        for outer, inner in pairwise(steps):
            if outer.lower() in above:
                return inner
    return next((step for step in reversed(steps) if step.lower() in ENVIRONMENTS), None)


def named_cluster_of(folder: str) -> str | None:
    """The cluster that a folder belongs to where nothing but `clusters/` counts: other names may be those of namespaces."""
    steps = folder.split("/") if folder else []
    return next((inner for outer, inner in pairwise(steps) if outer.lower() in _ABOVE_CLUSTERS), None)


def joined(clusters: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """The clusters that are told apart: what names none belongs to the only one there is, and stands alone beside several."""
    named = sorted({each for each in clusters if each is not None})
    if len(named) == 1:
        return (named[0],)
    return (None, *named) if None in clusters or not named else tuple(named)

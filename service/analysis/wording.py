"""Words about an analysis that no report has."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.reports.markdown_inline import code

_PATHS_SHOWN = 5


def conflict_note(paths: Sequence[str]) -> str:
    """What the comment says about a pull request that cannot be merged. The paths come from the pull request."""
    shown = ", ".join(code(path) for path in paths[:_PATHS_SHOWN])
    more = f" and {len(paths) - _PATHS_SHOWN} more" if len(paths) > _PATHS_SHOWN else ""
    return (
        f"**Merge conflict in {shown}{more}.** The head was compared with the merge base instead of with the tip of the base branch. "
        "Resolve the conflict to have the merged result analysed."
    )

"""Words about an analysis that no report has: the note on a conflict, and text that Markdown leaves alone."""

from __future__ import annotations

from collections.abc import Sequence

_PATHS_SHOWN = 5


def conflict_note(paths: Sequence[str]) -> str:
    """What the comment says about a pull request that cannot be merged. The paths come from the pull request."""
    shown = ", ".join(f"<code>{plain(path)}</code>" for path in paths[:_PATHS_SHOWN])
    more = f" and {len(paths) - _PATHS_SHOWN} more" if len(paths) > _PATHS_SHOWN else ""
    return (
        f"**Merge conflict in {shown}{more}.** The head was compared with the merge base instead of with the tip of the base branch. "
        "Resolve the conflict to have the merged result analysed."
    )


def plain(text: str) -> str:
    """Text that Markdown shows as it is: what git or a forge said is not ours, and may hold markup, mentions or links."""
    marked = "".join(f"&#{ord(character)};" if character in "&<>@#[]()!*_`~|\\:/" else character for character in text)
    return " ".join(marked.split())

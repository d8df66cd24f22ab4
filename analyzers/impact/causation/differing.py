"""Where two values differ. The only user of DeepDiff, which aligns lists of plain values; maps and lists of maps are walked here.

Importing DeepDiff takes as long as the rest of a small comparison, and most changes need no alignment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

Path = tuple[str | int, ...]
"""The keys and positions that lead to a value."""

Difference = tuple[Path, bool, bool]
"""Where values differ, and whether there is one in base and in head."""

_ALIKE: Final = 0.33
"""The share of common keys below which two maps are different values rather than versions of one."""

_NOTHING: Final = object()


def differing(before: Any, after: Any, path: Path = ()) -> Iterator[Difference]:
    """Every place where two plain values (maps, lists, scalars) differ, in no order."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _maps(before, after, path)
    elif _is_list(before) and _is_list(after):
        if all(isinstance(item, Mapping) for item in (*before, *after)):
            for position, pair in enumerate(zip_longest(before, after, fillvalue=_NOTHING)):
                yield from _pair(*pair, (*path, position))
        elif before != after:
            yield from ((path + inner, in_base, in_head) for inner, in_base, in_head in aligned(before, after))
    elif type(before) is not type(after) or before != after:
        yield path, True, True


def _maps(before: Mapping[str, Any], after: Mapping[str, Any], path: Path) -> Iterator[Difference]:
    keys = [*before, *(key for key in after if key not in before)]
    common = sum(key in after for key in before)
    if path and len(keys) > 1 and common / len(keys) < _ALIKE:
        yield path, True, True
        return
    for key in keys:
        yield from _pair(before.get(key, _NOTHING), after.get(key, _NOTHING), (*path, key))


def _pair(before: Any, after: Any, path: Path) -> Iterator[Difference]:
    if before is _NOTHING or after is _NOTHING:
        yield path, before is not _NOTHING, after is not _NOTHING
    else:
        yield from differing(before, after, path)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def aligned(before: Any, after: Any) -> Iterator[Difference]:
    """The same by DeepDiff, which finds what moved along in a list."""
    from deepdiff import DeepDiff

    for report, levels in DeepDiff(before, after, view="tree").items():
        sides = (not report.endswith("_added"), not report.endswith("_removed"))
        yield from ((tuple(level.path(output_format="list")), *sides) for level in levels)

"""When Python looks for objects that only refer to one another. Everything else is freed at once, without looking."""

from __future__ import annotations

import gc

_USUAL = gc.get_threshold()
_SELDOM = 200_000
"""Objects: more than a start makes, and some tens of megabytes at most."""


def look_seldom() -> None:
    """For a process that loads its modules, answers and ends: looking would cost it more than what it finds is worth."""
    gc.set_threshold(_SELDOM, *_USUAL[1:])


def look_no_more() -> None:
    """For a process that ends: Python looks through everything once more on its way out, for what ends with the process anyway."""
    gc.freeze()


def look_as_usual() -> None:
    """For a process that stays, once it has loaded what it stays with: that is not looked through again."""
    gc.freeze()
    gc.set_threshold(*_USUAL)

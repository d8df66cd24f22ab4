"""How the commands end."""

from __future__ import annotations

from enum import IntEnum

import click


class Exit(IntEnum):
    """Exit codes, as the contract has them."""

    DONE = 0
    DIFFERENCES = 1
    BAD_INPUT = 2
    INTERNAL = 3


class BadInput(click.ClickException):
    """Input or usage that cannot be worked with; its message goes to stderr."""

    exit_code = Exit.BAD_INPUT

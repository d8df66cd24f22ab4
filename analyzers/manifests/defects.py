"""What is wrong with a document, before it is known which diagnostic it becomes."""

from __future__ import annotations

from msgspec import Struct


class Defect(Struct, frozen=True):
    """What makes a document unfit for analysis: a diagnostic code, what is wrong, and the line (from 1)."""

    code: str
    message: str
    line: int
    identity: bool = False
    """Whether it leaves open what kind of object the document is."""


class Unparsable(Exception):
    """The rest of a text cannot be read."""

    def __init__(self, defect: Defect) -> None:
        super().__init__(defect.message)
        self.defect = defect

"""What a review says, kept for the job to show: a token that may only read must not keep the report from its readers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any

from service.forges.port import Check, Forge, ForgeError

log = logging.getLogger(__name__)


class Telling:
    """A forge that goes on where the token does not suffice to write. `check` is the last check that it was to show; `untold` says of what
    could not be written why not."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge
        self.check: Check | None = None
        self.untold: dict[str, str] = {}

    def put_check(self, repository: str, check: Check) -> None:
        """See `Forge`."""
        self.check = check
        self._tell("check", lambda: self._forge.put_check(repository, check))

    def put_comment(self, repository: str, number: int, body: str) -> None:
        """See `Forge`."""
        self._tell("comment", lambda: self._forge.put_comment(repository, number, body))

    def put_labels(self, repository: str, number: int, present: Collection[str], absent: Collection[str]) -> None:
        """See `Forge`."""
        self._tell("labels", lambda: self._forge.put_labels(repository, number, present, absent))

    def request_review(self, repository: str, number: int, groups: Collection[str]) -> None:
        """See `Forge`."""
        self._tell("request for a review", lambda: self._forge.request_review(repository, number, groups))

    def __getattr__(self, name: str) -> Any:
        """Everything else is the forge's."""
        return getattr(self._forge, name)

    def _tell(self, what: str, write: Callable[[], None]) -> None:
        try:
            write()
        except ForgeError as error:
            if not error.denied:
                raise
            log.info("the %s could not be written: %s", what, error.message)
            self.untold[what] = error.message

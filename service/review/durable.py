"""What a job asks of the engine that runs it, and how a failing step is tried again.

A step's result is recorded; after a crash the review runs again from its start, and recorded steps give their results without being
repeated. The one step that was running runs twice, so whatever a step does to the outside must be harmless when done again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from service import telemetry
from service.analysis.job import AnalysisError
from service.checkout import CheckoutError
from service.forges.port import ForgeError
from service.logs import reviewed
from service.store import StoreError

log = logging.getLogger(__name__)
Json = Any  # what json.dumps takes; results are recorded as JSON
Action = Callable[[], Json]
EXAMINE, EXPLAIN = "examine", "explain"
"""The steps that take long and write nothing outside: a stop does not wait for them."""


class Durable(Protocol):
    """Runs steps and sleeps, and remembers both."""

    def mine(self) -> bool:
        """Whether this process still runs the job: another one takes over where it was silent for too long, or is about to end."""
        ...

    def step(self, name: str, action: Action) -> Json:
        """The action's result, from the record where there is one."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; after a crash only for what is left."""
        ...


class StepFailed(Exception):
    """A step failed for good. `reason` is a sentence for the pull request, `remedy` what a person can do about it."""

    def __init__(self, step: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.step, self.reason, self.remedy = step, reason, remedy


class Superseded(Exception):
    """A newer request for the same pull request exists; this review has nothing left to say."""


class Lost(BaseException):
    """The job is another process's now. It must end here without an effect and without a record, which no handler of errors may prevent."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently a step is tried. Times are in seconds."""

    attempts: int
    first: float
    longest: float

    def wait(self, failures: int, asked: float | None) -> float:
        """How long to wait after that many failures: what the other side asks for, else twice as long each time."""
        return min(self.longest, self.first * 2 ** (failures - 1) if asked is None else asked)


@dataclass(frozen=True, slots=True)
class Stepper:
    """Runs the steps of one job: retried where trying again can help, and stopped once `newest` says that a newer request came."""

    durable: Durable
    retries: Retries
    newest: Callable[[], bool]

    def check(self) -> None:
        """What stands right before each effect on the outside. Raises `Lost` or `Superseded`."""
        if not self.durable.mine():
            raise Lost
        if not self.newest():
            raise Superseded

    def run(self, name: str, action: Action) -> Json:
        """The result of the action. Raises `StepFailed`, `Superseded` or `Lost`."""
        failures = 0
        while True:
            outcome = self.durable.step(name, lambda: self._guarded(name, action))
            if "result" in outcome:
                return outcome["result"]
            if "superseded" in outcome:
                raise Superseded
            failures += 1
            if failures >= min(outcome["tries"], self.retries.attempts):
                raise StepFailed(name, outcome["error"], outcome["remedy"])
            self.wait(self.retries.wait(failures, outcome["after"]))

    def wait(self, seconds: float) -> None:
        """Sleep, but not through the arrival of something newer. Raises `Superseded`."""
        while seconds > _NAP:
            self.durable.sleep(_NAP)
            seconds -= _NAP
            if not self.durable.step("look up", self._still_newest):
                raise Superseded
        self.durable.sleep(seconds)

    def _still_newest(self) -> bool:
        try:
            return self.newest()
        except StoreError:
            return True  # the next step asks again, and has a way to fail

    def _guarded(self, name: str, action: Action) -> Json:
        """The action's result or what went wrong, as a value: the record holds plain JSON and no exceptions."""
        try:
            self.check()
            with telemetry.stage(name, reviewed(), stopped=(Superseded, Lost)):
                return {"result": action()}
        except Superseded:
            return {"superseded": True}
        except ForgeError as error:
            log.warning("%s: %s", name, error.message)
            remedy = "It was tried several times; push again once the forge answers." if error.retry else _TOKEN
            return _failed(error.message, remedy, _PATIENT if error.retry else 1, error.retry_after)
        except CheckoutError as error:
            log.warning("%s: %s: %s", name, error.reason, error.message)
            return _failed(f"git: {error.message}", _GIT_REMEDIES.get(error.reason, _OPERATOR), _GIT_TRIES.get(error.reason, 1))
        except AnalysisError as error:
            log.warning("%s: %s: %s", name, error.reason, error.message)
            return _failed(error.message, _ANALYSIS_REMEDIES.get(error.reason, _OPERATOR), 1)
        except StoreError as error:
            # Our own database is locked, full or away. That passes, or at least is nothing that the pull request did.
            log.error("%s: %s", name, error)
            return _failed("The database of Flowdelta did not answer.", _OPERATOR, _PATIENT)
        except Exception:
            # The job runner: whatever it is, the pull request must hear that it was not analysed.
            log.exception("%s failed", name)
            return _failed("An internal error stopped the analysis.", _OPERATOR, _HASTY)


_NAP = 15.0
_PATIENT, _HASTY = 1_000, 3
_OPERATOR = "Ask whoever runs Flowdelta; its log has the details."
_TOKEN = "Whoever runs Flowdelta should check its token and what it may do."
# How often a failure of git is worth another try. A ref may be a moment later than the event that names it.
_GIT_TRIES = {"fetch-failed": _PATIENT, "timeout": _HASTY, "locked": _PATIENT, "unknown-ref": 5}
_GIT_REMEDIES = {
    "fetch-failed": "It was tried several times; push again once the forge answers.",
    "unknown-ref": "Push again to have the pull request analysed.",
    "access-denied": _TOKEN,
    "unrelated-histories": "Rebase the branch onto its base.",
}
_ANALYSIS_REMEDIES = {
    "timeout": "Split the change, or raise `FLOWDELTA_ANALYSIS_TIMEOUT`.",
    "memory": "Split the change, or raise `FLOWDELTA_ANALYSIS_MEMORY_MB`.",
    "unrelated-histories": "Rebase the branch onto its base.",
}


def _failed(error: str, remedy: str, tries: int, after: float | None = None) -> Json:
    """A failure that is worth `tries` tries in all, the next of them after so many seconds."""
    return {"error": error, "remedy": remedy, "tries": tries, "after": after}

"""The order of a review's steps, and what happens when one fails."""

from __future__ import annotations

import logging

from service.forges.port import PullRequest
from service.review.durable import Durable, Json, Retries, StepFailed, Stepper, Superseded
from service.review.steps import Steps
from service.store import Request

log = logging.getLogger(__name__)


def review(request: Request, steps: Steps, durable: Durable, retries: Retries) -> str:
    """Run one review to its end, which is recorded and returned: done, closed, superseded or failed."""
    stepper = Stepper(durable, retries, lambda: steps.store.is_newest(request))
    try:
        state, reason = _reviewed(request, steps, stepper)
    except Superseded:
        state, reason = "superseded", "a newer event of the pull request"
    durable.step("note", lambda: steps.note(request, state, reason))
    return state


def _reviewed(request: Request, steps: Steps, stepper: Stepper) -> tuple[str, str]:
    pull: PullRequest | None = None
    try:
        for moves in range(1, stepper.retries.attempts + 1):
            pull = PullRequest(**stepper.run("look", lambda: steps.look(request)))
            if not pull.open:
                return "closed", "the pull request is not open"
            verdict = _verdict(request, pull, steps, stepper)
            if verdict is not None and _published(request, pull, verdict, steps, stepper):
                return "done", verdict["line"]
            # The head moved between two looks. Its own event may be lost, so this review goes on with what is there now.
            stepper.wait(stepper.retries.wait(moves, None))
        raise StepFailed("look", "The pull request changed during every attempt to analyse it.", "Push again to have it analysed.")
    except StepFailed as failure:
        log.warning("%s failed: %s", failure.step, failure.reason)
        if pull is not None:
            _report_failure(request, pull, failure, steps, stepper)
        return "failed", f"{failure.step}: {failure.reason}"


def _verdict(request: Request, pull: PullRequest, steps: Steps, stepper: Stepper) -> Json:
    """The stored verdict, or null where the head moved."""
    if pull.fork and not steps.settings.allow_forks:
        return stepper.run("refuse-fork", steps.refuse_fork)
    stepper.run("announce", lambda: steps.announce(pull))
    return stepper.run("examine", lambda: steps.examine(request, pull))


def _published(request: Request, pull: PullRequest, verdict: Json, steps: Steps, stepper: Stepper) -> bool:
    if not stepper.run("comment", lambda: steps.comment(request, pull, verdict)):
        return False
    stepper.run("conclude", lambda: steps.conclude(request, pull, verdict))
    return True


def _report_failure(request: Request, pull: PullRequest, failure: StepFailed, steps: Steps, stepper: Stepper) -> None:
    """Tell the pull request. The status comes first: it is what a merge waits for, and it needs the fewest rights."""
    verdict = stepper.run("give-up", lambda: steps.give_up(failure.reason, failure.remedy))
    for name, action in (
        ("conclude", lambda: steps.conclude(request, pull, verdict)),
        ("comment", lambda: steps.comment(request, pull, verdict)),
    ):
        try:
            stepper.run(name, action)
        except StepFailed as error:
            log.error("the pull request could not be told: %s: %s", error.step, error.reason)

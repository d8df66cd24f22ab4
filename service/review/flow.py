"""The order of a review's steps, and what happens when one fails."""

from __future__ import annotations

import logging
from dataclasses import replace

from service import telemetry
from service.forges.port import PullRequest, Queued
from service.review.durable import EXAMINE, Action, Durable, Json, Retries, StepFailed, Stepper, Superseded
from service.review.steps import Steps
from service.review.target import Target, of_pull, of_queue, pull_from_json
from service.store import Request

log = logging.getLogger(__name__)
_LEFT = {"closed": "the pull request is not open", "draft": "the pull request is a draft"}


def review(request: Request, steps: Steps, durable: Durable, retries: Retries) -> str:
    """Run one review to its end, which is recorded and returned: done, closed, draft, superseded or failed. Raises `Lost`."""
    stepper = Stepper(durable, retries, lambda: steps.store.is_newest(request))
    with telemetry.span("review", request.id):
        try:
            state, reason = _reviewed(request, steps, stepper)
        except Superseded:
            state, reason = "superseded", "a newer event of the pull request"
        replace(stepper, newest=lambda: True).run("note", lambda: steps.note(request, state, reason))
    return state


def _reviewed(request: Request, steps: Steps, stepper: Stepper) -> tuple[str, str]:
    seen: list[Target] = []
    try:
        if request.queued is not None:
            return _queue_reviewed(request, request.queued, seen, steps, stepper)
        return _pull_reviewed(request, seen, steps, stepper)
    except StepFailed as failure:
        log.warning("%s failed: %s", failure.step, failure.reason)
        if seen:
            _report_failure(request, seen[-1], failure, steps, stepper)
        return "failed", f"{failure.step}: {failure.reason}"


def _pull_reviewed(request: Request, seen: list[Target], steps: Steps, stepper: Stepper) -> tuple[str, str]:
    for moves in range(1, stepper.retries.attempts + 1):
        looked = stepper.run("look", lambda: steps.look(request))
        pull, kept = pull_from_json(looked["pull"]), looked["kept"]
        if kept in _LEFT:
            return kept, _LEFT[kept]
        seen.append(of_pull(pull))
        verdict = _verdict(request, pull, kept == "fork", steps, stepper)
        if verdict is not None and verdict["guarded"]:
            verdict = _judged(request, of_pull(pull), pull.number, verdict, steps, stepper)
        if verdict is not None and _published(request, of_pull(pull), verdict, steps, stepper):
            return "done", verdict["line"]
        # The head moved between two looks. Its own event may be lost, so this review goes on with what is there now.
        stepper.wait(stepper.retries.wait(moves, None))
    raise StepFailed("look", "The pull request changed during every attempt to analyse it.", "Push again to have it analysed.")


def _verdict(request: Request, pull: PullRequest, fork: bool, steps: Steps, stepper: Stepper) -> Json:
    """The stored verdict, or null where the head moved."""
    if fork:
        return stepper.run("refuse-fork", lambda: steps.refuse_fork(request, pull))
    target = of_pull(pull)
    stepper.run("announce", lambda: steps.announce(request, target))
    return stepper.run(EXAMINE, lambda: steps.examine(request, target, pull, stepper.check))


def _judged(request: Request, target: Target, number: int | None, verdict: Json, steps: Steps, stepper: Stepper) -> Json:
    """The verdict with what became of the guardrails. Who is to sign is asked by the way: it is a courtesy, and no reason to fail."""
    judged = stepper.run("judge", lambda: steps.judge(request, target, number, verdict))
    if request.number is not None:
        try:
            stepper.run("tell", lambda: steps.tell(request, judged))
        except StepFailed as failure:
            log.warning("nobody was asked to sign: %s", failure.reason)
    return judged


def _published(request: Request, target: Target, verdict: Json, steps: Steps, stepper: Stepper) -> bool:
    if not stepper.run("comment", lambda: steps.comment(request, target, verdict, stepper.check)):
        return False
    stepper.run("conclude", lambda: steps.conclude(request, target, verdict))
    return True


def _queue_reviewed(request: Request, queued: Queued, seen: list[Target], steps: Steps, stepper: Stepper) -> tuple[str, str]:
    """The commit of a merge queue gets a check and no comment. What the queue made anew has a review of its own."""
    target = of_queue(request.repository, queued)
    seen.append(target)
    stepper.run("announce", lambda: steps.announce(request, target))
    verdict = stepper.run(EXAMINE, lambda: steps.examine(request, target, None, stepper.check))
    if verdict is None:
        return "closed", "the merge queue has moved on"
    if verdict["guarded"]:
        verdict = _judged(request, target, queued.number, verdict, steps, stepper)
    stepper.run("conclude", lambda: steps.conclude(request, target, verdict))
    return "done", verdict["line"]


def _report_failure(request: Request, target: Target, failure: StepFailed, steps: Steps, stepper: Stepper) -> None:
    """Tell the pull request. The check comes first: it is what a merge waits for, and it needs the fewest rights."""
    verdict = stepper.run("give-up", lambda: steps.give_up(failure.reason, failure.remedy))
    told: dict[str, Action] = {"conclude": lambda: steps.conclude(request, target, verdict)}
    if request.number is not None:
        told["comment"] = lambda: steps.comment(request, target, verdict, stepper.check)
    for name, action in told.items():
        try:
            stepper.run(name, action)
        except StepFailed as error:
            log.error("the pull request could not be told: %s: %s", error.step, error.reason)

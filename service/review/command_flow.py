"""The order of a command's steps: who asks, what it does, the answer. A job of its own, so that nothing is lost or done twice."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from analyzers.reports.markdown_inline import prose
from service.forges.port import Account, Command, ForgeError, Reaction
from service.logs import fields
from service.review.commands import Answer, Asker, analyses, carry_out, decide
from service.review.durable import EXPLAIN, Durable, Json, Retries, StepFailed, Stepper
from service.review.steps import Steps
from service.store import PRESSED, StoredCommand

log = logging.getLogger(__name__)


def answer(stored: StoredCommand, steps: Steps, durable: Durable, retries: Retries) -> str:
    """Carry a command out and answer it; the word that is recorded. Raises `Lost`."""
    stepper = Stepper(durable, retries, lambda: True)
    try:
        outcome = _answered(stored, steps, stepper)
    except StepFailed as failure:
        log.warning("a command could not be answered: %s: %s", failure.step, failure.reason)
        outcome = f"failed: {failure.reason}"
    stepper.run("note", lambda: _note(stored, steps, outcome))
    return outcome


def command_from_json(value: Mapping[str, Any]) -> StoredCommand:
    """The command that `dataclasses.asdict` took apart."""
    command = value["command"]
    return StoredCommand(**{**value, "command": Command(**{**command, "author": Account(**command["author"])})})


def _answered(stored: StoredCommand, steps: Steps, stepper: Stepper) -> str:
    if stored.command.author.bot:
        return "ignored: a program wrote it"  # it may be answering us
    decided = stepper.run("decide", lambda: _decided(stored, steps))
    given = decided or _carried_out(stored, steps, stepper)
    said = Answer(Reaction(given["reaction"]), given["reply"], given["outcome"])
    stepper.run("answer", lambda: _answer(stored, steps, said))
    return said.outcome


def _carried_out(stored: StoredCommand, steps: Steps, stepper: Stepper) -> Json:
    """The answer of a command that was carried out, or why it could not be."""
    try:
        return stepper.run(EXPLAIN if analyses(stored) else "carry out", lambda: asdict(carry_out(stored, steps)))
    except StepFailed as failure:
        log.warning("a command could not be carried out: %s", failure.reason)
        return asdict(Answer(Reaction.REFUSED, f"{prose(failure.reason)} {failure.remedy}\n", f"failed: {failure.reason}"))


def _decided(stored: StoredCommand, steps: Steps) -> Json:
    forge = steps.forge(stored.forge, stored.repository)
    pull = forge.pull_request(stored.repository, stored.command.number)
    refused = decide(stored, Asker(stored.command.author, forge.permission(stored.repository, stored.command.author), pull))
    return None if refused is None else asdict(refused)


def _answer(stored: StoredCommand, steps: Steps, said: Answer) -> Json:
    if stored.command.comment.startswith(PRESSED):
        return  # there is no comment to answer; the check says what became of it
    try:
        steps.forge(stored.forge, stored.repository).answer(stored.repository, stored.command, said.reaction, said.reply)
    except ForgeError as error:
        if error.retry:
            raise
        # The comment was deleted, or may not be reacted to. What it asked for was done all the same.
        log.warning("a command was not answered: %s", error.message)


def _note(stored: StoredCommand, steps: Steps, outcome: str) -> Json:
    steps.store.command_done(stored.id, outcome)
    log.info("command ended", extra=fields(repository=stored.repository, number=stored.command.number, outcome=outcome))

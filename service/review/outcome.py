"""What follows from a decision beside the check: who is asked, which buttons are offered, which labels are set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from service.forges.port import Button
from service.signoff.approvals import Decision, Ruling, Standing
from service.signoff.wording import pressed

_MOST_BUTTONS: Final = 3
_LONGEST_DESCRIPTION: Final = 40


def asks(decision: Decision) -> tuple[str, ...]:
    """The groups that a decision still waits for, and those who want to be told."""
    found = [ruling for ruling in decision.rulings if ruling.guarded]
    waited = (group for ruling in found for tally in ruling.tallies if tally.missing for group in tally.signature.groups)
    return tuple(dict.fromkeys((*waited, *(name for ruling in found for name in ruling.guarded.require.notify))))


def buttons(decision: Decision) -> tuple[Button, ...]:
    """A button for each guardrail that waits, as many as GitHub shows."""
    waiting = [ruling.guarded for ruling in decision.rulings if ruling.standing in (Standing.WAITING, Standing.LAPSED)]
    offered = [each for each in waiting if each.flows and not each.problem]
    return tuple(Button("Approve", _cut(each.name), pressed(each.name, each.flows.digest)) for each in offered[:_MOST_BUTTONS])


def labels(rulings: Iterable[Ruling]) -> tuple[frozenset[str], frozenset[str]]:
    """The labels that guardrails set now, and those that they would set but do not."""
    listed = list(rulings)
    present = frozenset(label for ruling in listed if ruling.guarded for label in ruling.guarded.require.labels)
    return present, frozenset(label for ruling in listed for label in ruling.guarded.require.labels) - present


def labels_of(found: Mapping[str, Any]) -> list[str]:
    """Every label that a guardrail could set, of what the analysis wrote."""
    return sorted({label for each in found["guarded"] for label in each["require"]["labels"]})


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_DESCRIPTION else f"{text[: _LONGEST_DESCRIPTION - 1]}…"

"""What a review says: the status line and the text of the comment, for every way it can end."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.reports.markdown_inline import prose
from service.analysis.job import Result
from service.forges.port import State

# Characters of the report's Markdown; the rest of what a forge holds is left to the lines that are added here.
BUDGET = 60_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a review ended: the final status of the commit and the body of the comment."""

    state: State
    line: str
    body: str


def analysed(result: Result, markdown: str) -> Verdict:
    """A report. Differences are no failure; an incomplete analysis is never a success, nor is one of something that cannot be merged."""
    line = result.headline[:1].upper() + result.headline[1:]
    if result.conflicts:
        return Verdict(State.FAILURE, f"Merge conflict; against the merge base: {result.headline}", markdown)
    return Verdict(State.SUCCESS if result.complete else State.FAILURE, line, markdown)


def not_analysed(reason: str, remedy: str, state: State = State.ERROR) -> Verdict:
    """No report, why, and what a person can do. The reason may quote git or a forge; the remedy is Markdown of ours."""
    return Verdict(state, f"Not analysed: {reason}", f"### Flowdelta: not analysed\n\n{prose(reason)} {remedy}\n")


def from_fork() -> Verdict:
    """Pull requests from forks are not analysed unless the settings say so. That is nobody's failure, but it is not a pass either."""
    return not_analysed(
        "This pull request comes from a fork.",
        "A maintainer can push its branch to this repository, or whoever runs Flowdelta can set `FLOWDELTA_ALLOW_FORKS`.",
        State.FAILURE,
    )

"""What a review says: the state and line of the check and the text of the comment, for every way it can end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analyzers.reports.markdown_inline import prose
from service.analysis.job import Result
from service.forges.port import Annotation, State
from service.review.consent import Judged
from service.signoff import wording
from service.signoff.approvals import Decision, Standing
from service.signoff.audit import START

_ROOM = 5_536  # characters of a comment that are left to the marker and to lines that are added here
_READABLE = 250_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a review ended: the final state of the check, its one line, the body of the comment, remarks on lines, and the address of what
    the guardrails guard."""

    state: State
    line: str
    body: str
    annotations: tuple[Annotation, ...] = ()
    guarded: str = ""


def budget(comment_limit: int) -> int:
    """Characters of the report's Markdown, of those that a comment of the forge holds."""
    return min(comment_limit - _ROOM, _READABLE)


def analysed(result: Result, markdown: str, annotations: tuple[Annotation, ...] = ()) -> Verdict:
    """A report. Differences are no failure; an incomplete analysis is never a success, nor is one of something that cannot be merged."""
    line = result.headline[:1].upper() + result.headline[1:]
    if result.conflicts:
        return Verdict(State.FAILURE, f"Merge conflict; against the merge base: {result.headline}", markdown, annotations)
    return Verdict(State.SUCCESS if result.complete else State.FAILURE, line, markdown, annotations)


def judged(state: State, line: str, body: str, judged: Judged, *, heard: bool = True) -> Verdict:
    """A verdict with what became of the guardrails: they can hold a change back, and never let pass what was held back before. Where
    nobody hears comments, nobody keeps the audit log either."""
    standing = judged.decision.standing
    if not standing.passes and state is State.SUCCESS:
        state = State.FAILURE if standing in (Standing.BLOCKED, Standing.REJECTED) else State.ACTION_REQUIRED
    said = wording.line(judged.decision)
    first, _, rest = body.partition("\n")
    audit = f"<sub>Sign-off is on record: audit `{judged.hash}`</sub>\n" if judged.hash and heard else ""
    return Verdict(
        state, f"{said[:1].upper()}{said[1:]} · {line}" if said else line, f"{first}\n\n{_section(judged.decision, heard)}{audit}{rest}"
    )


def beside(verdict: Verdict, others: Sequence[int]) -> Verdict:
    """A verdict on a commit that is the head of other pull requests too, which their guardrails hold back: a check cannot say yes to one
    of them and no to another."""
    if not others:
        return verdict
    named = ", ".join(f"#{number}" for number in others)
    line = f"Held back with {named}, which has the same head commit and waits for sign-off"
    return replace(verdict, state=State.FAILURE, line=line, body=f"{line}. Give one of them a commit of its own.\n\n{verdict.body}")


def published(verdict: Verdict, hash: str) -> Verdict:
    """A verdict as the check shows it, with the newest hash of the audit log: so a log that is rewritten later shows."""
    if hash in verdict.body or hash == START:
        return verdict
    return replace(verdict, body=f"{verdict.body}\n<sub>Audit log: `{hash}`</sub>\n")


def _section(decision: Decision, heard: bool) -> str:
    """The sign-off section, with fewer flows where all would take the room of the report."""
    for most in (10, 3, 1):
        if len(text := wording.section(decision, most, heard=heard)) <= _ROOM - 1_000:
            return text
    return f"**Sign-off: {decision.standing.value}.** {len(decision.rulings)} guardrails ask for more than fits here.\n"


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

"""Commands: what a comment that begins with `/flowdelta` can ask for, and who may. A table that grows by one row a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from analyzers.reports.markdown_inline import code
from service.forges.port import Account, Permission, PullRequest, Reaction
from service.review import consent, explanation
from service.review.steps import Steps
from service.signoff.approvals import Verb as Said
from service.signoff.approvals import Way
from service.store import PRESS, PRESSED, StoredCommand

_WORD = "/flowdelta"
_LONGEST_REASON, _LONGEST_WORD = 500, 100
_HOUR = 3_600.0
_MAY_WRITE = frozenset({Permission.WRITE, Permission.ADMIN})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as the forge knows them now, and about what."""

    account: Account
    permission: Permission
    pull: PullRequest


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command is answered: a reaction, where it is not empty one comment, and a word for the record."""

    reaction: Reaction
    reply: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Verb:
    """One command. `refusal` says why the asker may not, or nothing; `run` does it, may be called twice, and gives the answer. What
    `analyses` waits and runs among the reviews."""

    meaning: str
    refusal: Callable[[Asker], str]
    run: Callable[[StoredCommand, Steps], Answer]
    analyses: bool = False


def verb_of(text: str) -> str:
    """The first word after `/flowdelta` on the first line of a comment, in small letters; `help` where there is none."""
    words = text.strip().splitlines()[0].split() if text.strip() else []
    return words[1].lower() if len(words) > 1 else "help"


def analyses(stored: StoredCommand) -> bool:
    """Whether a command is answered by an analysis."""
    verb = VERBS.get(verb_of(stored.command.text))
    return verb is not None and verb.analyses


def anyone(_asker: Asker) -> str:
    """No refusal: the command changes nothing."""
    return ""


def author_or_writer(asker: Asker) -> str:
    """For who opened the pull request, and for who may write to the repository."""
    if asker.account.id == asker.pull.author.id or asker.permission in _MAY_WRITE:
        return ""
    return "Only the author of the pull request and people who may write to the repository can ask for that."


def _review(stored: StoredCommand, steps: Steps) -> Answer:
    word = verb_of(stored.command.text)
    _look_again(stored, steps, word)
    return Answer(Reaction.SEEN, "", word)


def _help(_stored: StoredCommand, _steps: Steps) -> Answer:
    return Answer(Reaction.SEEN, f"Flowdelta understands, at the beginning of a comment:\n\n{_listed()}\n", "help")


def _explain(stored: StoredCommand, steps: Steps) -> Answer:
    """`/flowdelta explain SRC DST [PORT]`."""
    if _too_often(stored, steps):
        return Answer(Reaction.REFUSED, "", "refused: too often")
    try:
        asked = explanation.question(_words(stored))
        return Answer(Reaction.SEEN, explanation.explained(stored, asked, steps), "explain")
    except explanation.Unexplained as why:
        return _refused(str(why))


def _too_often(stored: StoredCommand, steps: Steps) -> bool:
    """Whether the account, or everybody on the pull request, has asked for all explanations of this hour."""
    before = [each.command for each in steps.store.commands_before(stored, _HOUR) if analyses(each)]
    own = sum(command.author.id == stored.command.author.id for command in before)
    here = sum(command.number == stored.command.number for command in before)
    return own >= explanation.MOST_OF_ONE or here >= explanation.MOST_OF_ALL


def _words(stored: StoredCommand) -> list[str]:
    """What was typed after the command, on its line."""
    return stored.command.text.strip().splitlines()[0].split()[2:]


def _saying(verb: Said) -> Callable[[StoredCommand, Steps], Answer]:
    """What a person says of a guardrail: `/flowdelta approve GUARDRAIL DIGEST [reason…]`, `reject` and `revoke` without a digest."""

    def run(stored: StoredCommand, steps: Steps) -> Answer:
        words = _words(stored)
        digests = 1 if verb is Said.APPROVE else 0
        if len(words) < 1 + digests:
            return _refused(f"Write `{_WORD} {verb.value} GUARDRAIL{' DIGEST' * digests} [reason…]`, as the report shows it.")
        reason = " ".join(words[1 + digests :])[:_LONGEST_REASON]
        name, digest = words[0][:_LONGEST_WORD], words[1][:_LONGEST_WORD] if digests else ""
        said = consent.Saying(verb, Way.COMMENT, stored.command.author, name, digest, reason)
        return _say(stored, steps, said)

    return run


def _press(stored: StoredCommand, steps: Steps) -> Answer:
    """A button beside the check, by what it sends."""
    words = stored.command.text.split()
    try:
        action = words[2] if len(words) > 2 else ""
        name, digest = steps.consent(stored.forge, stored.repository).pressed(stored.command.number, action)
    except consent.Refused as refused:
        return _refused(str(refused))
    return _say(stored, steps, consent.Saying(Said.APPROVE, Way.BUTTON, stored.command.author, name, digest))


def _say(stored: StoredCommand, steps: Steps, saying: consent.Saying) -> Answer:
    try:
        steps.consent(stored.forge, stored.repository).say(stored.command.number, saying, stored.command.comment)
    except consent.Refused as refused:
        return _refused(str(refused))
    _look_again(stored, steps, saying.verb.value)
    return Answer(Reaction.SEEN, "", saying.verb.value)


def _refused(why: str) -> Answer:
    return Answer(Reaction.REFUSED, f"{why}\n", "refused")


def _look_again(stored: StoredCommand, steps: Steps, word: str) -> None:
    steps.store.request(stored.forge, stored.repository, str(stored.command.number), f"command {_WORD} {word}")


VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "review": Verb("review the pull request again", author_or_writer, _review),
        "rerun": Verb("the same as `review`", author_or_writer, _review),
        "approve": Verb("`GUARDRAIL DIGEST [reason]`: agree to exactly the flows that the report shows", anyone, _saying(Said.APPROVE)),
        "reject": Verb("`GUARDRAIL [reason]`: say no to them", anyone, _saying(Said.REJECT)),
        "revoke": Verb("`GUARDRAIL`: take back what you said of it", anyone, _saying(Said.REVOKE)),
        "explain": Verb(
            f"`{explanation.USAGE}`: why one end reaches another, or not, once this is merged", anyone, _explain, analyses=True
        ),
        PRESS: Verb("what a button beside the check says", anyone, _press),
        "help": Verb("show this list", anyone, _help),
    }
)


def decide(stored: StoredCommand, asker: Asker) -> Answer | None:
    """The answer to a command that is not carried out: unknown or refused. None where it is."""
    word = verb_of(stored.command.text)
    verb = VERBS.get(word)
    if verb is None or (word == PRESS and not stored.command.comment.startswith(PRESSED)):  # nobody types what only a button says
        said = code(word)
        return Answer(Reaction.REFUSED, f"Flowdelta does not know {said}. It understands:\n\n{_listed()}\n", "unknown")
    refusal = verb.refusal(asker)
    return Answer(Reaction.REFUSED, f"{refusal}\n", "refused") if refusal else None


def carry_out(stored: StoredCommand, steps: Steps) -> Answer:
    """Do what a command asks for."""
    return VERBS[verb_of(stored.command.text)].run(stored, steps)


def _listed() -> str:
    return "\n".join(f"- `{_WORD} {name}`: {verb.meaning}" for name, verb in VERBS.items() if name != PRESS)

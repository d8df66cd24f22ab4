"""Sign-off of a pull request: what was said of its guarded flows, who may say so, what follows, and the record of all of it.

Every way of agreeing ends in `Consent.say`, every decision in `Consent.judge`; both write the audit log before anyone is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzers.reports.markdown_inline import code, prose
from service.forges.port import Account, Forge, ForgeError, GivenReview, PullRequest
from service.review.ledger import Entry, Ledger
from service.settings import Settings
from service.signoff.approvals import Act, Decision, Facts, Person, Standing, Verb, Way, decide, unfit
from service.signoff.flows import FlowSet
from service.signoff.matching import Guarded
from service.signoff.records import Json, act_json, decision_json, facts_from, facts_json, guarded_from
from service.signoff.wording import pressed, shown_digest
from service.store import Request, Store

ENGINE = 1
"""The version of what an analysis means; raise it when an older decision could come out otherwise."""
_PASSING = frozenset(standing.value for standing in Standing if standing.passes)


class Refused(Exception):
    """Something that a person said has no effect; the message, in Markdown of ours, says why."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision, and the newest hash of the audit log that holds it (empty where nothing is guarded)."""

    decision: Decision
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Saying:
    """What one person says about a guardrail; `digest` is what was typed of the set of flows that was shown, empty where none is needed."""

    verb: Verb
    way: Way
    account: Account
    guardrail: str
    digest: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """Sign-off of the pull requests of one repository. Everything may raise `ForgeError` and `StoreError`."""

    settings: Settings
    store: Store
    forge: Forge
    forge_name: str
    repository: str

    def judge(self, request: Request, pull: PullRequest, commits: tuple[str, str], found: Mapping[str, Any]) -> Judged:
        """Where the guardrails stand: `found` is what the analysis wrote of them, comparing `commits`; `pull.head_sha` is the head that
        people reviewed, also where the commit is one that a merge queue made of it. A decision that is a new one is recorded."""
        guarded = [guarded_from(each) for each in found["guarded"]]
        ledger = self._ledger(pull.number)
        if not any(each or each.excepted for each in guarded) and _settled(ledger.shown()):
            return Judged(Decision(()))
        asked = [each for each in guarded if each and each.require.signatures]
        acts = self._acts(ledger, pull, asked, listen=request.queued is None) if asked else []
        facts = self._facts(pull, asked, [act.person for act in acts]) if asked else Facts(pull.author.id, base=pull.base_ref)
        decision = decide(guarded, acts, facts, pull.head_sha)
        self._record(ledger, request, pull, commits, found, acts, facts, decision)
        return Judged(decision, self.store.newest_hash())

    def say(self, number: int, saying: Saying, source: str) -> None:
        """Record what a person says of the guardrails as they were last shown. `source` names where it was said, and what comes from one
        source is said once, whoever hears it again and whenever. Raises `Refused`, which is recorded too."""
        ledger = self._ledger(number)
        heard = ledger.said(source) or self._heard(ledger, saying, source)
        if heard["kind"] == "refused":
            raise Refused(heard["why"])

    def pressed(self, number: int, action: str) -> tuple[str, str]:
        """The guardrail that a button stood beside, and the digest of its flows as people type it. Raises `Refused`."""
        ledger = self._ledger(number)
        meant = {(name, digest) for entry in ledger.decisions() for name, digest in _judged(entry) if pressed(name, digest) == action}
        now = set(_judged(ledger.shown()))
        if len(meant) != 1 or not meant <= now:
            raise Refused("The flows that this speaks of are not those of the last report any more.")
        ((name, digest),) = meant
        return name, digest[: len(shown_digest(FlowSet()))]

    def beside(self, number: int, commit: str) -> tuple[int, ...]:
        """Other open pull requests with the same head, whose guardrails do not let it pass: a check is of the commit, not of either."""
        others = [known.pull.number for known in self.store.pulls(self.forge_name, self.repository) if known.pull.head_sha == commit]
        return tuple(other for other in others if other != number and self._holds_back(other, commit))

    def unasked(self, number: int, groups: Sequence[str]) -> list[str]:
        """Those of some groups of the forge that were not asked about the pull request before: nobody is asked again on every push."""
        asked = {group for entry in self._ledger(number).entries() if entry["kind"] == "asked" for group in entry["groups"]}
        return [group for group in groups if group not in asked and group not in self.settings.groups]

    def note_asked(self, number: int, groups: Sequence[str]) -> None:
        """Note that groups were asked."""
        self._ledger(number).append("asked", {"groups": list(groups)})

    def _ledger(self, number: int) -> Ledger:
        return Ledger(self.store, self.forge_name, self.repository, number)

    def _holds_back(self, number: int, commit: str) -> bool:
        shown = self._ledger(number).shown()
        return shown is not None and shown["head"] == commit and shown["decision"]["standing"] not in _PASSING

    def _heard(self, ledger: Ledger, saying: Saying, source: str) -> Entry:
        """Write down what is said, or why it has no effect; what stands in the log, where another process may have been faster."""
        shown = ledger.shown()
        said = {**_said(saying, shown), "source": source}
        try:
            flows = self._meant(ledger, saying, shown)
        except Refused as refused:
            return ledger.append_once("refused", {**said, "why": str(refused)})
        address = ledger.keep(flows)
        return ledger.append_once("act", {**said, "act": {**said["act"], "flows": address}}, [address])

    def _meant(self, ledger: Ledger, saying: Saying, shown: Entry | None) -> FlowSet:
        """The flows that a person speaks of: those that were last shown, by the digest that stood beside them."""
        if shown is None:
            raise Refused("No guardrail asks for anything on this pull request.")
        guarded = {each.name: each for each in map(guarded_from, json.loads(self.store.content(shown["guarded"]))["guarded"])}
        about = guarded.get(saying.guardrail)
        if about is None or not about.require.signatures:
            waiting = ", ".join(code(name) for name, each in guarded.items() if each and each.require.signatures) or "none"
            raise Refused(f"There is no such guardrail to speak of here; those that ask for approval: {waiting}.")
        if saying.verb is Verb.APPROVE:
            _refuse_other(ledger, about, saying.digest)
        if saying.verb is not Verb.REVOKE and (why := self._unfit(ledger.number, about, saying.account)):
            raise Refused(f"This has no effect: {prose(why)}.")
        return about.flows

    def _unfit(self, number: int, about: Guarded, account: Account) -> str:
        person = _person(account)
        facts = self._facts(self.forge.pull_request(self.repository, number), [about], [person])
        reasons = [unfit(signature, person, facts) for signature in about.require.signatures]
        return "" if "" in reasons else reasons[0]

    def _facts(self, pull: PullRequest, asked: Iterable[Guarded], people: Sequence[Person]) -> Facts:
        """What the forge says now. What it cannot say is a problem, and a problem never approves. Groups are looked up also where nobody
        said anything yet: that there is no such group is better known at once."""
        accounts = [Account(person.id, person.name, person.bot) for person in dict.fromkeys(people)] or [pull.author]
        groups = {group for each in asked for signature in each.require.signatures for group in signature.groups}
        try:
            hands = self.forge.contributors(self.repository, pull.number)
            members = {group: self._members(group, accounts) for group in sorted(groups)}
        except ForgeError as error:
            if error.retry:
                raise
            return Facts(pull.author.id, problem=error.message, base=pull.base_ref)
        return Facts(pull.author.id, hands.accounts, hands.strangers, members, base=pull.base_ref)

    def _members(self, group: str, accounts: Sequence[Account]) -> frozenset[str]:
        named = self.settings.groups.get(group)
        if named is None:
            return self.forge.members(self.repository, group, accounts)
        return frozenset(account.id for account in accounts if account.name.lower() in named)

    def _acts(self, ledger: Ledger, pull: PullRequest, asked: Sequence[Guarded], *, listen: bool) -> list[Act]:
        """What was said; of the reviews those that the forge still knows, and with `listen` also those that were not heard yet."""
        approving = [review for review in self.forge.reviews(self.repository, pull.number) if review.approves]
        if listen:
            self._record_reviews(ledger, pull, asked, approving)
        standing = {review.account.id for review in approving}
        return [act for act in ledger.acts() if act.way is not Way.REVIEW or act.person.id in standing]

    def _record_reviews(self, ledger: Ledger, pull: PullRequest, asked: Sequence[Guarded], approving: Sequence[GivenReview]) -> None:
        """Approving reviews of this very commit are acts too: each is recorded once, with the flows that were shown for the commit when it
        was given. One whose commit the forge does not tell speaks of none, and nobody's review speaks where its author already spoke of
        this commit in another way: which of both came later is not known."""
        of_this = [review for review in approving if review.commit == pull.head_sha]
        if not of_this:
            return
        heard = {entry.get("source") for entry in ledger.entries()}
        spoke = {(act.person.id, act.guardrail) for act in ledger.acts() if act.head == pull.head_sha and act.way is not Way.REVIEW}
        for review in of_this:
            for each in asked:
                source = f"review:{review.account.id}:{review.id}:{each.name}"
                if source not in heard and (review.account.id, each.name) not in spoke:
                    self._record_review(ledger, pull, each, review, source)

    def _record_review(self, ledger: Ledger, pull: PullRequest, about: Guarded, review: GivenReview, source: str) -> None:
        shown = ledger.shown_of(pull.head_sha, review.given)
        flows, base = self._reviewed(pull, about, shown)
        if flows:
            said = Act(0, Verb.APPROVE, Way.REVIEW, _person(review.account), about.name, flows, pull.head_sha, base=base)
            address = ledger.keep(flows)
            ledger.append_once(
                "act", {"act": act_json(said, address), "digest": shown_digest(flows), "shown": _told(shown), "source": source}, [address]
            )

    def _reviewed(self, pull: PullRequest, about: Guarded, shown: Entry | None) -> tuple[FlowSet, str]:
        """The flows that a reviewer of the commit was shown, and the branch that they were to be merged into. Where the commit was reported
        on and nothing was guarded, it is none of what became guarded since; where no report was written yet, it is what the commit does."""
        if shown is not None:
            found = map(guarded_from, json.loads(self.store.content(shown["guarded"]))["guarded"])
            return next((each.flows for each in found if each.name == about.name), FlowSet()), shown["facts"]["base"]
        done = self.store.reviews(forge=self.forge_name, repository=self.repository, number=pull.number, state="done")
        return FlowSet() if any(each.head_sha == pull.head_sha for each in done) else about.flows, pull.base_ref

    def _record(
        self,
        ledger: Ledger,
        request: Request,
        pull: PullRequest,
        commits: tuple[str, str],
        found: Mapping[str, Any],
        acts: Sequence[Act],
        facts: Facts,
        decision: Decision,
    ) -> None:
        """Write the decision down with all that it follows from."""
        base, commit = commits
        entry = {
            "review": request.id,
            "queued": request.queued is not None,
            "head": pull.head_sha,
            "commit": commit,
            "base": base,
            "engine": ENGINE,
            "rules": {name: found[name] for name in ("configuration", "organisation")},
            "acts": [act.number for act in acts],
            "facts": facts_json(facts),
            "decision": decision_json(decision),
        }
        ledger.decide(entry, self.store.keep(json.dumps(found, sort_keys=True).encode()))


def replayed(entry: Entry, acts: Mapping[int, Act], found: Mapping[str, Any]) -> bool:
    """Whether a recorded decision comes out the same when it is made again from its record."""
    guarded = [guarded_from(each) for each in found["guarded"]]
    again = decide(guarded, [acts[number] for number in entry["acts"]], facts_from(entry["facts"]), entry["head"])
    return bool(decision_json(again) == entry["decision"])


def _settled(shown: Entry | None) -> bool:
    """Whether there is nothing that a decision on nothing would have to take back."""
    return shown is None or shown["decision"]["standing"] == Standing.NOT_NEEDED


def _refuse_other(ledger: Ledger, about: Guarded, typed: str) -> None:
    """Raise `Refused` unless what was typed is the digest that is shown, and no other set was ever shown under it: it is short, and who
    writes the change can look for two sets that share it."""
    if typed != shown_digest(about.flows):
        raise Refused("The digest is not the one that the report shows now. Read the report again: it may list other flows.")
    known = {digest for entry in ledger.decisions() for _, digest in _judged(entry) if digest.startswith(typed)}
    if known - {about.flows.digest}:
        raise Refused("Two different sets of flows on this pull request have that digest, so nobody can tell which one is meant.")


def _judged(entry: Entry | None) -> list[tuple[str, str]]:
    """The guardrails of a decision that had flows, and the whole digests of those."""
    return [(each["guardrail"], each["flows"]) for each in entry["decision"]["rulings"] if each["flows"]] if entry else []


def _said(saying: Saying, shown: Entry | None) -> Json:
    head, base = (shown["head"], shown["facts"]["base"]) if shown else ("", "")
    act = Act(0, saying.verb, saying.way, _person(saying.account), saying.guardrail, FlowSet(), head, saying.reason, base)
    return {"act": act_json(act, ""), "digest": saying.digest, "shown": _told(shown)}


def _told(shown: Entry | None) -> Json:
    """What a person was shown: the commits that were compared, the rules by their digests, and by which engine."""
    return {name: shown[name] for name in ("base", "commit", "rules", "engine")} if shown else {}


def _person(account: Account) -> Person:
    return Person(account.id, account.name, account.bot)

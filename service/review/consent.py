"""Sign-off of a pull request: what was said of its guarded flows, who may say so, what follows, and the record of all of it.

Every way of agreeing ends in `Consent.say`, every decision in `Consent.judge`; both write the audit log before anyone is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from service.forges.port import Account, Button, Forge, ForgeError, GivenReview, PullRequest
from service.settings import Settings
from service.signoff.approvals import Act, Decision, Facts, Person, Ruling, Standing, Verb, Way, decide, unfit
from service.signoff.flows import FlowSet
from service.signoff.matching import Guarded
from service.signoff.records import Json, act_from, act_json, decision_json, facts_from, facts_json, guarded_from
from service.signoff.wording import DIGEST_LENGTH, shown_digest
from service.store import Request, Store

ENGINE = 1
"""The version of what an analysis means; raise it when an older decision could come out otherwise."""
_MOST_BUTTONS, _LONGEST_DESCRIPTION = 3, 40
_UNTIMED = ("review", "time", "base")
"""What may differ between two records of one decision."""


class Refused(Exception):
    """Something that a person said has no effect; the message, in Markdown of ours, says why."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision, and the hash of the audit row that holds it (empty where nothing was guarded)."""

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

    def judge(self, request: Request, pull: PullRequest, base: str, found: Mapping[str, Any]) -> Judged:
        """Where the guardrails stand: `found` is what the analysis wrote of them. The decision is recorded where it is a new one."""
        guarded = [guarded_from(each) for each in found["guarded"]]
        if not any(each or each.excepted for each in guarded):
            return Judged(Decision(()))
        asked = [each for each in guarded if each and each.require.signatures]
        if asked:
            self._record_reviews(pull, asked)
        acts = self._acts(pull) if asked else []
        facts = self._facts(pull, asked, [act.person for act in acts]) if asked else Facts()
        decision = decide(guarded, acts, facts, pull.head_sha)
        return Judged(decision, self._record(request, pull, base, found, acts, facts, decision))

    def say(self, number: int, saying: Saying, source: str) -> None:
        """Record what a person says of the guardrails as they were last shown. `source` names where it was said, and what comes from one
        source is said once. Raises `Refused`, which is recorded too."""
        before = [entry for entry in self._entries(number) if entry.get("source") == source]
        if before:
            if before[-1]["kind"] == "refused":
                raise Refused(before[-1]["why"])
            return
        head = self.forge.pull_request(self.repository, number).head_sha
        try:
            flows = self._shown(number, saying)
        except Refused as refused:
            self._append(number, "refused", {**self._said(saying, "", head), "source": source, "why": str(refused)})
            raise
        address = self._keep(flows)
        self._append(number, "act", {**self._said(saying, address, head), "source": source}, [address])

    def guardrail_shown(self, number: int, digest: str) -> str:
        """The guardrail whose flows were last shown under a digest. Raises `Refused`."""
        last = self._last_decision(number)
        rulings = last["decision"]["rulings"] if last else []
        found = [each["guardrail"] for each in rulings if digest and each["flows"][:DIGEST_LENGTH] == digest]
        if not found:
            raise Refused("The flows that this speaks of are not those of the last report any more.")
        return str(found[0])

    def unasked(self, number: int, groups: Sequence[str]) -> list[str]:
        """Those of some groups that were not asked about the pull request before: nobody is asked again on every push."""
        asked = {group for entry in self._entries(number) if entry["kind"] == "asked" for group in entry["groups"]}
        return [group for group in groups if group not in asked]

    def note_asked(self, number: int, groups: Sequence[str]) -> None:
        """Note that groups were asked."""
        self._append(number, "asked", {"groups": list(groups), "time": _now()})

    def _shown(self, number: int, saying: Saying) -> FlowSet:
        """The flows that a person speaks of: those that were last shown, by the digest that stood beside them."""
        last = self._last_decision(number)
        if last is None:
            raise Refused("No guardrail asks for anything on this pull request.")
        guarded = {each.name: each for each in map(guarded_from, json.loads(self.store.content(last["guarded"]))["guarded"])}
        about = guarded.get(saying.guardrail)
        if about is None or not about.require.signatures:
            waiting = ", ".join(f"`{name}`" for name, each in guarded.items() if each and each.require.signatures) or "none"
            raise Refused(f"There is no such guardrail to speak of here; those that ask for approval: {waiting}.")
        if saying.verb is Verb.APPROVE and saying.digest != shown_digest(about.flows):
            raise Refused("The digest is not the one that the report shows now. Read the report again: it may list other flows.")
        if saying.verb is not Verb.REVOKE and (why := self._unfit(number, about, saying.account)):
            raise Refused(f"This has no effect: {why}.")
        return about.flows

    def _unfit(self, number: int, about: Guarded, account: Account) -> str:
        person = _person(account)
        facts = self._facts(self.forge.pull_request(self.repository, number), [about], [person])
        reasons = [unfit(signature, person, facts) for signature in about.require.signatures]
        return "" if "" in reasons else reasons[0]

    def _facts(self, pull: PullRequest, asked: Iterable[Guarded], people: Sequence[Person]) -> Facts:
        """What the forge says now. What it cannot say is a problem, and a problem never approves."""
        accounts = [Account(person.id, person.name, person.bot) for person in dict.fromkeys(people)]
        groups = {group for each in asked for signature in each.require.signatures for group in signature.groups}
        try:
            hands = self.forge.contributors(self.repository, pull.number)
            members = {group: self._members(group, accounts) for group in sorted(groups)} if accounts else {}
        except ForgeError as error:
            if error.retry:
                raise
            return Facts(pull.author.id, problem=error.message)
        return Facts(pull.author.id, hands.accounts, hands.strangers, members)

    def _members(self, group: str, accounts: Sequence[Account]) -> frozenset[str]:
        named = self.settings.groups.get(group)
        if named is None:
            return self.forge.members(self.repository, group, accounts)
        return frozenset(account.id for account in accounts if account.name.lower() in named)

    def _record_reviews(self, pull: PullRequest, asked: Sequence[Guarded]) -> None:
        """Approving reviews of this very commit are acts too: each is recorded once, with the flows that were guarded when it was first
        seen. One whose commit the forge does not tell speaks of none."""
        known = {(act.person.id, act.guardrail, act.head) for act in self._recorded(pull.number) if act.way is Way.REVIEW}
        for review in self._approving(pull):
            for each in asked if review.commit == pull.head_sha else ():
                if each.flows and (review.account.id, each.name, pull.head_sha) not in known:
                    said = Saying(Verb.APPROVE, Way.REVIEW, review.account, each.name, shown_digest(each.flows))
                    address = self._keep(each.flows)
                    self._append(pull.number, "act", self._said(said, address, pull.head_sha), [address])

    def _acts(self, pull: PullRequest) -> list[Act]:
        """What was said; of the reviews those that the forge still knows."""
        standing = {review.account.id for review in self._approving(pull)}
        return [act for act in self._recorded(pull.number) if act.way is not Way.REVIEW or act.person.id in standing]

    def _approving(self, pull: PullRequest) -> list[GivenReview]:
        return [review for review in self.forge.reviews(self.repository, pull.number) if review.approves]

    def _recorded(self, number: int) -> list[Act]:
        rows = self.store.audit_of(self.forge_name, self.repository, number)
        return [self._act(row.number, row.read()) for row in rows if row.read()["kind"] == "act"]

    def _act(self, number: int, entry: Mapping[str, Any]) -> Act:
        return act_from(number, entry["act"], FlowSet.from_json(json.loads(self.store.content(entry["act"]["flows"]))))

    def _record(
        self,
        request: Request,
        pull: PullRequest,
        base: str,
        found: Mapping[str, Any],
        acts: Sequence[Act],
        facts: Facts,
        decision: Decision,
    ) -> str:
        """Write the decision down with all that it follows from, unless the newest record says the same; the hash that stands for it."""
        guarded = self.store.keep(json.dumps(found, sort_keys=True).encode())
        entry = {
            **self._place(pull.number, "decision"),
            "review": request.id,
            "head": pull.head_sha,
            "base": base,
            "engine": ENGINE,
            "guarded": guarded,
            "acts": [act.number for act in acts],
            "facts": facts_json(facts),
            "decision": decision_json(decision),
            "time": _now(),
        }
        like = self._place(pull.number, "decision")
        self.store.append_unless(lambda last: None if last and _timeless(last) == _timeless(entry) else entry, [guarded], like=like)
        return self.store.newest_hash()

    def _last_decision(self, number: int) -> Mapping[str, Any] | None:
        return next((entry for entry in reversed(self._entries(number)) if entry["kind"] == "decision"), None)

    def _entries(self, number: int) -> list[dict[str, Any]]:
        return [row.read() for row in self.store.audit_of(self.forge_name, self.repository, number)]

    def _said(self, saying: Saying, flows: str, head: str) -> Json:
        act = Act(0, saying.verb, saying.way, _person(saying.account), saying.guardrail, FlowSet(), head, saying.reason)
        return {"act": act_json(act, flows), "digest": saying.digest, "time": _now()}

    def _append(self, number: int, kind: str, said: Json, contents: Sequence[str] = ()) -> None:
        self.store.append({**self._place(number, kind), **said}, contents)

    def _place(self, number: int, kind: str) -> Json:
        return {"kind": kind, "forge": self.forge_name, "repository": self.repository, "pull": number}

    def _keep(self, flows: FlowSet) -> str:
        return self.store.keep(json.dumps(flows.to_json(), sort_keys=True).encode())


def replayed(entry: Mapping[str, Any], acts: Mapping[int, Act], found: Mapping[str, Any]) -> bool:
    """Whether a recorded decision comes out the same when it is made again from its record."""
    guarded = [guarded_from(each) for each in found["guarded"]]
    again = decide(guarded, [acts[number] for number in entry["acts"]], facts_from(entry["facts"]), entry["head"])
    return bool(decision_json(again) == entry["decision"])


def asks(decision: Decision) -> tuple[str, ...]:
    """The groups that a decision still waits for, and those who want to be told."""
    found = [ruling for ruling in decision.rulings if ruling.guarded]
    waited = (group for ruling in found for tally in ruling.tallies if tally.missing for group in tally.signature.groups)
    return tuple(dict.fromkeys((*waited, *(name for ruling in found for name in ruling.guarded.require.notify))))


def buttons(decision: Decision) -> tuple[Button, ...]:
    """A button for each guardrail that waits, as many as GitHub shows."""
    waiting = [ruling.guarded for ruling in decision.rulings if ruling.standing in (Standing.WAITING, Standing.LAPSED)]
    digests = {shown_digest(each.flows): each.name for each in waiting if each.flows and not each.problem}
    return tuple(Button("Approve", _cut(name), f"approve:{digest}") for digest, name in digests.items())[:_MOST_BUTTONS]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_DESCRIPTION else f"{text[: _LONGEST_DESCRIPTION - 1]}…"


def labels(rulings: Iterable[Ruling]) -> tuple[frozenset[str], frozenset[str]]:
    """The labels that guardrails set now, and those that they would set but do not."""
    listed = list(rulings)
    present = frozenset(label for ruling in listed if ruling.guarded for label in ruling.guarded.require.labels)
    return present, frozenset(label for ruling in listed for label in ruling.guarded.require.labels) - present


def labels_of(found: Mapping[str, Any]) -> list[str]:
    """Every label that a guardrail could set, of what the analysis wrote."""
    return sorted({label for each in found["guarded"] for label in each["require"]["labels"]})


def _person(account: Account) -> Person:
    return Person(account.id, account.name, account.bot)


def _timeless(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in _UNTIMED}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

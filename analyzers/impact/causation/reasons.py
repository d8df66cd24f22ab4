"""Why a changed policy changed nothing between known workloads: found by deciding again, never guessed.

What a policy says by itself is compared between the revisions. Where it says something else and nothing came of it, other policies are put
aside in both revisions until something does: the fewest of them are the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from analyzers.impact.causation.causes import Cause, ChangeKind
from analyzers.impact.causation.compared import ChangedPolicy, Compared
from analyzers.impact.causation.redecision import Address, Aside, Redecision, Witness
from analyzers.impact.report import FlowGroup, NoEffect, Potential, ReasonKind, ReasonObject
from analyzers.model.cluster import ExternalBlock, NamedPort
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.policy import Direction, Policy, Rule, Tier
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock

MOST_REASONS = 200
"""Policies of one comparison that are given a reason."""

MOST_NAMED = 5
"""Objects named in one reason."""

_SAME = {
    ChangeKind.ADDED: "by itself it restricts nothing",
    ChangeKind.REMOVED: "by itself it restricted nothing",
    ChangeKind.MODIFIED: "by itself it lets the same through as before",
}

MOST_ELSEWHERE = 2
"""Workloads of other namespaces named in one reason."""


def reasons(compared: Compared, changed: Sequence[ChangedPolicy], potential: Potential, effective: frozenset[str]) -> tuple[NoEffect, ...]:
    """A reason for each changed policy without effect on a known flow; `effective` are the objects that some known change names."""
    idle = [each for each in changed if each.cause.object not in effective]
    if not idle:
        return ()
    redecision = Redecision(compared, potential.representatives)
    found = (_Reasoner(redecision, each).reason() for each in idle[:MOST_REASONS])
    return tuple(each for each in found if each is not None)


def unasked(changed: Sequence[Cause], groups: Iterable[FlowGroup]) -> int:
    """How many changed policies that no known flow names are given no reason, because there are too many."""
    if len(changed) <= MOST_REASONS:
        return 0
    effective = named_in(groups)
    return max(0, sum(1 for each in changed if each.object not in effective) - MOST_REASONS)


def named_in(groups: Iterable[FlowGroup]) -> frozenset[str]:
    """The objects that stand behind some known change."""
    parts = (alternatives for group in groups for alternatives in (group.causes, *(part.causes for part in group.parts)))
    return frozenset(cause.object for alternatives in parts for alternative in alternatives for cause in alternative)


def _does(policies: Sequence[Policy]) -> str:
    return "does" if len(policies) == 1 else "do"


def _decides(policies: Sequence[Policy]) -> str:
    return "decides first" if len(policies) == 1 else "decide first"


def _lets(policies: Sequence[Policy]) -> str:
    return "lets" if len(policies) == 1 else "let"


class _Reasoner:
    """Finds the reason of one policy."""

    def __init__(self, redecision: Redecision, changed: ChangedPolicy) -> None:
        self._again, self._changed = redecision, changed
        self._own = frozenset(policy.ref for policies in changed.stated for policy in policies)

    def reason(self) -> NoEffect | None:
        """The reason; None where the policy does change a known flow."""
        witnesses = list(self._again.witnesses(self._changed.stated))
        effective = [each for each in witnesses if self._takes_effect(each, ())]
        if any(not self._is_potential(each) for each in effective):
            return None
        if not any(
            self._again.selected(revision, policies) & ~self._again.stand_ins for revision, policies in enumerate(self._changed.stated)
        ):
            return self._selects_nothing(bool(effective))
        if effective:
            return self._missing(effective)
        blocked = [(blockers, each) for each in witnesses if (blockers := self._blockers(each))]
        if not blocked:
            return self._same_meaning()
        blockers, witness = min(blocked, key=lambda each: (self._is_potential(each[1]), len(each[0]), each[0][0][1] is each[1].direction))
        return self._blocked(blockers, witness)

    def _takes_effect(self, witness: Witness, aside: Sequence[Aside]) -> bool:
        return self._again.takes_effect(witness, aside, self._changed.stated)

    def _blockers(self, witness: Witness) -> tuple[Aside, ...]:
        """The fewest policies found such that putting them aside in both revisions makes the change effective: at the other end, at the
        pod's own, or at both; none where nothing does."""
        others = sorted((each for each in self._again.bearing(witness) if each[0] not in self._own), key=str)
        ends = [[each for each in others if (each[1] is witness.direction) is own] for own in (False, True)]
        aside = next((each for each in (*ends, others) if each and self._takes_effect(witness, each)), [])
        for one in tuple(aside):
            fewer = [each for each in aside if each != one]
            if fewer and self._takes_effect(witness, fewer):
                aside = fewer
        return tuple(aside)

    def _blocked(self, blockers: tuple[Aside, ...], witness: Witness) -> NoEffect:
        known = self._again.bearing(witness)
        policies = [known[each] for each in blockers]
        kind = self._kind(blockers, policies, witness)
        who, whom = self._ends(witness)
        named = " and ".join(dict.fromkeys(str(each.ref) for each in policies[:MOST_NAMED]))
        said = {
            ReasonKind.OTHER_END: f"{named} at the other end {_does(policies)} not let {who} reach {whom}",
            ReasonKind.SHADOWED: f"{named} {_decides(policies)} whether {who} reaches {whom}",
            ReasonKind.ALLOWED: f"{named} {_lets(policies)} {who} reach {whom} as well",
            ReasonKind.DENIED: f"{named} {_does(policies)} not let {who} reach {whom} either",
        }
        return self._told(kind, said[kind], [self._place(each, known[each], witness, kind) for each in blockers])

    def _kind(self, blockers: Sequence[Aside], policies: Sequence[Policy], witness: Witness) -> ReasonKind:
        here = [policy for (_, direction), policy in zip(blockers, policies, strict=True) if direction is witness.direction]
        stated = [policy for each in self._changed.stated for policy in each]
        if not here:
            return ReasonKind.OTHER_END
        if any(policy.tier is not stated[0].tier or policy.tier is not Tier.NETWORK_POLICY for policy in here):
            return ReasonKind.SHADOWED
        return ReasonKind.ALLOWED if self._again.own_side(1, witness) & self._disputed(witness, blockers) else ReasonKind.DENIED

    def _disputed(self, witness: Witness, aside: Sequence[Aside]) -> int:
        """The ports on which something else passes without what stands against the policy."""
        return self._again.cell(0, witness, aside) ^ self._again.cell(1, witness, aside)

    def _place(self, aside: Aside, policy: Policy, witness: Witness, kind: ReasonKind) -> ReasonObject:
        """A policy at the line of the rule that allows what the changed one is about, or at its own."""
        rules: Iterable[Rule] = policy.rules_of(witness.direction) if kind is ReasonKind.ALLOWED else ()
        alone = ((rule, replace(policy, rules=(rule,), isolates=frozenset({witness.direction}))) for rule in rules)
        disputed = self._disputed(witness, [aside])
        place = next((rule.origin for rule, only in alone if self._again.passes(1, witness, only) & disputed), policy.origin)
        in_head = any(policy in self._again.about(1, *end) for end in self._again.ends(witness))
        return ReasonObject(str(policy.ref), place.path, place.line, "head" if in_head else "base", str(aside[1]))

    def _selects_nothing(self, potential: bool) -> NoEffect:
        policy = next(policy for policies in reversed(self._changed.stated) for policy in policies)
        elsewhere = self._elsewhere(policy)
        if elsewhere:
            named = [ReasonObject(f"{kind} {name}", place.path, place.line, "head") for kind, name, place in elsewhere[:MOST_ELSEWHERE]]
            more = f" and {len(elsewhere) - len(named):,} more" if len(elsewhere) > len(named) else ""
            there = (", " if more else " and ").join(each.object for each in named)
            carry = "in another namespace carries" if len(elsewhere) == 1 else "in other namespaces carry"
            said = f"no known workload matches {policy.subject}; {there}{more} {carry} these labels"
            return self._told(ReasonKind.OTHER_NAMESPACE, said, named, potential)
        return self._told(ReasonKind.SELECTS_NOTHING, f"no known workload matches {policy.subject}", (), potential)

    def _elsewhere(self, policy: Policy) -> list[tuple[str, str, SourceLocation]]:
        """Known workloads of other namespaces that carry the labels that the policy asks for."""
        if not isinstance(policy.subject.namespaces, str) or not policy.subject.pods.requirements:
            return []
        carrying = self._again.carrying(policy.subject.pods)
        return [(each.kind, f"{each.namespace}/{each.name}", each.origins[0]) for each in carrying if each.origins]

    def _missing(self, effective: Sequence[Witness]) -> NoEffect:
        ends = [end for each in effective for end in (each.subject, each.peer) if isinstance(end, int) and self._again.stand_ins >> end & 1]
        names = list(dict.fromkeys(self._again.joint(end).id for end in ends))
        more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
        return self._told(ReasonKind.NO_PEER, f"no known workload matches {' or '.join(names[:MOST_NAMED])}{more}", (), potential=True)

    def _same_meaning(self) -> NoEffect:
        names = [
            {port for policy in each for rule in policy.rules for port in rule.ports if isinstance(port, NamedPort)}
            for each in self._changed.stated
        ]
        changed = sorted(map(str, names[0] ^ names[1]))
        if changed:
            return self._told(
                ReasonKind.NO_SUCH_PORT, f"no pod that it is about has a port named so: {', '.join(changed[:MOST_NAMED])}", ()
            )
        return self._told(ReasonKind.SAME_MEANING, _SAME[self._changed.cause.change], ())

    def _told(self, kind: ReasonKind, detail: str, objects: Sequence[ReasonObject], potential: bool = False) -> NoEffect:
        cause = self._changed.cause
        own = ReasonObject(cause.object, cause.path, cause.line, cause.side)
        return NoEffect(cause, kind, detail, tuple(objects[:MOST_NAMED]) or (own,), potential)

    def _is_potential(self, witness: Witness) -> bool:
        ends = (witness.subject, witness.peer)
        return any(isinstance(end, int) and bool(self._again.stand_ins >> end & 1) for end in ends)

    def _ends(self, witness: Witness) -> tuple[str, str]:
        ends = (self._named(witness.subject), self._named(witness.peer))
        return ends if witness.direction is Direction.EGRESS else (ends[1], ends[0])

    def _named(self, end: int | Address) -> str:
        if isinstance(end, int):
            return self._again.joint(end).id
        family, number = end
        return ExternalBlock(IPBlock(family, IntervalSet.of([(number, number)]))).id

"""The steps that decide one direction of a pair, tier by tier, in the order of evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial, reduce
from itertools import groupby
from operator import or_

from msgspec import Struct
from msgspec.structs import replace

from analyzers.impact.report import Effect, Step
from analyzers.model.cluster import NamedPort
from analyzers.model.policy import EVERY_PORT, Action, AnyPeer, Direction, Policy, Rule, Tier, UnresolvedPeer
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.cover import Cover
from analyzers.reachability.decide import decide
from analyzers.reachability.matching import doubts
from analyzers.reachability.ports import PortSpace
from analyzers.reachability.universe import JointWorkload
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock

End = JointWorkload | IPBlock

Cell = tuple[int, int | None]
"""A class of the subject, and one of the other end (None for addresses)."""

Left = dict[Cell, int]
"""The ports of each cell that are not decided yet."""

EFFECTS = {Action.ALLOW: Effect.ALLOWS, Action.DENY: Effect.DENIES, Action.PASS: Effect.PASSES}


class Side(Struct, frozen=True):
    """One direction of a question: the pods that are its subject, the other end, and the ports asked about (a port mask, in words)."""

    direction: Direction
    subject: JointWorkload
    other: End
    asked: int
    question: str

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every pair of pods, or pod and addresses, that the question is about."""
        others: Iterable[int | None] = (None,) if isinstance(self.other, IPBlock) else self.other.classes
        return tuple((number, other) for other in others for number in self.subject.classes)

    @property
    def named(self) -> str:
        """The other end, in words."""
        return self.other.id if isinstance(self.other, JointWorkload) else ", ".join(self.other.cidrs())


class Steps:
    """Tells the steps of one compiled revision."""

    def __init__(self, compiled: Compiled, policies: Iterable[Policy]) -> None:
        self._index, self._space = compiled.index, compiled.space
        self._policies = sorted(policies, key=_evaluated)

    def of(self, side: Side) -> Iterator[Step]:
        """The steps of one side. Tiers after the one that decides are left out."""
        left: Left = dict.fromkeys(side.cells, self._space.every_port)
        selecting = [each for each in self._policies if each.decides(side.direction) and self._selected(each, side.subject)]
        tiers = {tier: [each for each in selecting if each.tier is tier] for tier in Tier}
        if side.subject is side.other and not side.subject.latest.has_replicas:
            yield Step(Effect.ALLOWS, "a pod always reaches itself")
        yield from self._ordered(tiers[Tier.ADMIN], side, left)
        if not _open(left, side):
            return
        yield from self._isolating(tiers[Tier.NETWORK_POLICY], side, left, before=bool(tiers[Tier.ADMIN]), after=bool(tiers[Tier.BASELINE]))
        if tiers[Tier.BASELINE] and _open(left, side):
            yield from self._ordered(tiers[Tier.BASELINE], side, left)
            if still_open := _open(left, side):
                yield Step(Effect.ALLOWS, f"no rule decides about {self._said(still_open)}: allowed by default")

    def _ordered(self, policies: Sequence[Policy], side: Side, left: Left) -> Iterator[Step]:
        """An admin tier: the first rule that matches decides; what rules pass is left to the next tier."""
        passed: Left = dict.fromkeys(left, 0)
        for _, level in groupby(policies, key=lambda policy: policy.priority):
            equal, before = list(level), dict(left)
            for policy in equal:
                open_here = dict(before)
                rivals = [each for each in policies if each is not policy and (each in equal or None in (each.priority, policy.priority))]
                for rule in policy.rules_of(side.direction):
                    matched = {cell: self._matched(policy, rule, side, cell) for cell in left}
                    yield self._ruled(policy, rule, side, matched, open_here, rivals)
                    for cell, ports in matched.items():
                        passed[cell] |= ports & open_here[cell] if rule.action is Action.PASS else 0
                        open_here[cell] &= ~ports
                        left[cell] &= ~ports
        for cell, ports in passed.items():
            left[cell] |= ports

    def _ruled(self, policy: Policy, rule: Rule, side: Side, matched: Left, left: Left, rivals: Sequence[Policy]) -> Step:
        everyone = speaks_of(rule)
        perhaps = self._perhaps(policy, rule, side)
        here = reduce(or_, (left[cell] & (ports | perhaps) for cell, ports in matched.items())) & side.asked
        if here:
            verb = "may match" if not reduce(or_, matched.values()) & side.asked else str(EFFECTS[rule.action])
            rival = f"; the API sets no order between it and {', '.join(str(each.ref) for each in rivals)}" if rivals else ""
            return step_of(policy, EFFECTS[rule.action], f"{everyone}: {verb} {self._said(here)}{rival}", rule)
        if reduce(or_, matched.values()) & side.asked:
            return step_of(policy, Effect.NO_MATCH, f"{everyone}: an earlier rule decides about {side.named} already", rule)
        return step_of(policy, Effect.NO_MATCH, f"{everyone}: {self._no_match(reduce(or_, matched.values()), side)}", rule)

    def _isolating(self, policies: Sequence[Policy], side: Side, left: Left, *, before: bool, after: bool) -> Iterator[Step]:
        """NetworkPolicy: what selects a pod decides about it."""
        isolated = {number for policy in policies for number in self._selected(policy, side.subject)}
        alone = side.subject is side.other and not side.subject.latest.has_replicas
        if len(isolated) < len(side.subject.classes) and not alone:
            which = f"some pods of {side.subject.id} are" if isolated else f"{side.subject.id} is"
            none = "no NetworkPolicy selects it" if before or after else "no policy selects it"
            reason = "its node's network is used, which policy does not restrict" if side.subject.latest.host_network else none
            yield Step(Effect.PASSES if after else Effect.ALLOWS, f"{which} not isolated for {side.direction}: {reason}")
        for policy in policies:
            detail = f"selects {side.subject.id} for {side.direction}; what no rule allows is denied"
            yield step_of(policy, Effect.ISOLATES, detail, None)
            for rule in policy.rules_of(side.direction):
                yield self._allowed(policy, rule, side, left)
        for number, other in left:
            left[number, other] &= 0 if number in isolated else self._space.every_port

    def _allowed(self, policy: Policy, rule: Rule, side: Side, left: Left) -> Step:
        passed = reduce(or_, (self._passing(policy, rule, side, cell) & self._space.settled(left[cell]) for cell in side.cells))
        matched = self._space.verdicts(passed & self._space.settled(side.asked))
        if matched.connections:
            verb = "may allow" if matched.connections == matched.may else "allows"
            return step_of(policy, Effect.ALLOWS, f"{speaks_of(rule)}: {verb} {matched.connections}", rule)
        return step_of(policy, Effect.NO_MATCH, f"{speaks_of(rule)}: {self._no_match(passed, side)}", rule)

    def _matched(self, policy: Policy, rule: Rule, side: Side, cell: Cell) -> int:
        """The ports on which a rule of an admin tier matches a cell; of a pod whose address is that of its node, those that it may match
        by its address."""
        certain, possible = self._alone(policy, rule, side, cell)
        return possible if side.direction is Direction.EGRESS and self._is_host(cell) else certain

    def _alone(self, policy: Policy, rule: Rule, side: Side, cell: Cell) -> tuple[int, int]:
        """The ports on which a rule of an admin tier matches a cell for certain, and those on which it may."""
        alone = replace(policy, tier=Tier.NETWORK_POLICY, isolates=frozenset({side.direction}))
        return self._space.layers(self._passing(alone, rule, side, cell))

    def _is_host(self, cell: Cell) -> bool:
        return cell[1] is not None and bool(self._index.hosts >> cell[1] & 1)

    def _passing(self, policy: Policy, rule: Rule, side: Side, cell: Cell) -> int:
        """What a rule matches, as what a policy of that rule alone lets through in a cell that it selects."""
        number, other = cell
        if not self._index.select(policy.subject) >> number & 1:
            return 0
        resolve = partial(self._index.resolve, number)
        cover = decide(side.direction, (replace(policy, rules=(rule,)),), self._index, self._space, resolve)
        return reduce(or_, masks_at(cover, side.other)) if isinstance(side.other, IPBlock) else cover.at(other or 0)

    def _perhaps(self, policy: Policy, rule: Rule, side: Side) -> int:
        """The ports on which a rule may match addresses that manifests do not tell: those of a pod, or of its own peers."""
        addressed = any(True for _ in doubts(rule))
        found = reduce(or_, (self._alone(policy, rule, side, cell)[1] for cell in side.cells if addressed and not self._is_host(cell)), 0)
        outside = isinstance(side.other, IPBlock) or side.other.latest.host_network
        unresolved = any(isinstance(peer, UnresolvedPeer) for peer in rule.peers)
        if rule.action is Action.DENY or not (outside and unresolved):
            return found
        return found | ports_of(rule, self._space)

    def _no_match(self, matched: int, side: Side) -> str:
        return f"admits {side.named}, but not on {side.question}" if matched else f"does not match {side.named} on any port"

    def _selected(self, policy: Policy, workload: JointWorkload) -> tuple[int, ...]:
        """The classes of a workload that a policy selects."""
        subjects = self._index.select(policy.subject)
        return tuple(number for number in workload.classes if subjects >> number & 1)

    def _said(self, ports: int) -> str:
        return str(self._space.connections(ports))


def masks_at(cover: Cover, block: IPBlock) -> set[int]:
    """The masks that the addresses of a block have."""
    return {mask for low, high, mask in cover.outside.of(block.family) if block.addresses & IntervalSet(((low, high),))}


def ports_of(rule: Rule, space: PortSpace) -> int:
    """The port mask of the ports that a rule gives by number."""
    return reduce(or_, (space.mask(port.protocol, port.numbers) for port in rule.ports if not isinstance(port, NamedPort)), 0)


def _open(left: Left, side: Side) -> int:
    return reduce(or_, left.values()) & side.asked


def _evaluated(policy: Policy) -> tuple[int, bool, int, str]:
    """The order in which policies are told; one without a priority stands last in its tier."""
    return (policy.tier, policy.priority is None, policy.priority or 0, str(policy.ref))


def step_of(policy: Policy, effect: Effect, detail: str, rule: Rule | None) -> Step:
    """A step at the place of a rule, or of a policy where no rule speaks."""
    place = rule.origin if rule is not None else policy.origin
    name = f"{rule.direction}[{rule.index}]" if rule is not None else None
    return Step(effect, detail, str(policy.ref), policy.tier.name, name, place.path, place.line)


def speaks_of(rule: Rule) -> str:
    """What a rule is about: `from pods app=web in namespace shop on TCP 80`."""
    everyone = any(isinstance(peer, AnyPeer) for peer in rule.peers)
    peers = "everyone" if everyone else " or ".join(map(str, rule.peers)) or "no peer that is known"
    ports = "all ports" if rule.ports == EVERY_PORT else ", ".join(map(str, rule.ports))
    named = f"{rule.name!r}, " if rule.name else ""
    return f"{named}{'from' if rule.direction is Direction.INGRESS else 'to'} {peers} on {ports}"

"""The admin tiers: by ascending priority, and within a policy in the order written, the first rule that matches decides.

Places are what rules tell apart: classes of pods, or atoms of addresses; a set of either is an int. For each place the walk keeps what is
decided on which ports and what is still open; what stays open, or is passed, is left to the next tier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial, reduce
from itertools import groupby
from operator import or_
from typing import NamedTuple

from msgspec import Struct

from analyzers.model.policy import Action, Policy, Rule, UnresolvedPeer
from analyzers.reachability.addresses import AddressSpace
from analyzers.reachability.cover import Cover, Piece, disjoint
from analyzers.reachability.matching import Matching, any_peer, blocks
from analyzers.reachability.ports import Condition, PortSpace


class Outcome(NamedTuple):
    """What the rules so far do, as verdict masks: `passing` goes through whatever comes later, `open` is left to what comes later.

    With `rest` as the verdict of what comes later, the verdict is `passing | open & rest`.
    """

    passing: int
    open: int

    def then(self, later: Outcome) -> Outcome:
        """This first, then rules that come later."""
        return _canonical(self.passing | self.open & later.passing, self.open & later.open)

    def worse(self, other: Outcome) -> Outcome:
        """What passes under both, whatever comes later."""
        still_open = (self.passing | self.open) & (other.passing | other.open)
        return _canonical(self.passing & other.passing, still_open)

    def better(self, other: Outcome) -> Outcome:
        """What passes under either, whatever comes later."""
        return _canonical(self.passing | other.passing, self.open | other.open)


def _canonical(passing: int, still_open: int) -> Outcome:
    return Outcome(passing, still_open & ~passing)


class Matched(Struct, frozen=True):
    """What one rule matches among the places of a walk: disjoint `pieces` with port masks. `unresolved` are matched or not, by what
    manifests do not tell."""

    action: Action
    pieces: Sequence[Piece]
    unresolved: Sequence[tuple[Piece, str]]


class Ranked(Struct, frozen=True):
    """One policy of a walk."""

    priority: int | None
    rules: tuple[Matched, ...]


def decide_tier(policies: Sequence[Policy], below: Cover, matching: Matching) -> Cover:
    """What one admin tier lets through, where `below` is what the tiers after it let through. All policies select the subject."""
    rules = [(policy, tuple(policy.rules_of(matching.direction))) for policy in policies]
    among_pods = [Ranked(policy.priority, tuple(_among_pods(rule, matching) for rule in each)) for policy, each in rules]
    addresses = AddressSpace(below.outside, (block for _, each in rules for rule in each for block in blocks(rule)))
    among_addresses = [
        Ranked(policy.priority, tuple(_among_addresses(rule, addresses, matching) for rule in each)) for policy, each in rules
    ]
    closed = matching.index.selectable & ~reduce(or_, (classes for classes, _ in below.pods), 0)
    pods = _walk(among_pods, [*below.pods, (closed, 0)], matching.space)
    outside = _walk(among_addresses, addresses.pieces(below.outside), matching.space)
    return Cover(disjoint(pods), addresses.outside(outside))


def _among_pods(rule: Rule, matching: Matching) -> Matched:
    numbered = matching.numbered(rule)
    return Matched(rule.action, disjoint(matching.pods(rule, numbered)), tuple(matching.untold_pods(rule, numbered)))


def _among_addresses(rule: Rule, addresses: AddressSpace, matching: Matching) -> Matched:
    """What a rule matches outside. Addresses that manifests do not tell may be any, but a rule that denies them is passed over: it is
    meant for few, and would close everything."""
    ports = matching.numbered(rule)
    atoms = addresses.everything if any_peer(rule) else reduce(or_, map(addresses.atoms, blocks(rule)), 0)
    unresolved: list[tuple[Piece, str]] = [((atoms, mask), condition) for mask, condition in matching.untold(rule)]
    if rule.action is not Action.DENY and any(isinstance(peer, UnresolvedPeer) for peer in rule.peers):
        unresolved.append(((addresses.everything, ports), Condition.UNRESOLVED_PEER))
    return Matched(rule.action, ((atoms, ports),), unresolved)


Partition = dict[Outcome, int]
"""Disjoint places by what the rules so far do there."""


def _walk(policies: Sequence[Ranked], below: Iterable[Piece], space: PortSpace) -> Iterator[Piece]:
    """The verdicts of a tier, where `below` are those of the tiers after it."""
    for places, passed in below:
        for outcome, where in Walk(space, passed).tier(policies, places).items():
            yield where, outcome.passing | outcome.open & passed


class Walk:
    """A walk through one tier over places at which the tiers after it agree: there `passed` passes."""

    def __init__(self, space: PortSpace, passed: int) -> None:
        self._space, self._passed = space, passed
        self._start = Outcome(0, space.certain)

    def tier(self, policies: Sequence[Ranked], places: int) -> Partition:
        """The policies by ascending priority; those without one stand before or after all others."""
        ranked = sorted((each for each in policies if each.priority is not None), key=lambda each: each.priority or 0)
        walked: Partition = {self._start: places}
        for _, level in groupby(ranked, key=lambda each: each.priority):
            equal = [self._policy(each, places) for each in level]
            walked = _overlaid(walked, reduce(self._in_any_order, equal), Outcome.then)
        return reduce(self._in_any_order, (self._policy(each, places) for each in policies if each.priority is None), walked)

    def _policy(self, policy: Ranked, places: int) -> Partition:
        walked: Partition = {self._start: places}
        for rule in policy.rules:
            for where, ports in rule.pieces:
                walked = _at(walked, where, partial(self._ruled, action=rule.action, ports=ports))
            for (where, ports), condition in rule.unresolved:
                walked = _at(walked, where, partial(self._perhaps_ruled, action=rule.action, ports=ports, condition=condition))
        return walked

    def _ruled(self, before: Outcome, action: Action, ports: int) -> Outcome:
        """What has been decided, then a rule."""
        matched = self._space.settled(ports)
        passing = {Action.ALLOW: self._space.certain, Action.DENY: 0, Action.PASS: self._passed}[action]
        return before.then(Outcome(matched & passing, self._space.certain & ~matched))

    def _perhaps_ruled(self, before: Outcome, action: Action, ports: int, condition: str) -> Outcome:
        """What has been decided, then a rule that matches or does not."""
        return self._depending(before, self._ruled(before, action, ports), condition)

    def _in_any_order(self, one: Partition, other: Partition) -> Partition:
        """Policies between which the API sets no order: it may apply any that matches."""

        def either(first: Outcome, second: Outcome) -> Outcome:
            return self._depending(first.then(second), second.then(first), Condition.EQUAL_PRIORITY)

        return _overlaid(one, other, either)

    def _depending(self, one: Outcome, other: Outcome, condition: str) -> Outcome:
        worse, better = one.worse(other), one.better(other)
        return Outcome(*(self._space.depending(*both, condition) for both in zip(worse, better, strict=True)))


def _at(walked: Partition, where: int, become: Callable[[Outcome], Outcome]) -> Partition:
    """The partition with other outcomes at some places."""
    found: Partition = {}
    for outcome, places in walked.items():
        if alone := places & ~where:
            found[outcome] = found.get(outcome, 0) | alone
        if common := places & where:
            changed = become(outcome)
            found[changed] = found.get(changed, 0) | common
    return found


def _overlaid(one: Partition, other: Partition, become: Callable[[Outcome, Outcome], Outcome]) -> Partition:
    """Two partitions of the same places laid over each other."""
    found: Partition = {}
    for first, places in one.items():
        for second, others in other.items():
            if common := places & others:
                outcome = become(first, second)
                found[outcome] = found.get(outcome, 0) | common
    return found

"""Deciding a profile: what the policies that select a pod let through, on sets of peers and ports rather than pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_, or_

from analyzers.model.policy import Direction, Policy, Tier
from analyzers.reachability.cover import Cover, Outside, Piece, disjoint, sweep, uniform
from analyzers.reachability.index import PodIndex
from analyzers.reachability.matching import Matching, Resolve, any_peer, blocks
from analyzers.reachability.ports import Condition, PortSpace
from analyzers.reachability.tiers import decide_tier


def decide(direction: Direction, policies: Sequence[Policy], index: PodIndex, space: PortSpace, resolve: Resolve) -> Cover:
    """What the given policies, all of which select the subject and decide something in `direction`, let through.

    Tiers are taken from the last to the first, each knowing what happens to a connection that it leaves to those after it. Without a
    policy everything passes. `resolve` serves ingress, where the subject is the destination on which port names resolve.
    """
    if not policies:
        return Cover(disjoint([(index.present, space.certain)]), uniform(space.certain))
    matching = Matching(direction, index, space, resolve)
    cover = Cover(disjoint([(index.selectable, space.certain)]), uniform(space.certain))
    for tier in reversed(Tier):
        selecting = [policy for policy in policies if policy.tier is tier]
        if selecting:
            cover = _isolated(selecting, matching) if tier is Tier.NETWORK_POLICY else decide_tier(selecting, cover, matching)
    return Cover(disjoint([*cover.pods, *_hosts(direction, cover.outside, index, space)]), cover.outside) if index.hosts else cover


def _isolated(policies: Sequence[Policy], matching: Matching) -> Cover:
    """What NetworkPolicies that isolate the subject let through: they add up, and a connection passes when any rule allows it."""
    space = matching.space
    rules = [rule for policy in policies for rule in policy.rules_of(matching.direction)]
    ports = [(rule, matching.numbered(rule)) for rule in rules]
    pieces = ((peers, space.settled(mask)) for rule, numbered in ports for peers, mask in matching.pods(rule, numbered))
    named = ((block, space.settled(mask)) for rule, mask in ports for block in blocks(rule))
    everywhere = reduce(or_, (space.settled(mask) for rule, mask in ports if any_peer(rule)), 0)
    untold = [(rule, space.depending(0, space.settled(mask), condition)) for rule in rules for mask, condition in matching.untold(rule)]
    perhaps = (
        (peers, space.depending(0, space.settled(mask), condition))
        for rule, numbered in ports
        for (peers, mask), condition in matching.untold_pods(rule, numbered)
    )
    beside = ((block, mask) for rule, mask in untold for block in blocks(rule))
    everywhere |= reduce(or_, (mask for rule, mask in untold if any_peer(rule)), 0)
    return Cover(disjoint((*pieces, *perhaps)), sweep((*named, *beside), everywhere))


def _hosts(direction: Direction, outside: Outside, index: PodIndex, space: PortSpace) -> Iterator[Piece]:
    """Pods that count as node addresses, which manifests do not tell: certain only where every address passes.

    Towards such a pod the rest may pass where some address does. From such a pod everything may: it could run on the subject's own node,
    whose traffic always arrives.
    """
    every = reduce(and_, outside.masks)
    if direction is Direction.EGRESS:
        yield index.hosts, space.depending(every, reduce(or_, outside.masks), Condition.DESTINATION_NODE)
    else:
        yield index.hosts, space.depending(every, space.certain, Condition.SOURCE_NODE)

"""Deciding a profile: what the policies that select a pod let through, on sets of peers and ports rather than pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import and_, or_

from analyzers.model.cluster import NamedPort
from analyzers.model.policy import AnyPeer, Direction, IPPeer, PodPeer, Policy, PortMatch, Rule
from analyzers.reachability.cover import Cover, Outside, Piece, disjoint, sweep, uniform
from analyzers.reachability.index import PodIndex
from analyzers.reachability.ports import Condition, PortSpace
from analyzers.sets.ip_blocks import IPBlock

Resolve = Callable[[NamedPort], int | None]
"""The number that a port name stands for on the subject itself."""


def decide(direction: Direction, policies: Sequence[Policy], index: PodIndex, space: PortSpace, resolve: Resolve) -> Cover:
    """What the given policies, all of which select the subject and isolate it in `direction`, let through.

    Policies add up: a connection passes when any rule allows it. Without a policy the subject is not isolated and everything passes.
    `resolve` serves ingress, where the subject is the destination on which port names resolve.
    """
    if not policies:
        return Cover(disjoint([(index.present, space.certain)]), uniform(space.certain))
    rules = [rule for policy in policies for rule in policy.rules_of(direction)]
    if direction is Direction.INGRESS:
        ports = [(rule, _mask(rule.ports, space, resolve)) for rule in rules]
        pieces = [(_pods(rule, index), space.settled(mask)) for rule, mask in ports]
    else:
        # A port name never stands for a port of an address outside the cluster: only numbers count there.
        ports = [(rule, _mask(rule.ports, space, lambda named: None)) for rule in rules]
        pieces = [piece for rule, mask in ports for piece in _egress_pieces(rule, mask, index, space)]
    outside = sweep(_blocks(ports), reduce(or_, (mask for rule, mask in ports if _any_peer(rule)), 0))
    return Cover(disjoint([*pieces, *_hosts(direction, outside, index, space)]), _settled(outside, space))


def _egress_pieces(rule: Rule, numbered: int, index: PodIndex, space: PortSpace) -> Iterator[Piece]:
    """One rule towards pods; a port name splits the peers by what it stands for on each."""
    peers = _pods(rule, index)
    yield peers, space.settled(numbered)
    for port in rule.ports:
        if isinstance(port, NamedPort):
            for number, classes in index.with_port(port):
                yield peers & classes, space.settled(space.port(port.protocol, number))


def _pods(rule: Rule, index: PodIndex) -> int:
    """The classes that a rule's peers match; addresses match none."""
    found = 0
    for peer in rule.peers:
        if isinstance(peer, AnyPeer):
            return index.selectable
        if isinstance(peer, PodPeer):
            found |= index.select(peer)
    return found


def _any_peer(rule: Rule) -> bool:
    return any(isinstance(peer, AnyPeer) for peer in rule.peers)


def _blocks(ports: Iterable[tuple[Rule, int]]) -> Iterator[tuple[IPBlock, int]]:
    return ((peer.block, mask) for rule, mask in ports for peer in rule.peers if isinstance(peer, IPPeer))


def _mask(ports: Iterable[PortMatch], space: PortSpace, resolve: Resolve) -> int:
    mask = 0
    for port in ports:
        if not isinstance(port, NamedPort):
            mask |= space.mask(port.protocol, port.numbers)
        elif (number := resolve(port)) is not None:
            mask |= space.port(port.protocol, number)
    return mask


def _hosts(direction: Direction, outside: Outside, index: PodIndex, space: PortSpace) -> Iterator[Piece]:
    """Pods that count as node addresses, which manifests do not tell: certain only where every address passes.

    Towards such a pod the rest may pass where some address does. From such a pod everything may: it could run on the subject's own node,
    whose traffic always arrives.
    """
    if index.hosts:
        every, some = reduce(and_, outside.masks), reduce(or_, outside.masks)
        if direction is Direction.EGRESS:
            yield index.hosts, space.unsettled(every, some, Condition.DESTINATION_NODE)
        else:
            yield index.hosts, space.unsettled(every, space.every_port, Condition.SOURCE_NODE)


def _settled(outside: Outside, space: PortSpace) -> Outside:
    v4, v6 = (tuple((low, high, space.settled(mask)) for low, high, mask in segments) for segments in (outside.v4, outside.v6))
    return Outside(v4, v6)

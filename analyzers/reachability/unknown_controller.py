"""A controller that the manifests do not hold: a pod of unknown labels in an unknown namespace, wherever policy meets it.

A peer that selects all pods of all namespaces, or everyone, holds it for certain. A peer that matches no known pod may be meant for it; one
that holds whatever lacks some labels may hold it as well, and so may a block of addresses: it could run outside the cluster, or on the
network of a node. Every other peer is about pods that are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property, reduce
from itertools import product
from operator import and_, or_

from msgspec.structs import replace

from analyzers.model.cluster import INGRESS_CONTROLLER, NAMESPACE_NAME_LABEL, Cluster, HostNetwork, PodShape, Workload
from analyzers.model.policy import Action, AnyPeer, Direction, IPPeer, NetworkPeer, Peer, PodPeer, Policy, Rule
from analyzers.model.selectors import LabelSelector, Operator, Requirement
from analyzers.reachability.cover import Cover
from analyzers.reachability.decide import decide
from analyzers.reachability.index import PodIndex
from analyzers.reachability.matching import Resolve
from analyzers.reachability.ports import Condition, PortSpace
from analyzers.reachability.universe import Snapshot, join

_EVERYONE = LabelSelector()

_ANY_NAMESPACE = Requirement(NAMESPACE_NAME_LABEL, Operator.EXISTS)
"""What every namespace meets."""

_STRANGE = {NAMESPACE_NAME_LABEL: "*"}
"""The labels of a namespace of which nothing is known: no namespace has this name."""


class Match(StrEnum):
    """Whether a peer holds the controller."""

    CERTAIN = "certain"
    PERHAPS = "perhaps"
    NO = "no"


class UnknownController:
    """The controller among the pods that `index` knows, under the policies of a revision."""

    def __init__(self, index: PodIndex, space: PortSpace, policies: Iterable[Policy]) -> None:
        self._known, self._space, self._policies = index, space, policies
        workload = Workload("", INGRESS_CONTROLLER.id, "Pod", (PodShape(()),), ())
        alone = Snapshot(Cluster({}, (workload,)), ())
        self._alone = PodIndex(join([alone]), 0, alone, HostNetwork.POD)

    def admitted(self, policies: Sequence[Policy], resolve: Resolve) -> int:
        """What policies that select a pod let through to it from the controller, as a verdict mask. `resolve` serves its port names."""
        certain = [self._decided(each, resolve) for each in self._readings(policies, adverse=True)]
        possible = [self._decided(each, resolve) for each in self._readings(policies, adverse=False)]
        return self._space.depending(reduce(and_, certain), reduce(or_, possible), Condition.CONTROLLER)

    def let_out(self, number: int) -> int:
        """What policies of the whole cluster let it send to a class, as a verdict mask."""
        masks = [cover.at(number) for cover in self._leaving]
        return self._space.depending(reduce(and_, masks), reduce(or_, masks), Condition.CONTROLLER)

    @cached_property
    def restricting(self) -> tuple[tuple[Policy, Match], ...]:
        """The policies that apply to what it sends, or may. Those of one namespace are about pods of it that are known."""
        leaving = (
            policy for policy in self._policies if policy.decides(Direction.EGRESS) and not isinstance(policy.subject.namespaces, str)
        )
        return tuple((policy, match) for policy in leaving if (match := self.match(policy.subject)) is not Match.NO)

    @cached_property
    def _leaving(self) -> list[Cover]:
        """What it may send, if of the policies that may apply none does, each alone, or all."""
        certain = [policy for policy, match in self.restricting if match is Match.CERTAIN]
        perhaps = [policy for policy, match in self.restricting if match is Match.PERHAPS]
        readings = [certain, *([*certain, policy] for policy in perhaps), [*certain, *perhaps]]
        return [decide(Direction.EGRESS, each, self._known, self._space, lambda named: None) for each in readings]

    def match(self, peer: Peer) -> Match:
        """Whether a peer holds the controller. A network that covers every pod is left to the rules about pods."""
        if isinstance(peer, AnyPeer):
            return Match.CERTAIN
        if isinstance(peer, PodPeer):
            if _is_anywhere(peer) and peer.pods == _EVERYONE:
                return Match.CERTAIN
            return Match.NO if self._known.select(peer) and not _holds_strangers(peer) else Match.PERHAPS
        return Match.PERHAPS if isinstance(peer, IPPeer) else Match.NO

    def _decided(self, policies: Sequence[Policy], resolve: Resolve) -> int:
        return decide(Direction.INGRESS, policies, self._alone, self._space, resolve).at(0)

    def _readings(self, policies: Sequence[Policy], *, adverse: bool) -> Iterator[tuple[Policy, ...]]:
        """The policies as they read if what is not known turns out worst, or best. What a pass leads to can be either, so it is read both
        ways."""
        passing = any(rule.action is Action.PASS and self.of_rule(rule) is Match.PERHAPS for policy in policies for rule in policy.rules)
        for taken in product((True, False)) if passing else ((False,),):
            taking = {Action.ALLOW: not adverse, Action.DENY: adverse, Action.PASS: taken[0]}
            yield tuple(replace(policy, rules=tuple(self._read(rule, taking[rule.action]) for rule in policy.rules)) for policy in policies)

    def _read(self, rule: Rule, perhaps: bool) -> Rule:
        """A rule as one that holds the controller, or does not. Networks stay: whether they cover every pod is told by all of them."""
        match = self.of_rule(rule)
        held = match is Match.CERTAIN or (match is Match.PERHAPS and perhaps)
        networks = tuple(peer for peer in rule.peers if isinstance(peer, NetworkPeer))
        return replace(rule, peers=(AnyPeer(),) if held else networks)

    def of_rule(self, rule: Rule) -> Match:
        """Whether some peer of a rule holds the controller."""
        matches = {self.match(peer) for peer in rule.peers}
        return next((each for each in (Match.CERTAIN, Match.PERHAPS) if each in matches), Match.NO)


def _is_anywhere(peer: PodPeer) -> bool:
    return not isinstance(peer.namespaces, str) and {*peer.namespaces.requirements} <= {_ANY_NAMESPACE}


def _holds_strangers(peer: PodPeer) -> bool:
    """Whether a peer selects pods by what they and their namespaces lack."""
    return not isinstance(peer.namespaces, str) and peer.namespaces.matches(_STRANGE) and peer.pods.matches({})

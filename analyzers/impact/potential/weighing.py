"""Weighing potential flows: by the table of all flows, so that none weighs more than the same flow between known workloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from analyzers.impact.assessment.severity import Mark, SeverityRules
from analyzers.impact.assessment.weighing import Weighing
from analyzers.impact.rows.endpoint_sets import EndpointSet
from analyzers.model.cluster import Cluster, Workload
from analyzers.model.policy import EVERY_PORT, Action, AnyPeer, Direction, Policy, Rule, Tier
from analyzers.model.representative import Representative
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.landings import Landings
from analyzers.reachability.universe import Universe
from analyzers.sets.connections import ConnectionSet


class PotentialWeighing(Weighing):
    """What opens in a universe of representatives and a part of the known workloads.

    `cluster` is that of head with all known workloads, and with the namespaces of representatives. `policies` are those about the pods
    of the universe, in base and in head.
    """

    def __init__(
        self, universe: Universe, compiled: Sequence[Compiled], cluster: Cluster, policies: Sequence[Sequence[Policy]], rules: SeverityRules
    ) -> None:
        base, head = compiled
        super().__init__(universe, base, head, cluster, partial(Landings, universe, head.index.shapes, cluster), rules)
        pods = (joint.latest for joint in universe.workloads)
        self._nameless = {pod.namespace for pod in pods if isinstance(pod, Representative) and pod.made_up and pod.namespace != pod.name}
        self._policies = policies

    def _marks(self, sources: EndpointSet, destinations: EndpointSet, opened: ConnectionSet) -> Iterator[tuple[Mark, str]]:
        yield from super()._marks(sources, destinations, opened)
        yield Mark.POTENTIAL, "with pods that could exist"

    def _counts(self, ends: EndpointSet) -> Counter[str]:
        """Of the known workloads: those that could exist make up no namespace."""
        return Counter(joint.latest.namespace for joint in ends.workloads if not isinstance(joint.latest, Representative))

    def _becoming_free(self, direction: Direction) -> int:
        """By the policies themselves: what lets a part of the known workloads through may restrict the others."""
        before, after = (
            _restricted(each, policies, direction) for each, policies in zip((self._base, self._head), self._policies, strict=True)
        )
        return before & self._head.index.present & ~after

    def _name(self, workload: Workload) -> str:
        return workload.selector if isinstance(workload, Representative) else super()._name(workload)

    def _space(self, namespace: str) -> str:
        return "another namespace" if namespace in self._nameless else super()._space(namespace)


def _restricted(compiled: Compiled, policies: Iterable[Policy], direction: Direction) -> int:
    """The classes that a policy of an admin tier is about, or that some isolate and none lets everything through to."""
    isolated = admin = free = 0
    for policy in policies:
        if policy.decides(direction):
            selected = compiled.index.select(policy.subject)
            if policy.tier is not Tier.NETWORK_POLICY:
                admin |= selected
            elif any(map(_lets_everything_through, policy.rules_of(direction))):
                free |= selected
            else:
                isolated |= selected
    return admin | isolated & ~free


def _lets_everything_through(rule: Rule) -> bool:
    return rule.action is Action.ALLOW and AnyPeer() in rule.peers and rule.ports == EVERY_PORT

"""Which known workloads the flows of representatives can change with: only they take part in a comparison of potential flows.

A flow changes only if the egress of its source or the ingress of its destination does. A known pod's own cover changes with the policies
about it, or with its labels. A representative's changes at the pods where what its policies let through differs, which is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from msgspec import Struct

from analyzers.impact.causation.compared import Compared
from analyzers.model.cluster import Cluster, NamedPort
from analyzers.model.policy import Direction, PodPeer, Policy
from analyzers.model.representative import Representative
from analyzers.reachability.bits import bits_of
from analyzers.reachability.compiled import conditions_of
from analyzers.reachability.cover import Cover, differing
from analyzers.reachability.decide import decide
from analyzers.reachability.index import UNTOLD
from analyzers.reachability.ports import PortSpace, names_a_port
from analyzers.reachability.representatives import meets


class Concerned(Struct, frozen=True):
    """Classes whose flows with some representative can change: to one, as `sources`, and from one, as `destinations`."""

    sources: int
    destinations: int


Bearing = tuple[tuple[Policy, ...], ...]
"""Of each revision, the policies whose effect can differ in the other: those that changed, and those about what was relabelled."""


def concerned(compared: Compared, representatives: Sequence[Representative], bearing: Bearing) -> Concerned:
    """The known classes whose flows with some representative can change."""
    found = 0
    if compared.clusters[0] is not compared.clusters[1]:
        found = bits_of(number for number, each in enumerate(compared.universe.classes) if each.shapes[0] != each.shapes[1])
    for compiled, policies in zip(compared.compiled, bearing, strict=True):
        for policy in policies:
            found |= compiled.index.select(policy.subject)
    subjects = [list(dict.fromkeys(policy.subject for policy in policies)) for policies in bearing]
    profiles: dict[tuple[tuple[Policy, ...], ...], None] = {}
    for pod in representatives:
        if any(selects(subject, pod, cluster) for cluster, each in zip(compared.clusters, subjects, strict=True) for subject in each):
            profiles[_profile(compared, pod)] = None
    spaces = [(profile, _port_space(compared, [policy for policies in profile for policy in policies])) for profile in profiles]
    # What lets a representative in is about sources, and what lets it out about destinations.
    towards, away = (
        reduce(or_, (_differing(compared, profile, direction, space) for profile, space in spaces), found)
        for direction in (Direction.INGRESS, Direction.EGRESS)
    )
    return Concerned(towards, away)


def selects(peer: PodPeer, pod: Representative, cluster: Cluster) -> bool:
    """Whether a peer or a subject means a representative where this is the cluster."""
    if isinstance(peer.namespaces, str) and peer.namespaces != pod.namespace:
        return False
    return meets(peer, pod.shapes[0].labels, pod.namespace_labels if pod.made_up else cluster.namespace_labels(pod.namespace))


def _profile(compared: Compared, pod: Representative) -> tuple[tuple[Policy, ...], ...]:
    """The policies about a representative in each revision."""
    return tuple(
        tuple(policy for policy in snapshot.about((pod.namespace,)) if selects(policy.subject, pod, snapshot.cluster))
        for snapshot in compared.snapshots
    )


def _differing(compared: Compared, profile: Sequence[Sequence[Policy]], direction: Direction, space: PortSpace) -> int:
    """The known classes at which the policies of two revisions let other things through in a direction."""
    base, head = (_cover(compared, revision, direction, policies, space) for revision, policies in enumerate(profile))
    return reduce(or_, (classes for classes, _, _ in differing(base, head)), 0)


def _cover(compared: Compared, revision: int, direction: Direction, policies: Iterable[Policy], space: PortSpace) -> Cover:
    deciding = [policy for policy in policies if policy.decides(direction)]
    return decide(direction, deciding, compared.compiled[revision].index, space, lambda _: UNTOLD)


def _port_space(compared: Compared, policies: Sequence[Policy]) -> PortSpace:
    ports = {port for policy in policies for rule in policy.rules for port in rule.ports if isinstance(port, NamedPort)}
    indices = [compiled.index for compiled in compared.compiled]
    numbers = {(named.protocol, number) for named in ports for index in indices for number, _ in index.with_port(named)}
    return PortSpace(policies, numbers, (*conditions_of(policies), *sorted(map(names_a_port, ports))))

"""Who is in a zone. A change may relabel what it touches, so membership is judged in every revision, and doubt falls on the safe side:
an endpoint is guarded when it is in the zone in any revision, and excused by a zone only when it is in it in all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from analyzers.model.cluster import NAMESPACE_NAME_LABEL
from analyzers.model.selectors import LabelSelector
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock
from service.signoff.flows import between
from service.signoff.guardrails import End, Zone


class Side(Struct, frozen=True, eq=False):
    """A workload in one revision: the labels of its namespace, and those of each kind of pod that it has. A namespace that no object
    declares may have any label in the cluster: of such a one `declared` is false, and only its name is known."""

    namespace_labels: Mapping[str, str]
    label_sets: tuple[Mapping[str, str], ...]
    declared: bool = True


class Party(Struct, frozen=True, eq=False):
    """One end of a flow: a workload by its sides (one for each revision that has it), addresses outside, or an ingress controller."""

    id: str
    namespace: str = ""
    sides: tuple[Side, ...] = ()
    block: IPBlock | None = None
    controller: bool = False


def share(end: End, party: Party) -> IntervalSet:
    """The part of a party that an end means: some addresses of a block, all or nothing of anything else."""
    return _part(end, party, _reach)


def sure_share(end: End, party: Party) -> IntervalSet:
    """The part of a party that an end means without doubt: what lets flows pass must not grow with a change of labels."""
    return _part(end, party, _excused)


def _part(end: End, party: Party, inside: Callable[[Zone, Party], IntervalSet]) -> IntervalSet:
    _, whole = between(party.block)
    if end.endpoint:
        return whole if end.endpoint == party.id else IntervalSet()
    part = IntervalSet.of(pair for zone in end.zones for pair in inside(zone, party).intervals) if end.zones else whole
    for zone in end.beside:
        part = part - _excused(zone, party)
    return part


def _reach(zone: Zone, party: Party) -> IntervalSet:
    """The part of a party that may be in a zone."""
    return _within(zone, party, lambda: any(_holds(zone, party.namespace, side, any, unknown=True) for side in party.sides))


def _excused(zone: Zone, party: Party) -> IntervalSet:
    """The part of a party that is surely in a zone."""
    return _within(
        zone, party, lambda: bool(party.sides) and all(_holds(zone, party.namespace, side, all, unknown=False) for side in party.sides)
    )


def _within(zone: Zone, party: Party, holds: Callable[[], bool]) -> IntervalSet:
    """The part of a party in a zone; `holds` says whether a workload is in it, which is all that can be in doubt."""
    if party.block is not None:
        return _common(zone, party.block)
    _, whole = between(None)
    return whole if (zone.through_controllers if party.controller else holds()) else IntervalSet()


def _common(zone: Zone, block: IPBlock) -> IntervalSet:
    same = (each.addresses for each in zone.blocks or () if each.family is block.family)
    return IntervalSet.of(pair for addresses in same for pair in (addresses & block.addresses).intervals)


def _holds(zone: Zone, namespace: str, side: Side, of_pods: Callable[[Iterable[bool]], bool], *, unknown: bool) -> bool:
    """Whether a workload is in a zone in one revision; `of_pods` says of how many of its kinds of pods that must be true, `unknown`
    what counts where the labels of its namespace are not known."""
    if zone.blocks is not None or (zone.names is not None and namespace not in zone.names):
        return False
    known = side.declared or _by_name(zone.namespaces)
    meant = zone.namespaces.matches(side.namespace_labels) if known else unknown
    return meant and of_pods(zone.pods.matches(labels) for labels in side.label_sets)


def _by_name(selector: LabelSelector) -> bool:
    """Whether a selector asks for nothing but the label that every namespace has."""
    return all(each.key == NAMESPACE_NAME_LABEL for each in selector.requirements)

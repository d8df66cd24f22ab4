"""From reports of the analysis to what the guardrails of a repository guard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import reduce

from msgspec.structs import replace

from analyzers.impact.report import DiffReport, MatrixReport
from analyzers.model.cluster import INGRESS_CONTROLLER, Cluster, ExternalBlock, IngressController, Workload
from service.signoff.guardrails import Guardrails
from service.signoff.matching import NOBODY_THERE, Case, Guarded, Row, changed, guarded, present, upheld
from service.signoff.zones import Party, Side


def across(clusters: Sequence[Sequence[Guarded]]) -> tuple[Guarded, ...]:
    """What each rule guards in all clusters together: flows carry the name of theirs, so their sets are disjoint. That nobody is in the
    zones of an invariant is a problem only where it is so in every cluster: one file holds the rules of all of them."""
    if len(clusters) == 1:
        return tuple(clusters[0])
    return tuple(
        reduce(_joined, (each for each in of_one if each.problem != NOBODY_THERE), of_one[0]) for of_one in zip(*clusters, strict=True)
    )


def _joined(one: Guarded, other: Guarded) -> Guarded:
    problem = (other.problem if one.problem == NOBODY_THERE else one.problem) or other.problem
    expired = tuple(dict.fromkeys((*one.expired, *other.expired)))
    return replace(one, flows=one.flows | other.flows, excepted=one.excepted | other.excepted, expired=expired, problem=problem)


class AmbiguousEndpoints(Exception):
    """Two endpoints of a report have one id, so that what its rows say cannot be judged."""

    def __init__(self) -> None:
        super().__init__("two endpoints have the same id, so guardrails cannot tell their flows apart")


def guarded_by_change(rules: Guardrails, report: DiffReport, today: date) -> tuple[Guarded, ...]:
    """What each guardrail guards of a diff. Raises `AmbiguousEndpoints`."""
    return tuple(guarded(case_of_change(rules, report, today))) if rules.guardrails else ()


def case_of_change(rules: Guardrails, report: DiffReport, today: date) -> Case:
    """What guardrails are judged on. Raises `AmbiguousEndpoints`."""
    found = [_party(joint.latest, _sides(joint.versions, report.clusters)) for joint in report.involved]
    found += [_outside(block) for block in report.blocks]
    if report.controller:
        found.append(Party(INGRESS_CONTROLLER.id, controller=True))
    parties = _by_id(found)
    return Case(rules, _changed_rows(report, parties), parties, report.cluster or "", today)


def broken_on_head(rules: Guardrails, report: MatrixReport, today: date) -> tuple[Guarded, ...]:
    """What breaks each invariant in a matrix, which is that of head. Zones are read as head's labels say. Raises `AmbiguousEndpoints`."""
    return tuple(upheld(case_of_head(rules, report, today))) if rules.invariants else ()


def case_of_head(rules: Guardrails, report: MatrixReport, today: date) -> Case:
    """What invariants are judged on. Raises `AmbiguousEndpoints`."""
    parties = _by_id([_of_matrix(each, report.inventory) for each in report.endpoints])
    return Case(rules, _rows(report, parties), parties, report.cluster or "", today)


def _by_id(parties: Sequence[Party]) -> Mapping[str, Party]:
    """Parties by id. The id of a long block is cut from a hash, so whoever writes the policies can make two that share one; rows would
    then be judged by the addresses of the other."""
    found = {party.id: party for party in parties}
    if len(found) != len(parties):
        raise AmbiguousEndpoints
    return found


def _changed_rows(report: DiffReport, parties: Mapping[str, Party]) -> Iterator[Row]:
    for pair in report.pairs():
        layers = changed(pair.base, pair.head, pair.opened, pair.closed, pair.may)
        yield Row(parties[pair.source], parties[pair.destination], layers)


def _rows(report: MatrixReport, parties: Mapping[str, Party]) -> Iterator[Row]:
    for flow in report.flows():
        yield Row(parties[flow.source], parties[flow.destination], present(flow.connections, flow.may))


def _of_matrix(each: Workload | ExternalBlock | IngressController, inventory: Cluster) -> Party:
    if isinstance(each, ExternalBlock):
        return _outside(each)
    if isinstance(each, IngressController):
        return Party(each.id, controller=True)
    return _party(each, _sides((each,), (inventory,)))


def _party(workload: Workload, sides: tuple[Side, ...]) -> Party:
    return Party(workload.id, workload.namespace, sides)


def _sides(versions: tuple[Workload | None, ...], clusters: tuple[Cluster, ...]) -> tuple[Side, ...]:
    """A workload in each revision that has it."""
    return tuple(
        Side(
            dict(cluster.namespace_labels(version.namespace)),
            tuple(dict(shape.labels) for shape in version.shapes),
            version.namespace in cluster.namespaces,
        )
        for version, cluster in zip(versions, clusters, strict=True)
        if version is not None
    )


def _outside(block: ExternalBlock) -> Party:
    return Party(block.id, block=block.block)

"""From reports of the analysis to what the guardrails of a repository guard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from analyzers.impact.report import DiffReport, MatrixReport
from analyzers.model.cluster import INGRESS_CONTROLLER, Cluster, ExternalBlock, IngressController, Workload
from service.signoff.guardrails import Guardrails
from service.signoff.matching import Case, Guarded, Row, changed, guarded, present, upheld
from service.signoff.zones import Party, Side


def guarded_by_change(rules: Guardrails, report: DiffReport, today: date) -> tuple[Guarded, ...]:
    """What each guardrail guards of a diff."""
    if not rules.guardrails:
        return ()
    parties = {joint.id: _party(joint.latest, _sides(joint.versions, report.clusters)) for joint in report.involved}
    parties |= {block.id: _outside(block) for block in report.blocks}
    if report.controller:
        parties[INGRESS_CONTROLLER.id] = Party(INGRESS_CONTROLLER.id, controller=True)
    return tuple(guarded(Case(rules, _changed_rows(report, parties), parties, report.cluster or "", today)))


def broken_on_head(rules: Guardrails, report: MatrixReport, today: date) -> tuple[Guarded, ...]:
    """What breaks each invariant in a matrix, which is that of head. Zones are read as head's labels say."""
    if not rules.invariants:
        return ()
    parties = {each.id: _of_matrix(each, report.inventory) for each in report.endpoints}
    return tuple(upheld(Case(rules, _rows(report, parties), parties, report.cluster or "", today)))


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
        Side(dict(cluster.namespace_labels(version.namespace)), tuple(dict(shape.labels) for shape in version.shapes))
        for version, cluster in zip(versions, clusters, strict=True)
        if version is not None
    )


def _outside(block: ExternalBlock) -> Party:
    return Party(block.id, block=block.block)

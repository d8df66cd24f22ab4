"""JSON: the contract's documents, one row a line, written as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from analyzers.impact.causation.causes import Cause
from analyzers.impact.causation.reasons import unasked
from analyzers.impact.report import (
    BlockedWay,
    DiffReport,
    Explanation,
    FlowGroup,
    MatrixReport,
    NoEffect,
    PairChange,
    Potential,
    Publication,
    ServiceLead,
    Step,
    Via,
    endpoint_change,
    flows_of,
    publication_of,
)
from analyzers.model.cluster import INGRESS_CONTROLLER, Endpoint, ExternalBlock, IngressController, Workload
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.representative import Representative
from analyzers.model.revision import Revision
from analyzers.reachability.universe import JointWorkload
from analyzers.reports.context import Context
from analyzers.reports.json_assessment import assessment, levels, paths_of, weighed
from analyzers.reports.json_protection import idle_rows, lost_rows
from analyzers.sets.connections import ConnectionSet


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """A `flowdelta.matrix/1` document."""
    rows = (flow for flow in report.flows() if context.shows(flow.source, flow.destination))
    yield from _document(
        {
            "schema": "flowdelta.matrix/1",
            "cluster": report.cluster,
            "complete": report.complete,
            "endpoints": (_text(_endpoint(each)) for each in report.endpoints),
            "flows": (
                f'{{"source":{_quoted(row.source)},"destination":{_quoted(row.destination)},'
                f'"connections":{_ranges(row.connections)},"may":{_ranges(row.may)}{_conditions(row.conditions)}{_vias(row.via)}}}'
                for row in rows
            ),
            "diagnostics": (_text(diagnostic(each)) for each in report.diagnostics),
        }
    )


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """A `flowdelta.diff/1` document."""
    rows = (pair for pair in report.pairs() if context.shows(pair.source, pair.destination))
    ends = _ends(report)
    ends |= {INGRESS_CONTROLLER.id: _endpoint(INGRESS_CONTROLLER) | {"endpoint_change": None}} if report.controller else {}
    yield from _document(
        {
            "schema": "flowdelta.diff/1",
            "cluster": report.cluster,
            "complete": report.complete,
            "base": _revision(report.base),
            "head": _revision(report.head),
            "endpoints": (_text(ends[key]) for key in sorted(ends)),
            "groups": (_text(_group(group)) for group in report.groups),
            "changes": (_pair(pair) for pair in rows),
            "workloads": {
                "added": list(report.workloads.added),
                "removed": list(report.workloads.removed),
                "relabelled": list(report.workloads.relabelled),
            },
            "policies": (_text(_cause(cause)) for cause in report.policy_changes),
            "blocked": (_text(_blocked(each)) for each in report.blocked),
            "published": (_text(_publication(each)) for each in report.publications),
            "protection": (_text(each) for each in lost_rows(report.protection, context)),
            "selects_nothing": (_text(each) for each in idle_rows(report.protection)),
            "may_break_stopped": report.may_break_stopped,
            "paths": paths_of(report.paths(), report.blast_radius()),
            "summary": {
                "groups": report.summary.groups,
                "pairs": report.summary.pairs,
                "opened": report.summary.opened,
                "closed": report.summary.closed,
                "severity": levels(report.groups),
            },
            "digest": report.digest,
            "potential": _potential(report.potential, context),
            "no_effect": (_text(_no_effect(each)) for each in report.no_effect()),
            "no_effect_left_out": unasked(report.policy_changes, report.groups),
            "diagnostics": (_text(diagnostic(each)) for each in report.diagnostics),
        }
    )


def _no_effect(each: NoEffect) -> Mapping[str, Any]:
    objects = [
        {"object": one.object, "direction": one.direction, "path": one.path, "line": one.line or None, "side": one.side}
        for one in each.objects
    ]
    shown = {"policy": each.policy.object, "reason": str(each.reason), "detail": each.detail, "objects": objects}
    place = {"path": each.policy.path, "line": each.policy.line or None, "side": each.policy.side}
    return {**shown, "potential": each.potential, **place}


def _ends(named: DiffReport | Potential) -> dict[str, Mapping[str, Any]]:
    """Every endpoint that changes name, by id."""
    blocks = {block.id: _endpoint(block) | {"endpoint_change": None} for block in named.blocks}
    return {**blocks, **{joint.id: _joint_endpoint(joint) for joint in named.involved}}


def _potential(found: Potential, context: Context) -> Mapping[str, Any]:
    """What changes for pods that could exist. The changed policies about either end of a group, else the workloads at its ends that
    changed, stand under `bearing`."""
    ends = _ends(found)
    rows = (pair for pair in found.pairs() if context.shows(pair.source, pair.destination))
    bearing = ((group, [_cause(cause) for alternative in group.causes for cause in alternative]) for group in found.groups)
    return {
        "endpoints": (_text(ends[key]) for key in sorted(ends)),
        "groups": (_text({**flows_of(group), "bearing": causes, **weighed(group.severity)}) for group, causes in bearing),
        "changes": (_pair(pair) for pair in rows),
        "impossible": list(found.impossible),
        "left_out": found.left_out,
    }


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """A `flowdelta.explain/1` document."""
    yield from _document(
        {
            "schema": "flowdelta.explain/1",
            "complete": report.complete,
            "source": report.source,
            "destination": report.destination,
            "port": report.port,
            "verdict": report.verdict,
            "connections": report.connections.ranges(),
            "may": report.may.ranges(),
            "egress": (_text(_step(step)) for step in report.egress),
            "ingress": (_text(_step(step)) for step in report.ingress),
            "services": (_text(_lead(each)) for each in report.services),
            "diagnostics": (_text(diagnostic(each)) for each in report.diagnostics),
        }
    )


def diagnostic(each: Diagnostic) -> Mapping[str, Any]:
    """The contract's object of a diagnostic."""
    shown = {"code": each.code, "severity": str(each.severity), "message": each.message, "path": each.path, "line": each.line}
    return shown | ({"side": each.side} if each.side else {})


def _document(fields: Mapping[str, Any]) -> Iterator[str]:
    """An object; a field whose value is an iterator of JSON texts becomes a list with one item a line."""
    yield from _fields(fields, "\n")
    yield "\n"


def _fields(fields: Mapping[str, Any], margin: str) -> Iterator[str]:
    inner = f"{margin}  "
    for position, (key, value) in enumerate(fields.items()):
        yield f"{',' if position else '{'}{inner}{_text(key)}: "
        if isinstance(value, Iterator):
            yield from _lines(value, inner)
        elif isinstance(value, Mapping) and any(isinstance(each, Iterator) for each in value.values()):
            yield from _fields(value, inner)
        else:
            yield _text(value)
    yield f"{margin}}}"


def _lines(items: Iterable[str], margin: str) -> Iterator[str]:
    opened = False
    for item in items:
        yield f",{margin}  {item}" if opened else f"[{margin}  {item}"
        opened = True
    yield f"{margin}]" if opened else "[]"


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    if isinstance(endpoint, ExternalBlock):
        return {"id": endpoint.id, "kind": "External", "cidrs": endpoint.block.cidrs()}
    if isinstance(endpoint, IngressController):
        return {"id": endpoint.id, "kind": "IngressController"}
    if isinstance(endpoint, Representative):
        return _representative(endpoint)
    shown = {"id": endpoint.id, "kind": endpoint.kind, "namespace": endpoint.namespace, "name": endpoint.name, **_labels(endpoint, "")}
    shown |= {"host_network": True} if endpoint.host_network else {}
    return shown | ({"via": "operator"} if endpoint.by_operator else {})


def _representative(pod: Representative) -> dict[str, Any]:
    """A pod that could exist: its labels, and those of its namespace where no revision has it."""
    shown = {"id": pod.id, "kind": pod.kind, "namespace": pod.name, "labels": dict(pod.shapes[0].labels)}
    return shown | ({"namespace_labels": dict(pod.namespace_labels)} if pod.made_up else {})


def _joint_endpoint(joint: JointWorkload) -> dict[str, Any]:
    """A workload as head has it, else as base had it; labels that base had otherwise stand beside."""
    base, head = joint.versions[0], joint.versions[-1]
    shown = _endpoint(joint.latest) | {"endpoint_change": endpoint_change(joint)}
    if base is not None and head is not None and _labels(base, "") != _labels(head, ""):
        shown |= _labels(base, "base_")
    return shown


def _labels(workload: Workload, prefix: str) -> dict[str, Any]:
    sets = list(dict.fromkeys(shape.labels for shape in workload.shapes))
    if len(sets) == 1:
        return {f"{prefix}labels": dict(sets[0])}
    return {f"{prefix}label_sets": [dict(labels) for labels in sets]}


def _group(group: FlowGroup) -> Mapping[str, Any]:
    parts = [
        {"sources": list(each.sources), "destinations": list(each.destinations), **_causes(each.causes, truncated=each.causes_truncated)}
        for each in group.parts
    ]
    causes = _causes(group.causes, truncated=group.causes_truncated)
    return {**flows_of(group), **causes, **({"parts": parts} if parts else {}), **assessment(group)}


def _causes(alternatives: tuple[tuple[Cause, ...], ...], *, truncated: bool) -> Mapping[str, Any]:
    undo = [{"undo": [_cause(cause) for cause in alternative]} for alternative in alternatives]
    return {"causes": undo, "causes_truncated": truncated}


def _cause(cause: Cause) -> Mapping[str, Any]:
    details = [
        {
            "path": each.path,
            "change": str(each.kind),
            "before": each.before,
            "after": each.after,
            "line": each.line or None,
            "side": each.side,
        }
        for each in cause.fields
    ]
    return {
        "object": cause.object,
        "change": str(cause.change),
        "fields": list(dict.fromkeys(each.path for each in cause.fields)),
        "path": cause.path,
        "line": cause.line or None,
        "side": cause.side,
        "details": details,
    }


def _pair(pair: PairChange) -> str:
    return (
        f'{{"source":{_quoted(pair.source)},"destination":{_quoted(pair.destination)},'
        f'"base":{_ranges(pair.base)},"head":{_ranges(pair.head)},"opened":{_ranges(pair.opened)},"closed":{_ranges(pair.closed)},'
        f'"may":{_ranges(pair.may)},"group":{pair.group}{_conditions(pair.conditions)}{_vias(pair.via)}}}'
    )


def _conditions(conditions: tuple[str, ...]) -> str:
    return f',"conditions":{_text(conditions)}' if conditions else ""


def _vias(vias: tuple[Via, ...]) -> str:
    return f',"via":{_text([_via(each) for each in vias])}' if vias else ""


def _via(via: Via) -> Mapping[str, Any]:
    """What publishes a row's destination; fields that say nothing are left out."""
    shown = {"service": via.service, "type": via.type, "port": via.port, "protocol": str(via.protocol), "target": via.target}
    more = {"name": via.name, "node_port": via.node_port, "source_ranges": list(via.source_ranges)}
    return {**shown, **{key: value for key, value in more.items() if value}}


def _blocked(each: BlockedWay) -> Mapping[str, Any]:
    return {
        "way": each.way,
        "service": each.service,
        "port": each.port,
        "targets": list(each.targets),
        "was_open": each.was_open,
        "policies": list(each.policies),
        "path": each.origin.path,
        "line": each.origin.line or None,
    }


def _publication(each: Publication) -> Mapping[str, Any]:
    return {**publication_of(each), "path": each.origin.path, "line": each.origin.line or None}


def _revision(revision: Revision) -> Mapping[str, Any]:
    return {"label": revision.label, "commit": revision.commit}


def _lead(each: ServiceLead) -> Mapping[str, Any]:
    shown = {"service": each.service, "port": each.port, "protocol": str(each.protocol), "target": each.target}
    return {**shown, "path": each.origin.path, "line": each.origin.line or None}


def _step(step: Step) -> Mapping[str, Any]:
    return {
        "policy": step.policy,
        "tier": step.tier,
        "rule": step.rule,
        "path": step.path,
        "line": step.line or None,
        "effect": str(step.effect),
        "detail": step.detail,
    }


@lru_cache(maxsize=65536)
def _quoted(text: str) -> str:
    return _text(text)


@lru_cache(maxsize=65536)
def _ranges(connections: ConnectionSet) -> str:
    return _text(connections.ranges())


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))

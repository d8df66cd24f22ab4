"""JSON: the contract's documents, one row a line, written as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from analyzers.impact.causes import Cause
from analyzers.impact.report import (
    DiffReport,
    Explanation,
    FlowGroup,
    MatrixReport,
    PairChange,
    Revision,
    Step,
    endpoint_change,
    flows_of,
)
from analyzers.model.cluster import Endpoint, ExternalBlock, Workload
from analyzers.model.diagnostics import Diagnostic
from analyzers.reachability.universe import JointWorkload
from analyzers.reports.context import Context
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
                f'"connections":{_ranges(row.connections)},"may":{_ranges(row.may)}{_conditions(row.conditions)}}}'
                for row in rows
            ),
            "diagnostics": (_text(diagnostic(each)) for each in report.diagnostics),
        }
    )


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """A `flowdelta.diff/1` document."""
    rows = (pair for pair in report.pairs() if context.shows(pair.source, pair.destination))
    ends: dict[str, Mapping[str, Any]] = {block.id: _endpoint(block) | {"endpoint_change": None} for block in report.blocks}
    ends |= {joint.id: _joint_endpoint(joint) for joint in report.involved}
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
            "summary": {
                "groups": report.summary.groups,
                "pairs": report.summary.pairs,
                "opened": report.summary.opened,
                "closed": report.summary.closed,
            },
            "digest": report.digest,
            "diagnostics": (_text(diagnostic(each)) for each in report.diagnostics),
        }
    )


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
            "diagnostics": (_text(diagnostic(each)) for each in report.diagnostics),
        }
    )


def diagnostic(each: Diagnostic) -> Mapping[str, Any]:
    """The contract's object of a diagnostic."""
    shown = {"code": each.code, "severity": str(each.severity), "message": each.message, "path": each.path, "line": each.line}
    return shown | ({"side": each.side} if each.side else {})


def _document(fields: Mapping[str, Any]) -> Iterator[str]:
    """An object; a field whose value is an iterator of JSON texts becomes a list with one item a line."""
    for position, (key, value) in enumerate(fields.items()):
        yield f"{',' if position else '{'}\n  {_text(key)}: "
        if isinstance(value, Iterator):
            yield from _lines(value)
        else:
            yield _text(value)
    yield "\n}\n"


def _lines(items: Iterable[str]) -> Iterator[str]:
    opened = False
    for item in items:
        yield f",\n    {item}" if opened else f"[\n    {item}"
        opened = True
    yield "\n  ]" if opened else "[]"


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    if isinstance(endpoint, ExternalBlock):
        return {"id": endpoint.id, "kind": "External", "cidrs": endpoint.block.cidrs()}
    shown = {"id": endpoint.id, "kind": endpoint.kind, "namespace": endpoint.namespace, "name": endpoint.name, **_labels(endpoint, "")}
    return shown | ({"host_network": True} if endpoint.host_network else {})


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
    return {**flows_of(group), "causes": [{"undo": [_cause(cause) for cause in alternative]} for alternative in group.causes]}


def _cause(cause: Cause) -> Mapping[str, Any]:
    details = [
        {"path": each.path, "change": str(each.kind), "before": each.before, "after": each.after, "line": each.line, "side": each.side}
        for each in cause.fields
    ]
    return {
        "object": cause.object,
        "change": str(cause.change),
        "fields": list(dict.fromkeys(each.path for each in cause.fields)),
        "path": cause.path,
        "line": cause.line,
        "side": cause.side,
        "details": details,
    }


def _pair(pair: PairChange) -> str:
    return (
        f'{{"source":{_quoted(pair.source)},"destination":{_quoted(pair.destination)},'
        f'"base":{_ranges(pair.base)},"head":{_ranges(pair.head)},"opened":{_ranges(pair.opened)},"closed":{_ranges(pair.closed)},'
        f'"may":{_ranges(pair.may)},"group":{pair.group}{_conditions(pair.conditions)}}}'
    )


def _conditions(conditions: tuple[str, ...]) -> str:
    return f',"conditions":{_text(conditions)}' if conditions else ""


def _revision(revision: Revision) -> Mapping[str, Any]:
    return {"label": revision.label, "commit": revision.commit}


def _step(step: Step) -> Mapping[str, Any]:
    return {
        "policy": step.policy,
        "tier": step.tier,
        "rule": step.rule,
        "path": step.path,
        "line": step.line,
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

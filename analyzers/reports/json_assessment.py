"""What a change means, as JSON: severity with its reasons, what may break, and what becomes reachable in several hops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from analyzers.impact.assessment.blast_radius import BlastRadius
from analyzers.impact.assessment.hops import Path, Paths
from analyzers.impact.assessment.may_break import Evidence
from analyzers.impact.assessment.severity import Level, Severity
from analyzers.impact.report import FlowGroup
from analyzers.impact.rows.endpoint_sets import EndpointSet

MOST_NAMED: Final = 200
"""Workloads of one entry that are named."""


def assessment(group: FlowGroup) -> Mapping[str, Any]:
    """The fields of a group that weigh what opens and show what may break. They are no part of the digest."""
    return {**weighed(group.severity), "may_break": [_evidence(each) for each in group.may_break]}


def levels(groups: Iterable[FlowGroup]) -> Mapping[str, int]:
    """How many groups there are of each level."""
    counts = Counter(group.severity.level for group in groups if group.severity is not None)
    return {str(level): counts[level] for level in Level}


def weighed(severity: Severity | None) -> Mapping[str, Any]:
    """The fields that weigh what a group opens."""
    if severity is None:
        return {"severity": None, "severity_reasons": [], "severity_marks": []}
    return {
        "severity": str(severity.level),
        "severity_reasons": [reason.text for reason in severity.reasons],
        "severity_marks": [str(reason.mark) for reason in severity.reasons],
    }


def _evidence(each: Evidence) -> Mapping[str, Any]:
    shown = {"kind": str(each.kind), "name": each.name, "connections": each.connections.ranges()}
    more = {"says": each.says, "source": each.source, "service": each.service}
    told = {key: value for key, value in more.items() if value}
    return {**shown, **told, "path": each.origin.path, "line": each.origin.line or None, "side": "head"}


def paths_of(found: Paths, radius: BlastRadius) -> Mapping[str, Any]:
    """What becomes reachable in several hops, and the blast radii that change. Of long lists the first are named, and all counted."""
    return {
        "zone": found.zone,
        "newly_reached": [{"hops": each.hops, **_workloads(each.workloads)} for each in found.newly],
        "paths": [_path(each) for each in found.paths],
        "blast_radius": [{**_workloads(each.workloads), "before": each.before, "after": each.after} for each in radius.changed],
        "stopped": [each for each in (found.stopped, radius.stopped) if each],
    }


def _workloads(ends: EndpointSet) -> Mapping[str, Any]:
    return {"count": len(ends), "workloads": list(islice(ends, MOST_NAMED))}


def _path(path: Path) -> Mapping[str, Any]:
    hops = [{"to": hop.to, "connections": hop.connections.ranges(), "opened": hop.opened, "may": hop.may} for hop in path.hops]
    return {"start": path.start, "end": path.hops[-1].to, "sensitive": path.sensitive, "hops_before": path.before or None, "hops": hops}

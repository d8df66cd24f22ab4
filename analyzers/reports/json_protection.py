"""JSON of protection lost: a row for each workload and direction, and one for each policy that selects nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analyzers.impact.assessment.protection import Protection
from analyzers.reports.context import Context


def lost_rows(found: Protection, context: Context) -> Iterator[Mapping[str, Any]]:
    """The workloads that lost protection. With `exposed` no policy isolates them in this direction any more."""
    rows = [
        (joint.id, str(each.direction), each)
        for each in found.lost
        for joint in each.workloads.workloads
        if not context.namespaces or joint.latest.namespace in context.namespaces
    ]
    for workload, direction, each in sorted(rows, key=lambda row: (row[0], row[1], row[2].exposed, tuple(map(str, row[2].lost)))):
        yield {
            "workload": workload,
            "direction": direction,
            "lost": [str(policy) for policy in each.lost],
            "because": each.because,
            "exposed": each.exposed,
            "path": each.origin.path,
            "line": each.origin.line or None,
            "side": "base",
        }


def idle_rows(found: Protection) -> Iterator[Mapping[str, Any]]:
    """The policies of head that came to select nothing."""
    for each in found.idle:
        yield {"policy": str(each.policy), "because": each.because, "path": each.origin.path, "line": each.origin.line or None}

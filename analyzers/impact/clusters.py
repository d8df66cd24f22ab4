"""Several clusters of one repository: a report each, side by side, with one digest over all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from msgspec import Struct

from analyzers.impact.report import DiffReport
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.revision import Revision


class DiffsReport(Struct, frozen=True, eq=False):
    """What changes in each of several clusters, in order of their names, what names none first. `added` and `removed` are the clusters that
    only head, or only base, has: everything in them opens or closes."""

    base: Revision
    head: Revision
    clusters: tuple[DiffReport, ...]
    digest: str
    added: tuple[str | None, ...] = ()
    removed: tuple[str | None, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing policy-relevant was left out of any cluster."""
        return all(each.complete for each in self.clusters)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings of all clusters, those of several once."""
        return tuple(sorted({each for report in self.clusters for each in report.diagnostics}, key=lambda each: each.sort_key))

    @property
    def differs(self) -> bool:
        """Whether any flow of any cluster changes."""
        return any(each.groups for each in self.clusters)


Changes = DiffReport | DiffsReport
"""What changes in a repository: in its only cluster, or in each of several."""


def by_cluster(report: Changes) -> tuple[DiffReport, ...]:
    """The report of each cluster."""
    return report.clusters if isinstance(report, DiffsReport) else (report,)


def differs(report: Changes) -> bool:
    """Whether any flow changes."""
    return any(each.groups for each in by_cluster(report))


def holds_something(report: DiffReport) -> bool:
    """Whether there is anything to say of what names no cluster: repositories keep other files beside those of their clusters."""
    policies = report.scope.policies or report.policy_changes
    return bool(report.all_workloads or policies or report.groups or not report.complete)


def digest_of_all(digests: Iterable[str]) -> str:
    """The digest over several clusters: SHA-256 of the JSON list of theirs, in order of their names."""
    listed = json.dumps(list(digests), separators=(",", ":"))
    return f"sha256:{hashlib.sha256(listed.encode()).hexdigest()}"

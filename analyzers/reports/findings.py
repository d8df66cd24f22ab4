"""Findings: a diff as a list for programs that follow findings from commit to commit. Each has a level, a place and a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from itertools import islice
from typing import Final

from msgspec import Struct

from analyzers.impact.assessment.severity import Level
from analyzers.impact.causation.causes import Cause
from analyzers.impact.report import BlockedWay, DiffReport
from analyzers.impact.rows.endpoint_sets import Members
from analyzers.model.cluster import INGRESS_CONTROLLER
from analyzers.model.diagnostics import SourceLocation
from analyzers.reports.assessment_words import in_use, reasons
from analyzers.reports.context import Context
from analyzers.reports.phrases import Name, Place
from analyzers.reports.plain_words import plain
from analyzers.reports.potential_words import potential_sections
from analyzers.reports.row_words import Speaker
from analyzers.reports.rows import Ends, Row
from analyzers.reports.sections import HEAD, Seen, sections
from analyzers.reports.way_words import blocked_way, cut_off

MOST_FINDINGS: Final = 5_000
"""Findings listed, the gravest first: as many as code scanning keeps of one run."""

MOST_RELATED: Final = 10
"""Further places named for one finding."""

Related = tuple[Place, str]
"""A place, and what stands there."""


class Kind(StrEnum):
    """What was found."""

    CUT_OFF = "way-in-cut-off"
    OPENS = "flow-opens"
    MAY_BREAK = "flow-may-break"
    CLOSES = "flow-closes"
    POTENTIALLY_OPENS = "potential-flow-opens"
    POTENTIALLY_CLOSES = "potential-flow-closes"


class Finding(Struct, frozen=True):
    """One finding. `level` weighs it; `places` begin with the line that causes it, in head where there is one. Equal flows between the same
    ends have equal fingerprints, whatever the commit, the lines or the cause."""

    kind: Kind
    level: Level
    message: str
    places: tuple[Related, ...]
    fingerprint: str


def findings(report: DiffReport, context: Context) -> tuple[Sequence[Finding], int]:
    """The findings of a diff, the gravest first and of equal weight those that are potential last, and how many are left out."""
    found = ((False, sections(report, context)), (True, potential_sections(report, context)))
    rows = [(row, section.revision, potential) for potential, each in found for section in each for row in section.rows]
    rows.sort(key=lambda each: (_level(each[0], each[1]).rank, each[2]))
    telling = _Telling(report)
    ways = [telling.way(each) for each in cut_off(report)][:MOST_FINDINGS]
    flows = [telling.flow(*each) for each in rows[: MOST_FINDINGS - len(ways)]]
    return (*ways, *flows), len(cut_off(report)) + len(rows) - len(ways) - len(flows)


def _level(row: Row, revision: int) -> Level:
    """What opens has its severity; what may break deserves a look, and what else closes is worth knowing."""
    if revision != HEAD:
        return Level.MEDIUM if row.evidence else Level.LOW
    return row.severity.level if row.severity is not None else Level.LOW


class _Telling:
    """Makes the findings of one report."""

    def __init__(self, report: DiffReport) -> None:
        self._cluster, self._speaker = report.cluster, Speaker.of_diff(report)
        self._digests: dict[tuple[bool, Members], str] = {}

    def flow(self, row: Row, revision: int, potential: bool) -> Finding:
        """A row that opens in head, or closes what base has."""
        said, opens = self._speaker.say(row, revision), revision == HEAD
        kind, does = _kind(row, opens, potential)
        sentences = [
            f"{does}: {plain(said.source)} → {plain(said.destination)}, {said.ports}",
            plain(reasons(row.severity) if opens else in_use(row.evidence)),
            f"because {plain(said.because)}" if said.because else "",
        ]
        same = [does.lower(), *(self._digest(end, potential) for end in (row.sources, row.destinations)), row.ports.ranges()]
        return Finding(kind, _level(row, revision), f"{'; '.join(filter(None, sentences))}.", _places(row), self._fingerprint(same))

    def way(self, each: BlockedWay) -> Finding:
        """A way in that passed in base and that head closes."""
        place = (Place("head", each.origin), each.way)
        same = [Kind.CUT_OFF, each.way, each.service, each.port]
        return Finding(
            Kind.CUT_OFF, Level.HIGH, f"Policy cuts off a way in: {plain(blocked_way(each))}.", (place,), self._fingerprint(same)
        )

    def _fingerprint(self, same: Sequence[object]) -> str:
        return _digest([self._cluster, *same])

    def _digest(self, ends: Ends, potential: bool) -> str:
        """The digest of the ids at one end; sets that stand in many rows are named once, those of either universe apart."""
        if not isinstance(ends, Seen):
            controller = [INGRESS_CONTROLLER.id] if ends.controller else []
            return _digest(sorted([*(each.id for each in ends.workloads), *(each.id for each in ends.blocks), *controller]))
        key = (potential, ends.ends.members)
        if key not in self._digests:
            self._digests[key] = _digest(ends.ends.ids)
        return self._digests[key]


def _kind(row: Row, opens: bool, potential: bool) -> tuple[Kind, str]:
    """What a row is found to be, and the verb for it."""
    if potential:
        return (Kind.POTENTIALLY_OPENS, "Potentially opens") if opens else (Kind.POTENTIALLY_CLOSES, "Potentially closes")
    if opens:
        return Kind.OPENS, "Opens"
    return (Kind.MAY_BREAK if row.evidence else Kind.CLOSES), "Closes"


def _places(row: Row) -> tuple[Related, ...]:
    """Where the causes stand, those in head first; then what shows that the flow was in use; else where an end of it is declared."""
    causes = islice(sorted(row.causes, key=lambda cause: cause.side == "base"), MOST_RELATED)
    found = [*map(_of_cause, causes), *((Place("head", each.origin), each.name) for each in row.evidence)]
    if not found:
        ends = islice((each for end in (row.destinations, row.sources) for each in end.workloads), 1)
        found = [(Place("head", each.origins[0]), each.id) for each in ends if each.origins]
    return tuple(found[: MOST_RELATED + 1])


def _of_cause(cause: Cause) -> Related:
    return (Place(cause.side, SourceLocation(cause.path, cause.line)), plain((Name(cause.object), f" {cause.change}")))


def _digest(same: object) -> str:
    return hashlib.sha256(json.dumps(same, separators=(",", ":")).encode()).hexdigest()[:32]

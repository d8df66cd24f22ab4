"""One row of a table in words: who, to whom, on which ports, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

from msgspec import Struct

from analyzers.impact.assessment.severity import Level
from analyzers.impact.report import DiffReport, MatrixReport
from analyzers.model.cluster import Workload
from analyzers.reports.assessment_words import attention, in_use, reasons
from analyzers.reports.cause_words import alternatives_in_words
from analyzers.reports.endpoint_words import MOST_LISTED, Population
from analyzers.reports.phrases import Phrase
from analyzers.reports.ports import ports_in_words
from analyzers.reports.rows import Ends, Row
from analyzers.reports.sections import BASE, HEAD
from analyzers.reports.service_words import Services

TRUNCATED = " (not every combination of changes was tried)"
"""Said of causes of which fewer may be enough, or others as well."""

_SAMPLED = 500
"""Groups over which the commonest causes are counted."""


class Words(Struct, frozen=True):
    """What the cells of a row say. `because` is empty where nothing changed; `level` is set where what opens asks for attention, for
    `reasons`; `in_use` is what shows that what closes was used."""

    source: Phrase
    destination: Phrase
    ports: str
    because: Phrase
    level: Level | None = None
    reasons: Phrase = ()
    in_use: Phrase = ()


class Speaker:
    """Puts rows into words, knowing who else there is: `populations` by revision."""

    def __init__(
        self, populations: Mapping[int, Population], services: Services, current: Mapping[str, Workload], common: Mapping[str, int]
    ) -> None:
        self._populations, self._services, self._current, self._common = populations, services, current, common

    @classmethod
    def of_diff(cls, report: DiffReport) -> Speaker:
        """For the rows of a diff; new and removed workloads are marked."""
        marks = dict.fromkeys(report.workloads.added, "new") | dict.fromkeys(report.workloads.removed, "removed")
        versions = {each: [joint.versions[each] for joint in report.all_workloads] for each in (BASE, HEAD)}
        populations = {each: Population(filter(None, found), marks) for each, found in versions.items()}
        current = {each.id: each for each in versions[HEAD] if each is not None}
        causes = (cause.object for group in islice(report.groups, _SAMPLED) for alternative in group.causes for cause in alternative)
        return cls(populations, Services(report.services), current, Counter(causes))

    @classmethod
    def of_matrix(cls, report: MatrixReport) -> Speaker:
        """For the rows of a matrix."""
        population = Population(each for each in report.endpoints if isinstance(each, Workload))
        return cls({HEAD: population}, Services(()), {}, {})

    def say(self, row: Row, revision: int) -> Words:
        """The cells of a row whose flows exist in `revision`."""
        population = self._populations[revision]
        ports = ports_in_words(row.ports, row.may)
        source, destination = population.describe(row.sources), self._destination(row, population)
        because = alternatives_in_words(row.alternatives or (row.causes,), _names(row), self._common)
        because = (*because, TRUNCATED) if because and row.truncated else because
        return Words(source, destination, ports, because, attention(row.severity), reasons(row.severity), in_use(row.evidence))

    def _destination(self, row: Row, population: Population) -> Phrase:
        if len(row.destinations) == 1 and not row.destinations.blocks:
            workload = next(iter(row.destinations.workloads))
            if not row.sources.blocks and not row.sources.controller and [each.id for each in _few(row.sources)] == [workload.id]:
                return ("its own other replicas",)
            published = bool(row.sources.blocks)
            services = self._services.naming(self._current.get(workload.id, workload), row.ports, published=published)
            return (*population.name(workload), *services)
        if _same(row.sources, row.destinations):
            return ("each other",)
        return (*population.describe(row.destinations), *_not_itself(row))


def _names(row: Row) -> Iterator[str]:
    """The names at the ends of a row of few endpoints: of more, none stands out."""
    for ends in (row.sources, row.destinations):
        for workload in _few(ends):
            yield f"{workload.namespace}/{workload.name}"


def _few(ends: Ends) -> tuple[Workload, ...]:
    return tuple(ends.workloads) if len(ends) <= MOST_LISTED else ()


def _same(one: Ends, other: Ends) -> bool:
    if len(one) != len(other) or one.blocks != other.blocks:
        return False
    return [each.id for each in one.workloads] == [each.id for each in other.workloads]


def _not_itself(row: Row) -> Phrase:
    """Said of rows in which bare pods stand on both ends: they have no flow to themselves."""
    if not row.sources.namespaces & row.destinations.namespaces:
        return ()
    bare = {each.id for each in row.sources.workloads if not each.has_replicas}
    both = sum(1 for each in row.destinations.workloads if each.id in bare)
    return (f" (not the {'pod itself' if both == 1 else 'pods themselves'})",) if both else ()

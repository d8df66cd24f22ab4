"""Potential flows in words: rows whose one end is a pod that could exist, apart from all others."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.impact.report import DiffReport, FlowGroup, Potential
from analyzers.reports.context import Context
from analyzers.reports.phrases import Name, Phrase, counted, first_of
from analyzers.reports.rows import Row, filtered, order
from analyzers.reports.sections import BASE, HEAD, Section, Seen
from analyzers.sets.connections import ConnectionSet

OPENS, CLOSES = "Potentially opens", "Potentially closes"

MOST_IMPOSSIBLE = 5
"""Selectors named that no pod can meet."""


def potential_sections(report: DiffReport, context: Context) -> Iterator[Section]:
    """What opens and closes for pods that could exist. Empty sections are left out."""
    groups = report.potential.groups
    listed = ((OPENS, HEAD, [(each, each.opened) for each in groups]), (CLOSES, BASE, [(each, each.closed) for each in groups]))
    for title, revision, found in listed:
        rows = [part for each, ports in found if ports for part in filtered(_row(each, ports, revision), context.namespaces)]
        if rows:
            yield Section(title, revision, sorted(rows, key=order))


def notes(potential: Potential) -> Iterator[Phrase]:
    """What the potential rows mean, and what is not among them."""
    if potential.groups:
        yield ("Potentially: to or from pods that policies select and no manifest declares, such as those of another repository",)
    if potential.left_out:
        yield (f"{counted(potential.left_out, 'more selector')} without a known pod {_was(potential.left_out)} not looked at",)
    if potential.impossible:
        named = first_of([(Name(each),) for each in potential.impossible], MOST_IMPOSSIBLE)
        yield ("No pod can be what these selectors ask for: ", *named)


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _row(group: FlowGroup, ports: ConnectionSet, revision: int) -> Row:
    ends = (Seen(group.sources, revision), Seen(group.destinations, revision))
    severity = group.severity if revision == HEAD else None
    return Row(*ends, ports, ports & group.may, group.causes[0] if group.causes else (), severity)

"""CSV: one row for each range of ports of each pair, for spreadsheets and scripts."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from io import StringIO

from analyzers.impact.report import DiffReport, Explanation, Flow, MatrixReport, PairChange, Via
from analyzers.reports.context import Context
from analyzers.reports.escape import printable
from analyzers.sets.connections import ConnectionSet

Cell = str | int

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 (spreadsheets read the wide forms too)
_LINES = 500
"""Lines written at a time."""


def matrix(report: MatrixReport, context: Context) -> Iterator[str]:
    """Everything that connects: `verdict` is `allowed` or `may`; `via` is what publishes the destination to a source outside."""
    header = ("source", "destination", "protocol", "first_port", "last_port", "verdict", "via")
    flows = (flow for flow in report.flows() if context.shows(flow.source, flow.destination))
    return _written(header, (row for flow in flows for row in _flow_rows(flow)))


def diff(report: DiffReport, context: Context) -> Iterator[str]:
    """Every port that opens or closes; `may` is true where it was or becomes only may, `group` counts from 0 as in JSON, `via` is what
    publishes the destination to a source outside."""
    header = ("source", "destination", "change", "protocol", "first_port", "last_port", "may", "group", "via")
    pairs = (pair for pair in report.pairs() if context.shows(pair.source, pair.destination))
    return _written(header, (row for pair in pairs for row in _pair_rows(pair)))


def explain(report: Explanation, context: Context) -> Iterator[str]:
    """The steps of both directions, in the order of evaluation; the verdict stands last."""
    header = ("direction", "step", "effect", "policy", "rule", "detail", "path", "line")
    sides = (("egress", report.egress), ("ingress", report.ingress))
    rows: list[Sequence[Cell]] = [
        (direction, number, str(step.effect), step.policy or "", step.rule or "", step.detail, step.path or "", step.line or "")
        for direction, steps in sides
        for number, step in enumerate(steps, start=1)
    ]
    verdict = f"{report.source} to {report.destination}" + (f" on {report.port}" if report.port else "")
    return _written(header, [*rows, ("verdict", "", report.verdict, "", "", verdict, "", "")])


def _flow_rows(flow: Flow) -> Iterator[Sequence[Cell]]:
    for verdict, ports in (("allowed", flow.connections - flow.may), ("may", flow.may)):
        for entry in _ranges(ports):
            yield (flow.source, flow.destination, *entry, verdict, _vias(flow.via, *entry))


def _pair_rows(pair: PairChange) -> Iterator[Sequence[Cell]]:
    changes = (("opened", pair.opened), ("closed", pair.closed), ("changed", pair.may - pair.opened - pair.closed))
    for change, ports in changes:
        for may, part in (("false", ports - pair.may), ("true", ports & pair.may)):
            for entry in _ranges(part):
                yield (pair.source, pair.destination, change, *entry, may, pair.group, _vias(pair.via, *entry))


def _vias(vias: Sequence[Via], protocol: str, first: int, last: int) -> str:
    """`Ingress shop/web Service shop/cart:80; LoadBalancer Service shop/cart:443`, those within a range of ports."""
    within = (each for each in vias if str(each.protocol) == protocol and first <= each.target <= last)
    return "; ".join(
        dict.fromkeys(f"{' '.join(filter(None, (each.type, each.name)))} Service {each.service}:{each.port}" for each in within)
    )


@lru_cache(maxsize=4096)
def _ranges(ports: ConnectionSet) -> tuple[tuple[str, int, int], ...]:
    return tuple((str(protocol), low, high) for protocol, numbers in ports.entries for low, high in numbers.intervals)


def _written(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(each) for each in row])
        if number % _LINES == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def cell(value: Cell) -> Cell:
    """The value as a spreadsheet shows it, never as it would calculate it."""
    if isinstance(value, int):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text

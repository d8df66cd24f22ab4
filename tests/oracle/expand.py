"""What the product answered, read back from its JSON as tables of points, so that it can be laid beside the truth.

Reading is strict: a range or a block that ends where no document could make it end is an error, and so is a row that comes twice.
That is what makes the comparison at sample points exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_network
from typing import Any, TypeVar

from tests.oracle.points import Address, Segment
from tests.oracle.tables import Change, Flow, Name, Universe

Report = dict[str, Any]
Row = TypeVar("Row")
Table = Mapping[tuple[Name, Name], Flow] | Mapping[tuple[Name, Name], Change]


def flows(report: Report, points: Universe) -> dict[tuple[Name, Name], Flow]:
    """The rows of a `flowdelta.matrix/1` document. ValueError when it is not one that the documents could lead to."""
    return _table(report, report["flows"], points, lambda row: Flow(*_masks(row, points, "connections", "may")))


def changes(report: Report, points: Universe) -> dict[tuple[Name, Name], Change]:
    """The rows of a `flowdelta.diff/1` document. ValueError when it is not one that the documents could lead to."""
    fields = ("base", "head", "opened", "closed", "may")
    return _table(report, report["changes"], points, lambda row: Change(*_masks(row, points, *fields)))


def _masks(row: Report, points: Universe, *fields: str) -> Iterator[int]:
    return (points.ports.within(row[field]) for field in fields)


def _table(report: Report, rows: list[Report], points: Universe, read: Callable[[Report], Row]) -> dict[tuple[Name, Name], Row]:
    names = ends(report, points)
    table: dict[tuple[Name, Name], Row] = {}
    for row in rows:
        content = read(row)
        for source in names[row["source"]]:
            for destination in names[row["destination"]]:
                if (source, destination) in table:
                    raise ValueError(f"{source} to {destination} is answered twice")
                table[source, destination] = content
    return table


def ends(report: Report, points: Universe) -> dict[str, tuple[Name, ...]]:
    """What each endpoint stands for: itself, or the sample addresses in it."""
    outside = (endpoint for endpoint in report["endpoints"] if endpoint["kind"] == "External")
    named = {endpoint["id"]: (endpoint["id"],) for endpoint in report["endpoints"]}
    return named | {endpoint["id"]: tuple(_addresses(tuple(endpoint["cidrs"]), points.segments)) for endpoint in outside}


@lru_cache(maxsize=4096)
def ranges(cidrs: tuple[str, ...]) -> tuple[tuple[Address, Address], ...]:
    """The addresses of a block as ranges from first to last, sorted, those that touch made one. ValueError when CIDRs overlap."""
    merged: list[tuple[Address, Address]] = []
    for network in sorted(map(ip_network, cidrs), key=lambda n: (n.version, int(n.network_address))):
        first = Address(network.version, int(network.network_address))
        last = Address(network.version, int(network.broadcast_address))
        if merged and merged[-1][1] >= first:
            raise ValueError(f"CIDRs overlap: {cidrs}")
        if merged and merged[-1][1] == (first.version, first.value - 1):
            first = merged.pop()[0]
        merged.append((first, last))
    return tuple(merged)


def _addresses(cidrs: tuple[str, ...], segments: tuple[Segment, ...]) -> Iterator[Address]:
    firsts, lasts = {segment.first for segment in segments}, {segment.last for segment in segments}
    for first, last in ranges(cidrs):
        if first not in firsts or last not in lasts:
            raise ValueError(f"a block ends at {first} or {last}, where no document cuts: {cidrs}")
        for segment in segments:
            if first <= segment.first and segment.last <= last:
                yield from dict.fromkeys(segment)


def differences(expected: Table, answered: Table, points: Universe) -> list[str]:
    """The points at which two tables differ, a line for each pair of ends and field."""
    lines: list[str] = []
    for pair in sorted({*expected, *answered}, key=str):
        want, got = expected.get(pair), answered.get(pair)
        if want is None or got is None:
            row, problem = (got, "the product lists a row too many") if want is None else (want, "the product lacks a row")
            assert row is not None
            parts = (_some(f" {field} ", points.ports.shown(mask)) for field, mask in zip(row._fields, row, strict=True))
            lines.append(f"{pair[0]} -> {pair[1]}: {problem}:{';'.join(filter(None, parts))}")
        elif want != got:
            for field, right, wrong in zip(want._fields, want, got, strict=True):
                missing, extra = points.ports.shown(right & ~wrong), points.ports.shown(wrong & ~right)
                differs = _some(" the product lacks ", missing) + _some(" the product adds ", extra)
                lines += [f"{pair[0]} -> {pair[1]} {field}:{differs}"] if differs else []
    return lines


def _some(label: str, shown: list[str]) -> str:
    if not shown:
        return ""
    return label + ", ".join(shown[:6]) + (f" and {len(shown) - 6} more points" if len(shown) > 6 else "")

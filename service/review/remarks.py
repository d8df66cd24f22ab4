"""Annotations: the policy lines at head that caused a change, each with what it changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyzers.reports.escape import printable, shortened
from service.forges.port import Annotation

MOST = 50
"""Annotations of one check: what GitHub takes in one call, and more than anyone reads."""

LARGEST = 20_000_000
"""Bytes of a report above which a check has no annotations: the service would read all of it into its own memory."""

_CHANGES, _ENDS, _PORTS, _NAME = 3, 2, 4, 80
_Place = tuple[str, int]


def of_report(document: bytes, subdir: str = "") -> tuple[Annotation, ...]:
    """The annotations of a `flowdelta.diff/1` document, or of each cluster of a `flowdelta.diffs/1`, by path and line. Its paths are those
    below `subdir` of the repository."""
    if len(document) > LARGEST:
        return ()
    report = json.loads(document)
    changes: dict[_Place, list[Mapping[str, Any]]] = {}
    for cluster in report.get("clusters", [report]):
        for group in cluster["groups"]:
            for place in _places(group):
                changes.setdefault(place, []).append(group)
    folder = f"{subdir.strip('/')}/" if subdir.strip("/") else ""
    return tuple(_annotation((folder + path, line), groups) for (path, line), groups in sorted(changes.items()))[:MOST]


def _places(group: Mapping[str, Any]) -> Iterator[_Place]:
    """Each line at head that undoing the change would touch, once."""
    undone = (step for cause in group["causes"] for step in cause["undo"])
    yield from dict.fromkeys((step["path"], step["line"]) for step in undone if step.get("side") == "head" and step.get("line"))


def _annotation(place: _Place, groups: Sequence[Mapping[str, Any]]) -> Annotation:
    said = list(dict.fromkeys(_change(group) for group in groups))
    more = [f"and {len(said) - _CHANGES} more changes; the report lists them"] if len(said) > _CHANGES else []
    return Annotation(*place, _title(groups), "\n".join(said[:_CHANGES] + more))


def _title(groups: Sequence[Mapping[str, Any]]) -> str:
    opens, closes = any(group["opened"] for group in groups), any(group["closed"] for group in groups)
    if opens and closes:
        return "Opens and closes network flows"
    return "Opens network flows" if opens else "Closes network flows" if closes else "Changes what network flows depend on"


def _change(group: Mapping[str, Any]) -> str:
    """`shop/web[Deployment] to shop/cart[Deployment]: opens TCP 9090`, however many there are of each."""
    ends = f"{_few(group['sources'], _ENDS)} to {_few(group['destinations'], _ENDS)}"
    said = [f"{verb} {_ports(group[what])}" for what, verb in (("opened", "opens"), ("closed", "closes")) if group[what]]
    return f"{ends}: {', '.join(said) or 'depends on something else'}"


def _ports(connections: Mapping[str, Sequence[Sequence[int]]]) -> str:
    return " and ".join(f"{protocol} {_few([_range(*each) for each in ranges], _PORTS)}" for protocol, ranges in connections.items())


def _range(first: int, last: int) -> str:
    return "all ports" if (first, last) == (1, 65_535) else str(first) if first == last else f"{first}-{last}"


def _few(names: Sequence[str], most: int) -> str:
    """The first of the names, which come from manifests: in one line, and none of them long."""
    shown = ", ".join(shortened(printable(name), _NAME) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown

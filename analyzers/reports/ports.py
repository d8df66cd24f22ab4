"""Ports in words: the shortest true way to say which ports of which protocols."""

from __future__ import annotations

from analyzers.sets.connections import PORTS, ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet

NOTHING = ConnectionSet()

MOST_RANGES = 8
"""Port ranges named for one protocol; the others are counted."""


Said = tuple[int, str]
"""How many ranges are named, and the words."""


def ports_in_words(ports: ConnectionSet, may: ConnectionSet = NOTHING) -> str:
    """`TCP 80, 443; UDP 53`, or `all ports but TCP 80`; the part that is only may stands last and is said to be so."""
    certain, uncertain = ports - may, ports & may
    said = [_words(certain)] if certain else []
    return "; ".join([*said, f"may: {_words(uncertain)}"] if uncertain else said) or "nothing"


def _words(ports: ConnectionSet) -> str:
    missing = ConnectionSet.everything() - ports
    if not missing:
        return "all ports"
    said = [_of_protocol(protocol, numbers) for protocol, numbers in ports.entries]
    listed = (sum(ranges for ranges, _ in said), "; ".join(words for _, words in said))
    but = ", ".join(_listed(str(protocol), numbers) for protocol, numbers in missing.entries)
    return _shorter(listed, (sum(len(numbers.intervals) for _, numbers in missing.entries), f"all ports but {but}"))[1]


def _of_protocol(protocol: Protocol, numbers: IntervalSet) -> Said:
    others = PORTS - numbers
    listed = (len(numbers.intervals), _listed(str(protocol), numbers))
    return _shorter(listed, (len(others.intervals), _listed(f"all {protocol} ports but", others))) if others else listed


def _shorter(one: Said, other: Said) -> Said:
    """The one that names fewer ranges, else fewer characters."""
    return min(one, other, key=lambda said: (said[0], len(said[1])))


def _listed(what: str, numbers: IntervalSet) -> str:
    if numbers == PORTS:
        return f"all {what} ports"
    ranges = [str(low) if low == high else f"{low}-{high}" for low, high in numbers.intervals]
    rest = len(ranges) - MOST_RANGES
    more = f" and {rest:,} more ranges" if rest > 1 else f" and {ranges[-1]}" if rest else ""
    return f"{what} {', '.join(ranges[:MOST_RANGES])}{more if rest > 0 else ''}"

"""Random flow sets over a universe that is small enough to list, so that set algebra can be compared with sets of points."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from service.signoff.flows import OUTSIDE, Certainty, Change, FlowSet, Route

ADDRESSES, PORTS = range(8), range(1, 7)
Point = tuple[Route, int, Protocol, int]

intervals = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=3).map(IntervalSet.of).filter(bool)
ports = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=3).map(IntervalSet.of)
connections = st.builds(lambda tcp, udp: ConnectionSet.of({Protocol.TCP: tcp, Protocol.UDP: udp}), ports, ports)
routes = st.one_of(
    st.builds(Route, st.just(Change.OPENED), st.just(""), st.just("a"), st.sampled_from(["b", "c"]), st.sampled_from(Certainty)),
    st.builds(Route, st.just(Change.OPENED), st.just(""), st.just(OUTSIDE), st.just("b"), st.sampled_from(Certainty), st.just(4)),
)


@st.composite
def flows(draw: st.DrawFn) -> FlowSet:
    """A flow set of up to five overlapping parts."""
    parts = []
    for _ in range(draw(st.integers(0, 5))):
        route = draw(routes)
        parts.append((route, draw(intervals) if route.family else IntervalSet(((0, 0),)), draw(connections)))
    return FlowSet.of(parts)


def points(flows: FlowSet) -> set[Point]:
    """Every point of a set."""
    return set(_points(flows))


def _points(flows: FlowSet) -> Iterator[Point]:
    for route, cells in flows.routes:
        for addresses, allowed in cells:
            for address in ADDRESSES:
                for protocol, numbers in allowed.entries:
                    yield from ((route, address, protocol, port) for port in PORTS if address in addresses and port in numbers)

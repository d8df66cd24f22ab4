"""Connections: canonical, closed under set algebra, and shown as the contract has them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet

port_sets = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=3).map(IntervalSet.of)
connection_sets = st.dictionaries(st.sampled_from(Protocol), port_sets).map(ConnectionSet.of)


def points(connections: ConnectionSet) -> set[tuple[str, int]]:
    return {(protocol, port) for protocol, ranges in connections.ranges().items() for low, high in ranges for port in range(low, high + 1)}


@given(connection_sets, connection_sets)
def test_algebra_agrees_with_sets_of_points(left: ConnectionSet, right: ConnectionSet) -> None:
    assert points(left | right) == points(left) | points(right)
    assert points(left & right) == points(left) & points(right)
    assert points(left - right) == points(left) - points(right)
    assert (left == right) is (points(left) == points(right))
    assert bool(left) is bool(points(left))


def test_everything_is_every_port_of_each_protocol() -> None:
    assert ConnectionSet.everything().ranges() == {"TCP": [[1, 65535]], "UDP": [[1, 65535]], "SCTP": [[1, 65535]]}
    assert str(ConnectionSet.everything()) == "all ports"


def test_connections_read_as_protocol_and_ports() -> None:
    ports = {Protocol.UDP: IntervalSet.of([(53, 53)]), Protocol.TCP: IntervalSet.of([(80, 80), (8000, 8080)])}
    assert str(ConnectionSet.of(ports)) == "TCP 80, 8000-8080; UDP 53"
    assert str(ConnectionSet()) == "nothing"

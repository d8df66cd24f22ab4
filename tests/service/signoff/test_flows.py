"""Flow sets are sets: their algebra is that of the points they hold, and equal sets are equal values with equal digests."""

from __future__ import annotations

import json

from hypothesis import given

from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from service.signoff.flows import OUTSIDE, Certainty, Change, FlowSet, Route
from tests.service.signoff.strategies import flows, points


def test_a_set_of_very_many_blocks_is_no_trouble() -> None:
    """What compares each block with each would take hours; a hostile change can make so many."""
    route = Route(Change.OPENED, "", OUTSIDE, "pay/db[StatefulSet]", Certainty.MAY, 4)
    ports = [ConnectionSet.of({Protocol.TCP: IntervalSet(((port, port),))}) for port in range(1, 20_001)]
    many = FlowSet.of((route, IntervalSet(((4 * port, 4 * port),)), each) for port, each in enumerate(ports))
    assert len(many.routes[0][1]) == 20_000
    assert many - many == FlowSet()
    assert many | many == many


@given(flows(), flows())
def test_the_algebra_is_that_of_points(one: FlowSet, other: FlowSet) -> None:
    assert points(one | other) == points(one) | points(other)
    assert points(one - other) == points(one) - points(other)
    assert one.issubset(other) is (points(one) <= points(other))
    assert bool(one) is bool(points(one))


@given(flows(), flows())
def test_equal_sets_are_equal_values_with_equal_digests(one: FlowSet, other: FlowSet) -> None:
    united = one | other
    assert united == other | one == (one - other) | other
    assert united.digest == (other | one).digest
    assert (one.digest == other.digest) is (points(one) == points(other))


@given(flows())
def test_a_set_survives_json(one: FlowSet) -> None:
    assert FlowSet.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_a_narrower_range_of_ports_and_of_addresses_is_covered() -> None:
    def opened(low: int, high: int, first: int, last: int) -> FlowSet:
        route = Route(Change.OPENED, "", "outside", "shop/db[StatefulSet]", Certainty.MAY, 4)
        return FlowSet.of([(route, IntervalSet(((first, last),)), ConnectionSet.of({Protocol.TCP: IntervalSet(((low, high),))}))])

    assert opened(5432, 5432, 0, 255).issubset(opened(5432, 5440, 0, 255))
    assert opened(5432, 5440, 16, 31).issubset(opened(5432, 5440, 0, 255))
    assert not opened(5432, 5441, 16, 31).issubset(opened(5432, 5440, 0, 255))
    assert not opened(5432, 5432, 0, 256).issubset(opened(5432, 5440, 0, 255))

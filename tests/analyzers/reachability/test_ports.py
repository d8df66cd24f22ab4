"""Port atoms: masks stand for exactly the ports that were asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzers.model.diagnostics import SourceLocation
from analyzers.model.policy import AnyPeer, Direction, NumberedPorts, PodPeer, Policy, PolicyRef, Rule, Tier
from analyzers.model.selectors import LabelSelector
from analyzers.reachability.ports import ADMIN_CONDITIONS, NODE_CONDITIONS, Condition, PortSpace
from analyzers.sets.connections import PORTS, ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet

HERE = SourceLocation("p.yaml", 1)
ranges = st.tuples(st.sampled_from(Protocol), st.integers(1, 65535), st.integers(1, 65535)).map(
    lambda each: NumberedPorts(each[0], IntervalSet.of([(min(each[1:]), max(each[1:]))]))
)


def policy(ports: list[NumberedPorts]) -> Policy:
    rule = Rule(Direction.INGRESS, 0, (AnyPeer(),), tuple(ports), HERE)
    return Policy(
        PolicyRef("NetworkPolicy", "a", "b"),
        Tier.NETWORK_POLICY,
        PodPeer("a", LabelSelector()),
        frozenset({Direction.INGRESS}),
        (rule,),
        HERE,
    )


@given(st.lists(ranges, min_size=1, max_size=5), st.lists(st.tuples(st.sampled_from(Protocol), st.integers(1, 65535)), max_size=3))
def test_a_mask_reads_back_as_the_ports_it_was_made_of(ports: list[NumberedPorts], numbers: list[tuple[Protocol, int]]) -> None:
    space = PortSpace([policy(ports)], numbers)
    for each in ports:
        assert space.connections(space.mask(each.protocol, each.numbers)) == ConnectionSet.of({each.protocol: each.numbers})
    for protocol, number in numbers:
        assert space.connections(space.port(protocol, number)) == ConnectionSet.of({protocol: IntervalSet.of([(number, number)])})
    assert space.connections(space.every_port) == ConnectionSet.everything()
    assert space.mask(Protocol.TCP, PORTS) | space.mask(Protocol.UDP, PORTS) | space.mask(Protocol.SCTP, PORTS) == space.every_port


def test_a_verdict_mask_tells_what_is_certain_from_what_may_be() -> None:
    http, https = (NumberedPorts(Protocol.TCP, IntervalSet.of([(number, number)])) for number in (80, 443))
    space = PortSpace([policy([http, https])], [])
    one, other = (space.mask(each.protocol, each.numbers) for each in (http, https))
    verdicts = space.verdicts(space.depending(space.settled(one), space.settled(one | other), Condition.SOURCE_NODE))
    assert verdicts.connections.ranges() == {"TCP": [[80, 80], [443, 443]]}
    assert verdicts.may.ranges() == {"TCP": [[443, 443]]}
    assert verdicts.conditions == (Condition.SOURCE_NODE,)
    assert not space.verdicts(space.settled(one)).may


def test_what_depends_on_two_conditions_is_certain_only_when_neither_is_left() -> None:
    http = NumberedPorts(Protocol.TCP, IntervalSet.of([(80, 80)]))
    space = PortSpace([policy([http])], [])
    one = space.mask(Protocol.TCP, http.numbers)
    source, destination = (space.depending(0, space.settled(one), each) for each in NODE_CONDITIONS)
    both = space.verdicts(source & destination)
    assert (both.connections, both.conditions) == (both.may, (Condition.DESTINATION_NODE, Condition.SOURCE_NODE))
    assert space.verdicts(source & space.settled(one)).conditions == (Condition.SOURCE_NODE,)
    assert not space.verdicts(source & space.settled(0)).connections


def test_what_either_of_two_conditions_opens_depends_on_both() -> None:
    http = NumberedPorts(Protocol.TCP, IntervalSet.of([(80, 80)]))
    space = PortSpace([policy([http])], [], (*NODE_CONDITIONS, *ADMIN_CONDITIONS, Condition.CONTROLLER))
    one = space.settled(space.mask(Protocol.TCP, http.numbers))
    either = space.depending(0, one, Condition.EQUAL_PRIORITY) | space.depending(0, one, Condition.UNRESOLVED_PEER)
    assert space.verdicts(either).conditions == (Condition.UNRESOLVED_PEER, Condition.EQUAL_PRIORITY)
    assert space.verdicts(either).may == space.verdicts(either).connections


@given(st.lists(ranges, min_size=1, max_size=4), st.lists(ranges, max_size=4), st.sampled_from(NODE_CONDITIONS))
def test_a_mask_of_fewer_atoms_is_the_same_among_more(some: list[NumberedPorts], more: list[NumberedPorts], condition: Condition) -> None:
    coarse = PortSpace([policy(some)], [])
    fine = PortSpace([policy(more)], [], coarse.conditions, coarse.cuts)
    refined = fine.from_coarser(coarse)
    sure, perhaps = (coarse.mask(each.protocol, each.numbers) for each in (some[0], some[-1]))
    for mask in (0, coarse.certain, coarse.depending(coarse.settled(sure), coarse.settled(sure | perhaps), condition)):
        assert fine.verdicts(refined(mask)) == coarse.verdicts(mask)
    assert coarse.cuts <= fine.cuts
    assert PortSpace((), (), coarse.conditions, coarse.cuts).cuts == coarse.cuts

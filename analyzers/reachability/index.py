"""Selecting classes: posting lists of labels, namespaces and named ports of one revision, and selectors answered from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

from analyzers.model.cluster import HostNetwork, NamedPort, PodShape
from analyzers.model.policy import PodPeer
from analyzers.model.selectors import Labels, LabelSelector, Operator, Requirement
from analyzers.reachability.bits import bits_of, members_of, span_bits
from analyzers.reachability.universe import Snapshot, Universe

UNTOLD = 0
"""The number of a port whose name stands for one that manifests do not tell."""


class Postings:
    """Which numbered things carry which labels. Sets become ints when first asked for."""

    def __init__(self, labelled: Iterable[tuple[int, Labels]]) -> None:
        self._by_label: dict[tuple[str, str], list[int]] = defaultdict(list)
        numbers = []
        for number, labels in labelled:
            numbers.append(number)
            for label in labels:
                self._by_label[label].append(number)
        self.all = bits_of(numbers)
        self._requirements: dict[Requirement, int] = {}
        self._selected: dict[LabelSelector, int] = {}

    def select(self, selector: LabelSelector) -> int:
        """The things that a selector matches."""
        found = self._selected.get(selector)
        if found is None:
            found = self.all
            for requirement in selector.requirements:
                found &= self._meeting(requirement)
            self._selected[selector] = found
        return found

    def _meeting(self, requirement: Requirement) -> int:
        found = self._requirements.get(requirement)
        if found is None:
            if requirement.operator in {Operator.IN, Operator.NOT_IN}:
                found = bits_of(number for value in requirement.values for number in self._by_label.get((requirement.key, value), ()))
            else:
                found = bits_of(number for (key, _), carrying in self._by_label.items() if key == requirement.key for number in carrying)
            # The negative operators hold where the key is absent.
            if requirement.operator in {Operator.NOT_IN, Operator.DOES_NOT_EXIST}:
                found = self.all & ~found
            self._requirements[requirement] = found
        return found


class PodIndex:
    """The classes that exist in one revision, and selection among them.

    `present` are all of them; `hosts` those that count as node addresses, which no policy selects and no pod selector matches;
    `untold` those on which any port name stands for a number that manifests do not tell.
    """

    def __init__(self, universe: Universe, revision: int, snapshot: Snapshot, host_network: HostNetwork, untold: int = 0) -> None:
        self.universe, self.untold = universe, untold
        self.host_network = host_network
        self._cluster = snapshot.cluster
        self.shapes: list[PodShape | None] = [each.shapes[revision] for each in universe.classes]
        existing = [(number, shape) for number, shape in enumerate(self.shapes) if shape is not None]
        on_nodes = [number for number, shape in existing if shape.host_network]
        self.present = bits_of([number for number, _ in existing])
        self._on_nodes = bits_of(on_nodes)
        self.hosts = self._on_nodes if host_network is HostNetwork.NODE else 0
        self._in_namespaces: dict[LabelSelector, int] = {}
        self._port_numbers: dict[NamedPort, tuple[tuple[int, int], ...]] = {}

    @property
    def selectable(self) -> int:
        """The classes that policies and pod selectors see."""
        return self.present & ~self.hosts

    @property
    def in_network(self) -> int:
        """Those of them that have an address of their own rather than that of their node."""
        return self.present & ~self._on_nodes

    def select(self, peer: PodPeer) -> int:
        """The classes that a peer, or the subject of a policy, selects."""
        pods = self._pods.select(peer.pods) if peer.host_network else self._pods.select(peer.pods) & ~self._on_nodes
        if isinstance(peer.namespaces, str):
            start, stop = self.universe.spans.get(peer.namespaces, (0, 0))
            return pods & span_bits(start, stop)
        return pods and pods & self._within(peer.namespaces)

    def with_port(self, named: NamedPort) -> tuple[tuple[int, int], ...]:
        """Each number that a port name stands for, with the classes where it does."""
        found = self._port_numbers.get(named)
        if found is None:
            listed = self._named_ports.get(named, {}).items()
            found = self._port_numbers[named] = tuple((number, bits_of(classes)) for number, classes in listed)
        return found

    @cached_property
    def _pods(self) -> Postings:
        seen = ((number, self.shapes[number]) for number in members_of(self.selectable))
        return Postings((number, shape.labels) for number, shape in seen if shape is not None)

    @cached_property
    def _namespaces(self) -> Postings:
        return Postings((number, self._cluster.namespace_labels(name)) for number, name in enumerate(self.universe.spans))

    @cached_property
    def _spans(self) -> Sequence[tuple[int, int]]:
        return tuple(self.universe.spans.values())

    @cached_property
    def _named_ports(self) -> dict[NamedPort, dict[int, list[int]]]:
        found: dict[NamedPort, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for number, shape in enumerate(self.shapes):
            for named, port in shape.named_ports if shape is not None else ():
                found[named][port].append(number)
        return found

    def resolve(self, number: int, named: NamedPort) -> int | None:
        """The port number that a name stands for on one class, or `UNTOLD`."""
        if self.untold >> number & 1:
            return UNTOLD
        shape = self.shapes[number]
        return dict(shape.named_ports).get(named) if shape is not None else None

    def _within(self, selector: LabelSelector) -> int:
        found = self._in_namespaces.get(selector)
        if found is None:
            found = 0
            for number in members_of(self._namespaces.select(selector)):
                found |= span_bits(*self._spans[number])
            self._in_namespaces[selector] = found
        return found

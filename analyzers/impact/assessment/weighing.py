"""Weighing: which marks of severity the flows of a group carry. Factored: classes and blocks, never pairs of workloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache, cached_property, reduce
from operator import or_

from analyzers.impact.assessment.severity import DEFAULT_RULES, Mark, Reason, Severity, SeverityRules
from analyzers.impact.rows.endpoint_sets import EndpointSet
from analyzers.model.cluster import Cluster, Workload
from analyzers.model.policy import Direction
from analyzers.model.selectors import Labels
from analyzers.reachability.bits import bits_of, span_bits
from analyzers.reachability.compiled import Compiled, Side
from analyzers.reachability.decide import decide
from analyzers.reachability.landings import Landing, Landings, narrowed
from analyzers.reachability.universe import Universe
from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock

MOST_NAMED = 3
"""Namespaces, ports, ways in or workloads named in one reason."""

AS_GOOD_AS_ALL = 60_000
"""Ports of one protocol that count as all of them: a change from one port to all opens all but one."""

_METADATA_PORT = 80


class Weighing:
    """What opens between two revisions, weighed by a table of rules. `cluster` and `landings` (asked for when needed) are those of head."""

    def __init__(
        self,
        universe: Universe,
        base: Compiled,
        head: Compiled,
        cluster: Cluster,
        landings: Callable[[], Landings],
        rules: SeverityRules = DEFAULT_RULES,
    ) -> None:
        self._universe, self._base, self._head, self._cluster = universe, base, head, cluster
        self._landings, self._rules = landings, rules
        self._namespaces: dict[int, frozenset[str]] = {}
        self._freed: dict[Direction, int] = {}
        self._by_ports: Callable[[ConnectionSet], str] = cache(self._sensitive_ports)

    def severity(self, sources: EndpointSet, destinations: EndpointSet, opened: ConnectionSet) -> Severity:
        """How much attention it deserves that these ports open between each source and each destination."""
        return self._rules.weigh(Reason(mark, text) for mark, text in self._marks(sources, destinations, opened) if text)

    def _marks(self, sources: EndpointSet, destinations: EndpointSet, opened: ConnectionSet) -> Iterator[tuple[Mark, str]]:
        """Each mark with what it says; where that is empty the flows do not carry it."""
        comes_in = bool(sources.members.blocks) or sources.controller
        yield Mark.FROM_OUTSIDE, "from outside the cluster" if comes_in else ""
        yield Mark.PUBLISHED, _listed("published by ", self._publishing(sources, destinations, opened)) if comes_in else ""
        yield Mark.LOST_DEFAULT_DENY, self._lost(sources, destinations)
        near, far = self._within(sources), self._within(destinations)
        yield Mark.ACROSS_ENVIRONMENTS, self._environments(near, far)
        yield Mark.ACROSS_NAMESPACES, self._across(near, far)
        yield Mark.WHOLE_NAMESPACE, self._whole(sources, near, "from") or self._whole(destinations, far, "to")
        yield Mark.SENSITIVE_ENDPOINT, self._names("to ", destinations.touched & self.sensitive, ", marked as sensitive")
        yield Mark.SENSITIVE_PORT, self._by_ports(opened)
        yield Mark.ALL_PORTS, _all_ports(opened)
        outside = destinations.members.blocks
        yield Mark.TO_METADATA, self._metadata(outside, opened)
        yield Mark.TO_OUTSIDE, "to outside the cluster" if outside else ""

    def _within(self, ends: EndpointSet) -> frozenset[str]:
        """The namespaces of the workloads in a set."""
        touched = ends.touched
        if touched not in self._namespaces:
            spans = self._universe.spans.items()
            self._namespaces[touched] = frozenset(name for name, span in spans if touched & span_bits(*span))
        return self._namespaces[touched]

    def _publishing(self, sources: EndpointSet, destinations: EndpointSet, opened: ConnectionSet) -> list[str]:
        """What publishes a destination to a source, on a port that opens."""
        landings = self._landings()
        blocks, classes = sources.members.blocks, destinations.touched
        through = landings.through if sources.controller else ()
        direct = (each for each in landings.published if _admits(each, blocks)) if blocks else ()
        found = (each for each in (*through, *direct) if each.classes & classes and each.target in opened.ports(each.protocol))
        return list(dict.fromkeys(map(_title, found)))

    def _environments(self, near: Collection[str], far: Collection[str]) -> str:
        for label in self._rules.environments:
            here, there = (sorted({value for name in names if (value := self._value(name, label))}) for names in (near, far))
            pairs = [(one, other) for one in here for other in there if one != other]
            if pairs:
                one, other = pairs[0]
                return f"from {label} {one} to {label} {other}"
        return ""

    def _value(self, namespace: str, label: str) -> str:
        return dict(self._cluster.namespace_labels(namespace)).get(label, "")

    def _whole(self, ends: EndpointSet, namespaces: Collection[str], towards: str) -> str:
        """The namespaces of several workloads of which every one is in a set."""
        if len(ends) < 2:
            return ""
        counts = self._counts(ends)
        whole = [name for name in sorted(namespaces) if self._sizes[name] > 1 and self._all_of(name, ends, counts)]
        return _listed(f"{towards} every pod of namespace{'s' if len(whole) > 1 else ''} ", whole)

    def _counts(self, ends: EndpointSet) -> Counter[str] | None:
        """How many workloads of each namespace are in a set; None where its classes tell."""
        return Counter(self._universe.workloads[index].latest.namespace for index in ends.indices) if ends.members.singles else None

    def _all_of(self, namespace: str, ends: EndpointSet, counts: Counter[str] | None) -> bool:
        if counts is not None:
            return counts[namespace] >= self._sizes[namespace]
        present = span_bits(*self._universe.spans[namespace]) & self._head.index.present
        return not present & ~ends.touched

    @cached_property
    def _sizes(self) -> Counter[str]:
        """How many workloads each namespace has in head."""
        return Counter(each.namespace for each in self._cluster.workloads)

    def _lost(self, sources: EndpointSet, destinations: EndpointSet) -> str:
        """The workloads that policy restricted in base and nothing restricts in head."""
        arriving = self._names("nothing restricts traffic to ", destinations.touched & self._unrestricted(Direction.INGRESS), " any more")
        return arriving or self._names("nothing restricts traffic of ", sources.touched & self._unrestricted(Direction.EGRESS), " any more")

    def _unrestricted(self, direction: Direction) -> int:
        """The classes that become unrestricted in a direction."""
        if direction not in self._freed:
            self._freed[direction] = self._becoming_free(direction)
        return self._freed[direction]

    def _becoming_free(self, direction: Direction) -> int:
        sides = (self._base.side(direction), self._head.side(direction))
        before, after = (_free_groups(side, direction, each) for side, each in zip(sides, (self._base, self._head), strict=True))
        pairs = enumerate(zip(sides[0].group_of, sides[1].group_of, strict=True))
        return bits_of(number for number, (was, becomes) in pairs if was >= 0 and becomes in after and was not in before)

    @cached_property
    def sensitive(self) -> int:
        """The classes that are marked as sensitive."""
        return _sensitive_classes(self._universe, self._cluster, self._rules.sensitive_labels)

    def _names(self, before: str, classes: int, after: str) -> str:
        """A few workloads of some classes, named; empty where there are no classes."""
        if not classes:
            return ""
        indices = sorted(self._universe.within(classes))
        first = [self._universe.workloads[index].latest for index in indices[:MOST_NAMED]]
        return _listed(before, [self._name(each) for each in first], len(indices) - len(first)) + after

    def _name(self, workload: Workload) -> str:
        return f"{workload.namespace}/{workload.name}"

    def _across(self, near: frozenset[str], far: frozenset[str]) -> str:
        pairs = ((one, other) for one in sorted(near) for other in sorted(far) if one != other)
        one, other = next(pairs, ("", ""))
        if not one:
            return ""
        said = [
            f"{counted} namespaces" if (counted := len(names)) > 1 else self._space(name) for names, name in ((near, one), (far, other))
        ]
        return f"from {said[0]} to {said[1]}"

    def _space(self, namespace: str) -> str:
        return f"namespace {namespace}"

    def _sensitive_ports(self, opened: ConnectionSet) -> str:
        """The sensitive ports among some; where as good as all ports open, another mark says so."""
        chosen = {protocol: ports for protocol, ports in opened.entries if not _as_good_as_all(ports)}
        found = []
        for each in self._rules.sensitive_ports:
            common = chosen[each.protocol] & each.numbers if each.protocol in chosen else None
            if common:
                found.append(f"{each.protocol} {common.intervals[0][0]} ({each.name})")
        return _listed("", found)

    def _metadata(self, blocks: Iterable[IPBlock], opened: ConnectionSet) -> str:
        if _METADATA_PORT not in opened.ports(Protocol.TCP):
            return ""
        reached = [each for each in self._rules.metadata if any(_meet(each, block) for block in blocks)]
        return _listed("to the metadata address ", [each.cidrs()[0].partition("/")[0] for each in reached[:1]])


def _sensitive_classes(universe: Universe, cluster: Cluster, marks: Iterable[Labels]) -> int:
    """The classes with all labels of one of the marks, on the pods or on their namespace, in the newest revision."""
    asked = [frozenset(labels) for labels in marks]
    known = frozenset(label for each in asked for label in each)

    def marked(labels: Labels) -> bool:
        return not known.isdisjoint(labels) and any(each.issubset(labels) for each in asked)

    spaces = (span_bits(*span) for name, span in universe.spans.items() if marked(cluster.namespace_labels(name)))
    shapes = ((number, each.shapes[-1]) for number, each in enumerate(universe.classes))
    pods = bits_of(number for number, shape in shapes if shape is not None and marked(shape.labels))
    return reduce(or_, spaces, pods)


def _free_groups(side: Side, direction: Direction, compiled: Compiled) -> frozenset[int]:
    """The groups of one side that let everything through, as pods do that no policy selects."""
    free = decide(direction, (), compiled.index, compiled.space, lambda named: None)
    return frozenset(group for group, cover in enumerate(side.covers) if cover == free)


def _all_ports(opened: ConnectionSet) -> str:
    if opened == ConnectionSet.everything():
        return "all ports"
    return _listed("nearly all ports of ", [str(protocol) for protocol, ports in opened.entries if _as_good_as_all(ports)])


def _as_good_as_all(ports: IntervalSet) -> bool:
    return sum(high - low + 1 for low, high in ports.intervals) >= AS_GOOD_AS_ALL


def _admits(landing: Landing, blocks: Iterable[IPBlock]) -> bool:
    """Whether a published Service admits some address of some blocks."""
    if not narrowed(landing.service):
        return True
    return any(_meet(each, block) for each in landing.service.source_ranges for block in blocks)


def _meet(one: IPBlock, other: IPBlock) -> bool:
    return one.family is other.family and bool(one.addresses & other.addresses)


def _title(landing: Landing) -> str:
    if landing.way is not None:
        return landing.way.title
    return f"{landing.service.title} ({', '.join(landing.service.published)})"


def _listed(before: str, names: Collection[str], more: int = 0) -> str:
    """The first few of some names; nothing where there are none."""
    if not names:
        return ""
    shown = list(names)[:MOST_NAMED]
    rest = more + len(names) - len(shown)
    return before + ", ".join(shown) + (f" and {rest} more" if rest else "")

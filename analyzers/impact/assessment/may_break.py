"""What may break: evidence that flows which close were in use. It is read from head, as what head no longer says it needs, nobody misses.

Evidence is what leads traffic to a port that closes (an Ingress, a Gateway's route, a published Service), what a source says that it talks
to (an address in a variable, an annotation), and a Service that leads to a port that closes while others of its pods stay open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import islice

from msgspec import Struct

from analyzers.impact.rows.endpoint_sets import EndpointSet
from analyzers.model.cluster import Cluster, Service, Workload
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.uses import Use, UseKind
from analyzers.reachability.bits import bits_of
from analyzers.reachability.cluster_dns import ClusterDNS
from analyzers.reachability.landings import Landing, Pods
from analyzers.reachability.universe import Universe
from analyzers.reachability.ways_in import WaysIn
from analyzers.sets.connections import PORTS, ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet

MOST_EVIDENCE = 20
"""Pieces of evidence kept of one group."""

MOST_LOOKED_AT = 200_000
"""Sources looked at for what they say they use, in all groups together; a change that closes more is told by other evidence alone."""


class EvidenceKind(StrEnum):
    """What shows that a flow was in use, the strongest first."""

    WAY_IN = "way-in"
    VARIABLE = "variable"
    ANNOTATION = "annotation"
    SERVICE = "service"


class Evidence(Struct, frozen=True):
    """One thing of head that shows that a flow which closes was in use, on `connections`.

    `name` is the way in, variable, annotation or Service; `says` is what a variable or annotation says; `source` is the workload that it
    belongs to, empty where none does; `service` the Service by which the destination is reached, empty where that is not known.
    """

    kind: EvidenceKind
    name: str
    says: str
    source: str
    service: str
    connections: ConnectionSet
    origin: SourceLocation


class _Needed(Struct, frozen=True):
    """What one workload needs: some ports of the pods of some classes."""

    use: Use
    service: str
    classes: int
    ports: ConnectionSet


class InUse:
    """The evidence that one revision (head) holds. `base` tells where Services led that head does not have any more."""

    def __init__(self, universe: Universe, base: Cluster, head: Cluster, ways: WaysIn) -> None:
        self._universe, self._base, self._head, self._ways = universe, base, head, ways
        self._left = MOST_LOOKED_AT

    @property
    def stopped(self) -> bool:
        """Whether more sources were asked about than are looked at."""
        return self._left < 0

    def evidence(self, sources: EndpointSet, destinations: EndpointSet, closed: ConnectionSet) -> tuple[Evidence, ...]:
        """What shows that these flows were in use, the strongest first."""
        found = dict.fromkeys(islice(self._found(sources, destinations, closed), MOST_EVIDENCE))
        return tuple(sorted(found, key=lambda each: tuple(EvidenceKind).index(each.kind)))

    def _found(self, sources: EndpointSet, destinations: EndpointSet, closed: ConnectionSet) -> Iterator[Evidence]:
        classes = destinations.touched
        landings = self._ways.landings
        through = landings.through if sources.controller else ()
        published = landings.published if sources.members.blocks else ()
        yield from (_led(each) for each in (*through, *published) if each.classes & classes and each.target in closed.ports(each.protocol))
        yield from self._said(sources, classes, closed)
        if sources.touched & self._present and len(destinations) == 1:
            yield from self._served(classes, closed)

    def _said(self, sources: EndpointSet, classes: int, closed: ConnectionSet) -> Iterator[Evidence]:
        """What the sources say they use."""
        if not self._needs or not self._everywhere & classes:
            return
        chosen = sources.indices if len(sources) < len(self._needs) else (each for each in self._needs if self._holds(sources, each))
        for index in chosen:
            self._left -= 1
            if self._left < 0:
                return
            for need in self._needs.get(index, ()):
                common = need.ports & closed
                if common and need.classes & classes:
                    yield self._evidence(index, need, common)

    def _holds(self, ends: EndpointSet, index: int) -> bool:
        return index in ends.members.singles or bool(ends.members.classes >> self._universe.workloads[index].classes[0] & 1)

    def _evidence(self, index: int, need: _Needed, common: ConnectionSet) -> Evidence:
        kind = EvidenceKind.VARIABLE if need.use.kind is UseKind.VARIABLE else EvidenceKind.ANNOTATION
        source = self._universe.workloads[index].id
        return Evidence(kind, need.use.name, str(need.use), source, need.service, common, need.use.origin)

    def _served(self, classes: int, closed: ConnectionSet) -> Iterator[Evidence]:
        """The Services that lead to a port that closes. Where all ports close that is what was meant: nothing is said then."""
        if closed == ConnectionSet.everything():
            return
        for service, selected in self._services:
            if selected & classes:
                for port in service.ports:
                    for target, _ in self._pods[-1].targets(selected & classes, port):
                        if target in closed.ports(port.protocol):
                            named = f"{service.namespace}/{service.name}"
                            yield Evidence(
                                EvidenceKind.SERVICE, f"{named}:{port.port}", "", "", named, _single(port.protocol, target), service.origin
                            )

    @cached_property
    def _pods(self) -> tuple[Pods, Pods]:
        """The pods of base and of head."""
        base, head = ([each.shapes[revision] for each in self._universe.classes] for revision in (0, -1))
        return Pods(self._universe, base), Pods(self._universe, head)

    @cached_property
    def _present(self) -> int:
        """The classes that exist in head."""
        return bits_of(number for number, each in enumerate(self._universe.classes) if each.shapes[-1] is not None)

    @cached_property
    def _services(self) -> Sequence[tuple[Service, int]]:
        """The Services of head, with the classes that they select."""
        found = ((service, self._pods[-1].selected(service)) for service in self._head.services if service.selector)
        return [(service, classes) for service, classes in found if classes]

    @cached_property
    def _needs(self) -> dict[int, tuple[_Needed, ...]]:
        """What the workloads of head need, by position, as far as it can be told."""
        names = (ClusterDNS(self._base.services), ClusterDNS(self._head.services))
        found = {}
        for index, joint in enumerate(self._universe.workloads):
            workload = joint.versions[-1]
            needs = tuple(self._of(workload, names)) if workload is not None and workload.uses else ()
            if needs:
                found[index] = needs
        return found

    @cached_property
    def _everywhere(self) -> int:
        """The classes that some workload needs."""
        everywhere = 0
        for needs in self._needs.values():
            for each in needs:
                everywhere |= each.classes
        return everywhere

    def _of(self, workload: Workload, names: tuple[ClusterDNS, ClusterDNS]) -> Iterator[_Needed]:
        for use in workload.uses:
            found = (
                self._by_name(workload.namespace, use) if use.kind is UseKind.ANNOTATION else self._by_host(workload.namespace, use, names)
            )
            yield from found

    def _by_host(self, namespace: str, use: Use, names: tuple[ClusterDNS, ClusterDNS]) -> Iterable[_Needed]:
        """Where a host name leads in head; where it leads nowhere there, in base."""
        for dns, pods in zip(reversed(names), reversed(self._pods), strict=True):
            resolved = dns.resolve(namespace, use.target)
            if resolved is None:
                continue
            service, selected = resolved.service, pods.selected(resolved.service)
            if resolved.pod:
                selected &= self._pod_of_set(service.namespace, resolved.pod)
            if selected:
                return list(_needed(use, service, selected, pods))
        return ()

    def _pod_of_set(self, namespace: str, pod: str) -> int:
        """The class of the StatefulSet that a pod's name belongs to."""
        name, _, ordinal = pod.rpartition("-")
        return self._classes(namespace, "StatefulSet", name) if ordinal.isdigit() else 0

    def _by_name(self, namespace: str, use: Use) -> Iterable[_Needed]:
        kind, _, name = use.target.rpartition("/")
        classes = self._classes(namespace, kind, name)
        return [_Needed(use, "", classes, ConnectionSet.everything())] if classes else []

    def _classes(self, namespace: str, kind: str, name: str) -> int:
        """The classes of the workloads of a name, of any kind where none is said."""
        return bits_of(number for found, classes in self._named.get((namespace, name), ()) if kind in ("", found) for number in classes)

    @cached_property
    def _named(self) -> dict[tuple[str, str], list[tuple[str, tuple[int, ...]]]]:
        named: dict[tuple[str, str], list[tuple[str, tuple[int, ...]]]] = {}
        for joint in self._universe.workloads:
            latest = joint.latest
            named.setdefault((latest.namespace, latest.name), []).append((latest.kind, joint.classes))
        return named


def _needed(use: Use, service: Service, selected: int, pods: Pods) -> Iterator[_Needed]:
    """The ports of pods that a use of a Service comes to. The name of a headless one stands for the pods, so its port is theirs."""
    named = f"{service.namespace}/{service.name}"
    if service.headless and use.port:
        spoken = {port.protocol for port in service.ports if use.port in (port.port, port.target)} or {Protocol.TCP}
        yield _Needed(use, named, selected, ConnectionSet.of({each: _number(use.port) for each in spoken}))
        return
    for port in service.ports:
        if use.port in (0, port.port):
            for target, classes in pods.targets(selected, port):
                yield _Needed(use, named, classes, _single(port.protocol, target))


def _led(landing: Landing) -> Evidence:
    """A way in that leads to a port that closes."""
    service, ports = landing.service, _single(landing.protocol, landing.target)
    named = f"{service.namespace}/{service.name}"
    if landing.way is not None and landing.backend is not None:
        return Evidence(EvidenceKind.WAY_IN, landing.way.title, "", "", named, ports, landing.backend.origin)
    return Evidence(EvidenceKind.WAY_IN, f"{service.title} ({', '.join(service.published)})", "", "", named, ports, service.origin)


def _single(protocol: Protocol, number: int) -> ConnectionSet:
    return ConnectionSet.of({protocol: _number(number)})


def _number(number: int) -> IntervalSet:
    return IntervalSet(((number, number),)) & PORTS

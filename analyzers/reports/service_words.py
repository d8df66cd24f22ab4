"""Services in words: under which Service a destination is known at the ports that change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from analyzers.model.cluster import NamedPort, PodShape, Service, ServicePort, Workload
from analyzers.reports.phrases import Name, Phrase, first_of
from analyzers.sets.connections import ConnectionSet

Led = tuple[ServicePort, int]
"""A port of a Service, and a port of pods that it leads to."""

MOST_TRIED = 50
"""Services that are compared with one workload: more than that of one label are not for people."""

MOST_NAMED = 2
"""Services, and ports of one Service, named in a row."""


class Services:
    """The Services of one revision, by the pods that they select."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._by_label: dict[tuple[str, tuple[str, str]], list[Service]] = defaultdict(list)
        for each in services:
            if each.selector:
                self._by_label[each.namespace, each.selector[0]].append(each)

    def naming(self, workload: Workload, ports: ConnectionSet, *, published: bool = False) -> Phrase:
        """`, Service cart:80 → targetPort 7070`: the Services that select the workload and lead to some of the given ports; empty where
        there is none. With `published` it is said how they publish the workload to outside."""
        found = [_said(service, reached, published) for service, reached in self._reaching(workload, ports)]
        if not found:
            return ()
        return (", Service " if len(found) == 1 else ", Services ", *first_of(found, MOST_NAMED))

    def reach(self, workload: Workload, ports: ConnectionSet) -> bool:
        """Whether some Service leads to one of the given ports of the workload."""
        return any(True for _ in self._reaching(workload, ports))

    def _reaching(self, workload: Workload, ports: ConnectionSet) -> Iterator[tuple[Service, Sequence[Led]]]:
        labels = dict.fromkeys(label for shape in workload.shapes for label in shape.labels)
        near = (service for label in labels for service in self._by_label.get((workload.namespace, label), ()))
        for service in islice(near, MOST_TRIED):
            selected = [shape for shape in workload.shapes if frozenset(service.selector or ()) <= frozenset(shape.labels)]
            led = [(port, target) for port in service.ports for target in _targets(port, selected) if target in ports.ports(port.protocol)]
            if led:
                yield service, led


def _targets(port: ServicePort, shapes: Iterable[PodShape]) -> Iterable[int]:
    """The ports of pods of these shapes that a port of a Service leads to."""
    if isinstance(port.target, int):
        return (port.target,) if any(True for _ in shapes) else ()
    named = NamedPort(port.target, port.protocol)
    return sorted({number for shape in shapes for name, number in shape.named_ports if name == named})


def _said(service: Service, led: Sequence[Led], published: bool) -> Phrase:
    how = f" ({', '.join(service.published)})" if published and service.published else ""
    numbers = tuple(dict.fromkeys(port.port for port, _ in led))
    if len(numbers) > MOST_NAMED:
        return (Name(service.name), *((how,) if how else ()))
    name = Name(f"{service.name}:{','.join(map(str, numbers))}")
    targets = tuple(dict.fromkeys(target for _, target in led))
    arrow = f" → targetPort {', '.join(map(str, targets))}" if any(port.port != target for port, target in led) else ""
    return (name, *((arrow + how,) if arrow or how else ()))

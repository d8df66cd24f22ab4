"""Names as the DNS of the cluster resolves them, for pods of a namespace: Services, and pods behind headless ones.

Source: the search list that the kubelet gives pods (`<namespace>.svc.cluster.local`, `svc.cluster.local`, `cluster.local`; names with fewer
than five dots go through it first), and the records that DNS-Based Service Discovery names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from analyzers.model.cluster import Service

DOMAIN: Final = ("cluster", "local")
"""The domain of a cluster that is not told otherwise."""

_DOTS: Final = 5


class Resolved(Struct, frozen=True):
    """What a name stands for: a Service, or one pod (by its own name) behind a headless one."""

    service: Service
    pod: str = ""


class ClusterDNS:
    """The names of one revision's Services."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services: Mapping[tuple[str, str], Service] = {(each.namespace, each.name): each for each in services}

    def resolve(self, namespace: str, host: str) -> Resolved | None:
        """What a name stands for in pods of a namespace; None where it is no name of the cluster."""
        for name in _candidates(namespace, host):
            found = self._absolute(name)
            if found is not None:
                return found
        return None

    def _absolute(self, name: tuple[str, ...]) -> Resolved | None:
        """`service.namespace.svc.cluster.local`, with the name of a pod before it where the Service is headless."""
        if len(name) not in (5, 6) or name[-3:] != ("svc", *DOMAIN):
            return None
        service = self._services.get((name[-4], name[-5]))
        if service is None or len(name) == 5:
            return Resolved(service) if service is not None else None
        return Resolved(service, name[0]) if service.headless else None


def _candidates(namespace: str, host: str) -> Iterator[tuple[str, ...]]:
    """The absolute names that are asked for, in their order."""
    labels = tuple(host.removesuffix(".").split("."))
    if host.endswith("."):
        yield labels
        return
    search = [(*labels, namespace, "svc", *DOMAIN), (*labels, "svc", *DOMAIN), (*labels, *DOMAIN)]
    yield from (labels, *search) if len(labels) > _DOTS else (*search, labels)

"""ReferenceGrants: a route may lead to a Service of another namespace only where that namespace says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from analyzers.model.records import ObjectKey
from analyzers.model.ways_in import Backend, GrantMeaning, RouteKind


class Grants:
    """The grants of one revision, by the namespace that they stand in."""

    def __init__(self, grants: Iterable[tuple[str, GrantMeaning]]) -> None:
        self._of: dict[str, list[GrantMeaning]] = defaultdict(list)
        for namespace, grant in grants:
            self._of[namespace].append(grant)

    def admit(self, route: ObjectKey, backend: Backend) -> bool:
        """Whether a route may lead to a backend: always within its namespace, else by a grant."""
        if backend.namespace == route.namespace:
            return True
        source = (RouteKind(route.group, route.kind), route.namespace)
        grants = self._of.get(backend.namespace, ())
        return any(source in grant.sources and any(name in {"", backend.service} for name in grant.services) for grant in grants)

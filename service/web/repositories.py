"""GET /api/v1/repositories: what is served, by forge."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from service.forges import Connected
from service.store import Scope, Store
from service.web.operations import Answer, Operation, Routes
from service.web.shown import Forge, Repositories, respond


def add(routes: Routes, store: Store, connected: Mapping[str, Connected]) -> None:
    """Declare the route."""

    @routes.add(
        Operation(
            "GET",
            "/api/v1/repositories",
            "What is served, by forge",
            {200: Answer("Every forge of the settings.", Repositories)},
            (Scope.READ,),
            tag="Repositories",
        )
    )
    def repositories() -> Response:
        return respond(Repositories(items=[_shown(store, known) for known in connected.values()]))


def _shown(store: Store, known: Connected) -> Forge:
    """A forge with the repositories that are listed by name, and those of `owner/*` that were seen and are still served."""
    served = known.settings.repositories
    listed = {name for name in served if not name.endswith("/*")}
    seen = {name for name in store.repositories(known.settings.name) if known.settings.repository(name) == name}
    return Forge(forge=known.settings.name, kind=known.settings.kind, served=list(served), repositories=sorted(listed | seen))

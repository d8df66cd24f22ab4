"""Inventories of clusters: PUT, GET and DELETE /api/v1/inventories. What is uploaded is reduced before anything of it is stored."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from analyzers.manifests.running import Running, SnapshotError, SnapshotLimits, reduced_list
from service.settings import Settings
from service.store import Scope, Store
from service.web.bodies import whole_body
from service.web.operations import Answer, Operation, Routes
from service.web.problems import Problem
from service.web.shown import Inventories, Inventory, respond
from service.web.subjects import Subjects

NAMELESS: Final = "-"
"""Stands in a path for what names no cluster, or the only cluster of a repository."""

_PATH: Final = "/api/v1/inventories/<forge>/<path:repository>/<cluster>"
_WHICH: Final = {
    "forge": "A forge of the settings, by its name there.",
    "repository": "A served repository, as its forge spells it: owner/name.",
    "cluster": "The name of a cluster in the repository, `-` for a repository that names none.",
}
_OBJECT: Final = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata"],
    "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}},
}
_LIST: Final = {
    "type": "object",
    "required": ["kind", "items"],
    "properties": {"kind": {"type": "string", "pattern": "List$"}, "items": {"type": "array", "items": _OBJECT}},
}
_TYPES: Final = {"application/json": _LIST, "application/gzip": {"type": "string", "format": "binary"}}
_TAG: Final = "Inventories"
_UNPACKED: Final = 4
"""How much larger than an upload may be what it unpacks to."""


def add(routes: Routes, settings: Settings, store: Store, subjects: Subjects) -> None:
    """Declare the routes."""

    @routes.add(
        Operation(
            "PUT",
            _PATH,
            "Judge a cluster beside what runs in it: the JSON of `kubectl get … -A -o json` or of `flowdelta inventory`, gzip or not",
            {200: Answer("What is stored of it.", Inventory)},
            (Scope.ADMIN,),
            raw=_TYPES,
            problems=(400, 404, 409, 411, 413, 415, 422),
            parameters=_WHICH,
            tag=_TAG,
        )
    )
    def put(forge: str, repository: str, cluster: str) -> Response:
        served, name = _served(subjects, forge, repository), _name(cluster)
        if request.mimetype not in _TYPES:
            raise Problem(415, "unsupported-media-type", f"Send {' or '.join(_TYPES)}.")
        running = _read(whole_body(settings.upload_bytes), settings.upload_bytes * _UNPACKED)
        content = store.keep(reduced_list(running.manifests, running.taken))
        taken = running.taken.timestamp() if running.taken is not None else None
        return respond(Inventory.of(store.put_inventory(forge, served, name, content, len(running.manifests), taken)))

    @routes.add(
        Operation(
            "GET",
            "/api/v1/inventories",
            "The newest inventory of each cluster",
            {200: Answer("All.", Inventories)},
            (Scope.READ,),
            tag=_TAG,
        )
    )
    def listed() -> Response:
        return respond(Inventories(items=[Inventory.of(each) for each in store.inventories()]))

    @routes.add(
        Operation(
            "DELETE",
            _PATH,
            "Judge a cluster by its repository alone again",
            {204: Answer("It is gone.")},
            (Scope.ADMIN,),
            problems=(400, 404),
            parameters=_WHICH,
            tag=_TAG,
        )
    )
    def drop(forge: str, repository: str, cluster: str) -> Response:
        if not store.drop_inventory(forge, repository, _name(cluster)):
            raise Problem(404, "unknown-inventory", "There is no such inventory.")
        return Response(status=204)


def _served(subjects: Subjects, forge: str, repository: str) -> str:
    return subjects.revisions.place(forge, repository).repository


def _name(cluster: str) -> str:
    from service.inventories import NAME

    if cluster == NAMELESS:
        return ""
    if not NAME.fullmatch(cluster):
        raise Problem(400, "invalid-cluster", "The name of a cluster has at most 63 of letters, digits, '.', '_' and '-'.")
    return cluster


def _read(data: bytes, most: int) -> Running:
    from analyzers.interest import read_running

    try:
        return read_running(data, "inventory", limits=SnapshotLimits(bytes=most))
    except SnapshotError as error:
        raise Problem(422, error.reason, str(error)) from None

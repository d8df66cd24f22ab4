"""OpenShift Routes. Source: route.openshift.io/v1."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.model.diagnostics import SourceLocation
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_port_number
from analyzers.model.ways_in import Backend, EntryMeaning

ROUTER = "openshift.io/router"
"""The class that Routes belong to: every one is served by a router of the cluster."""


def read_openshift_route(manifest: Manifest) -> EntryMeaning:
    """The Services that a Route leads to: its own and the alternate ones, but for those of weight 0. Raises InvalidObject."""
    spec = root(manifest)["spec"]
    if not spec["to"]:
        raise spec["to"].fail("is required")
    found = (backend for field in (spec["to"], *spec["alternateBackends"].items()) for backend in _backend(field, spec, manifest))
    return EntryMeaning(ROUTER, tuple(found))


def _backend(field: Field, spec: Field, manifest: Manifest) -> Iterator[Backend]:
    """A name stands for the port of the Service, as endpoints carry it; a number is that of the pods. Without either all ports count."""
    if field["kind"].text("Service") != "Service" or (field["weight"] and field["weight"].number() == 0):
        return
    place, target = SourceLocation(manifest.location.path, field.line), spec["port"]["targetPort"]
    if not target:
        yield Backend(manifest.namespace, field["name"].text(), None, place)
    elif target.is_text():
        yield Backend(manifest.namespace, field["name"].text(), target.text(), place)
    else:
        yield Backend(manifest.namespace, field["name"].text(), read_port_number(target), place, on_pods=True)

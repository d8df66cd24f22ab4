"""Ingress and IngressClass. Source: networking.k8s.io/v1; of v1beta1 and extensions the older spelling of a backend."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.model.diagnostics import SourceLocation
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_port_number
from analyzers.model.ways_in import Backend, ClassMeaning, EntryMeaning

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class"


def read_ingress(manifest: Manifest) -> EntryMeaning:
    """The Services that an Ingress leads to. Raises InvalidObject.

    A rule with a host and no paths sends its host's traffic to the default backend, which counts in any case.
    """
    document = root(manifest)
    spec = document["spec"]
    annotated = document["metadata"]["annotations"][_CLASS_ANNOTATION].text("")
    found = (backend for field in _backend_fields(spec) for backend in _backend(field, manifest))
    return EntryMeaning(spec["ingressClassName"].text("") or annotated, tuple(dict.fromkeys(found)))


def read_ingress_class(manifest: Manifest) -> ClassMeaning:
    """The controller of a class. Raises InvalidObject."""
    document = root(manifest)
    default = document["metadata"]["annotations"][_DEFAULT_ANNOTATION].text("false")
    return ClassMeaning(document["spec"]["controller"].text(""), default == "true")


def _backend_fields(spec: Field) -> Iterator[Field]:
    yield from (spec[name] for name in ("defaultBackend", "backend") if spec[name])
    for rule in spec["rules"].items():
        yield from (path["backend"] for path in rule["http"]["paths"].items())


def _backend(field: Field, manifest: Manifest) -> Iterator[Backend]:
    """The Service of a backend; one that names a resource instead leads to no pod."""
    place = SourceLocation(manifest.location.path, field.line)
    service, former = field["service"], field["serviceName"]
    if service:
        yield Backend(manifest.namespace, service["name"].text(), _port(service["port"]), place)
    elif former:
        port = field["servicePort"]
        yield Backend(manifest.namespace, former.text(), port.text() if port.is_text() else read_port_number(port), place)
    elif not field["resource"]:
        raise field.fail("names neither a service nor a resource")


def _port(field: Field) -> int | str:
    if field["name"]:
        return field["name"].text()
    return read_port_number(field["number"])

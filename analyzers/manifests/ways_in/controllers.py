"""Controllers that are known by name, and the labels that their pods carry by default: a new one is a row here.

A controller that no row knows, or whose pods are not in the manifests, is analysed as one of unknown labels.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from analyzers.manifests.ways_in.openshift import ROUTER
from analyzers.model.selectors import Labels, canonical_labels
from analyzers.model.ways_in import PodsLike

_GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
"""On the pods that an implementation makes for one Gateway (the Gateway API's convention for automated deployments)."""


class Controller(Struct, frozen=True):
    """One controller: the names by which classes refer to it, class names that are customary for it, and labels of its pods."""

    names: frozenset[str]
    classes: frozenset[str]
    pods: Labels


CONTROLLERS: tuple[Controller, ...] = (
    Controller(
        frozenset({"k8s.io/ingress-nginx"}),
        frozenset({"nginx"}),
        canonical_labels({"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}),
    ),
    Controller(
        frozenset({"traefik.io/ingress-controller", "traefik.io/gateway-controller"}),
        frozenset({"traefik"}),
        canonical_labels({"app.kubernetes.io/name": "traefik"}),
    ),
    Controller(
        frozenset({ROUTER, "openshift.io/ingress-to-route"}),
        frozenset({ROUTER, "openshift-default"}),
        canonical_labels({"ingresscontroller.operator.openshift.io/deployment-ingresscontroller": "default"}),
    ),
    Controller(
        frozenset({"haproxy.org/ingress-controller"}),
        frozenset({"haproxy"}),
        canonical_labels({"app.kubernetes.io/name": "kubernetes-ingress"}),
    ),
    Controller(
        frozenset({"ingress-controllers.konghq.com/kong"}),
        frozenset({"kong"}),
        canonical_labels({"app.kubernetes.io/name": "kong"}),
    ),
)


def pods_of_class(class_name: str, controller: str) -> tuple[PodsLike, ...]:
    """The pods that serve a class: by the controller that the class names, else by what the class name customarily means."""
    return _pods(each for each in CONTROLLERS if (_is_named(each, controller) if controller else class_name in each.classes))


def pods_of_any() -> tuple[PodsLike, ...]:
    """The pods of every known controller that serves Ingresses."""
    return _pods(each for each in CONTROLLERS if ROUTER not in each.names)


def pods_of_gateway(namespace: str, name: str) -> tuple[PodsLike, ...]:
    """The pods that were made for one Gateway."""
    envoy = {"gateway.envoyproxy.io/owning-gateway-name": name, "gateway.envoyproxy.io/owning-gateway-namespace": namespace}
    return (PodsLike(namespace, canonical_labels({_GATEWAY_LABEL: name})), PodsLike("", canonical_labels(envoy)))


def _is_named(each: Controller, controller: str) -> bool:
    """Whether a class names the controller, or one instance of it (`haproxy.org/ingress-controller/public`)."""
    return any(controller == name or controller.startswith(f"{name}/") for name in each.names)


def _pods(found: Iterable[Controller]) -> tuple[PodsLike, ...]:
    return tuple(PodsLike("", each.pods) for each in found)

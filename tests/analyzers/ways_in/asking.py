"""Short questions about ways in: manifests as text in, rows through the ingress controller and diagnostics out."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from tests.property.product import asked_diff, asked_matrix

Row = tuple[dict[str, Any], dict[str, Any]]
"""What connects, and the part of it that is only may."""


def files(text: str) -> dict[str, bytes]:
    return {"objects.yaml": dedent(text).encode()}


def inward(text: str, host_network: str = "node") -> dict[str, Row]:
    """What the ingress controller reaches."""
    rows = asked_matrix(files(text), host_network)["flows"]
    return {row["destination"]: (row["connections"], row["may"]) for row in rows if row["source"] == "{ingress-controller}"}


def certain(*numbers: int, protocol: str = "TCP") -> Row:
    return {protocol: [[number, number] for number in numbers]}, {}


def perhaps(*numbers: int, protocol: str = "TCP") -> Row:
    ports = {protocol: [[number, number] for number in numbers]}
    return ports, ports


def notes(text: str, host_network: str = "node") -> list[tuple[str, int]]:
    """The diagnostics, by code and line."""
    return [(each["code"], each["line"]) for each in asked_matrix(files(text), host_network)["diagnostics"]]


def compared(base: str, head: str) -> dict[str, Any]:
    return asked_diff(files(base), files(head), "node")


def deployment(name: str, namespace: str = "shop", ports: str = "[]", **labels: str) -> str:
    written = ", ".join(f'{key}: "{value}"' for key, value in {"app": name, **labels}.items())
    template = f"{{metadata: {{labels: {{{written}}}}}, spec: {{containers: [{{name: c, ports: {ports}}}]}}}}"
    return (
        f"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{template: {template}}}\n"
    )


def service(name: str, ports: str, namespace: str = "shop", more: str = "") -> str:
    spec = f"{{selector: {{app: {name}}}, ports: {ports}{more}}}"
    return f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def ingress(backends: str, name: str = "front", namespace: str = "shop", more: str = "") -> str:
    paths = ", ".join(f"{{path: /, pathType: Prefix, backend: {each}}}" for each in backends.split("|"))
    spec = f"{{rules: [{{host: a.example, http: {{paths: [{paths}]}}}}]{more}}}"
    return f"---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def backend(name: str, port: str) -> str:
    return f"{{service: {{name: {name}, port: {port}}}}}"


def policy(ingress_rules: str, name: str = "p", namespace: str = "shop", selector: str = "{}") -> str:
    spec = f"{{podSelector: {selector}, ingress: {ingress_rules}}}"
    return f"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


WEB = deployment("web", ports="[{name: http, containerPort: 8080}]") + service("web", "[{name: web, port: 80, targetPort: http}]")
FRONT = ingress(backend("web", "{number: 80}"))

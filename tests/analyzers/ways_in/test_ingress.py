"""Ingress and Route: to which pods and ports they lead, before any policy."""

from __future__ import annotations

import pytest

from tests.analyzers.ways_in.asking import FRONT, WEB, Row, backend, certain, deployment, ingress, inward, notes, service

WEB_ID = "shop/web[Deployment]"
MANY = deployment("web", ports="[{name: http, containerPort: 8080}]") + service(
    "web", "[{name: web, port: 80, targetPort: http}, {name: api, port: 81, targetPort: 9090}, {name: dns, port: 81, protocol: UDP}]"
)
ROUTE = "---\napiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r, namespace: shop}\nspec: "

LEADS: list[tuple[str, str, Row]] = [
    ("a port by number", MANY + ingress(backend("web", "{number: 80}")), certain(8080)),
    ("a port by name", MANY + ingress(backend("web", "{name: api}")), certain(9090)),
    ("several paths", MANY + ingress(f"{backend('web', '{number: 80}')}|{backend('web', '{number: 81}')}"), certain(8080, 9090)),
    (
        "a default backend",
        MANY + ingress(backend("web", "{number: 80}"), more=f", defaultBackend: {backend('web', '{number: 81}')}"),
        certain(8080, 9090),
    ),
    (
        "a rule with nothing but a host, which is the default backend's",
        MANY
        + "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: shop}\n"
        + f"spec: {{defaultBackend: {backend('web', '{number: 80}')}, rules: [{{host: a.example}}]}}\n",
        certain(8080),
    ),
    (
        "the spelling of v1beta1",
        MANY
        + "---\napiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: i, namespace: shop}\n"
        + "spec: {rules: [{http: {paths: [{backend: {serviceName: web, servicePort: web}}]}}]}\n",
        certain(8080),
    ),
    ("a Route without a port, which is all ports", MANY + ROUTE + "{to: {kind: Service, name: web}}\n", certain(8080, 9090)),
    ("a Route with the name of the Service's port", MANY + ROUTE + "{to: {name: web}, port: {targetPort: api}}\n", certain(9090)),
    ("a Route with the number of the pods' port", MANY + ROUTE + "{to: {name: web}, port: {targetPort: 8080}}\n", certain(8080)),
    (
        "an alternate backend",
        WEB
        + deployment("old")
        + service("old", "[{port: 80}]")
        + ROUTE
        + "{to: {name: old}, alternateBackends: [{name: web, weight: 10}]}\n",
        certain(8080),
    ),
]


@pytest.mark.parametrize(("text", "row"), [case[1:] for case in LEADS], ids=[case[0] for case in LEADS])
def test_way_leads_to_the_target_ports_of_its_services(text: str, row: Row) -> None:
    assert inward(text)[WEB_ID] == row


NOWHERE = [
    ("a Service that is missing", WEB + ingress(backend("ghost", "{number: 80}")), ["leads-nowhere"]),
    ("a port that the Service lacks", WEB + ingress(backend("web", "{number: 81}")), ["leads-nowhere"]),
    ("the name of a target port, which is not the Service's", WEB + ingress(backend("web", "{name: http}")), ["leads-nowhere"]),
    ("a Service of another namespace", WEB + ingress(backend("web", "{number: 80}"), namespace="else"), ["leads-nowhere"]),
    ("a resource instead of a Service", WEB + ingress("{resource: {kind: Bucket, name: b, apiGroup: x.example}}"), []),
    ("a weight of 0", WEB + ROUTE + "{to: {name: web, weight: 0}}\n", []),
    ("a Service without pods", service("web", "[{port: 80}]") + FRONT, ["service-selects-nothing"]),
    (
        "a target port that no pod names",
        deployment("web") + service("web", "[{port: 80, targetPort: http}]") + FRONT,
        ["target-port-unknown"],
    ),
]


@pytest.mark.parametrize(("text", "codes"), [case[1:] for case in NOWHERE], ids=[case[0] for case in NOWHERE])
def test_way_that_leads_nowhere_opens_nothing_and_says_why(text: str, codes: list[str]) -> None:
    assert inward(text) == {}
    assert [code for code, _ in notes(text)] == codes


def test_numeric_target_counts_though_no_container_declares_it() -> None:
    assert inward(deployment("web") + service("web", "[{port: 80, targetPort: 9999}]") + FRONT) == {WEB_ID: certain(9999)}


def test_pods_whose_name_stands_for_other_numbers_each_get_their_own() -> None:
    text = deployment("web", ports="[{name: http, containerPort: 8080}]") + deployment("web2", ports="[{name: http, containerPort: 9090}]")
    text = text.replace('{app: "web2"}', '{app: "web"}') + service("web", "[{port: 80, targetPort: http}]") + FRONT
    assert inward(text) == {WEB_ID: certain(8080), "shop/web2[Deployment]": certain(9090)}


def test_backend_without_service_or_resource_is_invalid() -> None:
    assert notes(WEB + ingress("{}"))[-1][0] == "invalid-object"

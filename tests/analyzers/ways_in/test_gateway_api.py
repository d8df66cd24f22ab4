"""The Gateway API: which routes a Gateway admits, and which Services of other namespaces they may lead to."""

from __future__ import annotations

import pytest

from tests.analyzers.ways_in.asking import WEB, Row, certain, inward, notes, perhaps

WEB_ID = "shop/web[Deployment]"
API = "gateway.networking.k8s.io/v1"


def gateway(listener: str, namespace: str = "infra", name: str = "edge") -> str:
    spec = f"{{gatewayClassName: shared, listeners: [{listener}]}}"
    return f"---\napiVersion: {API}\nkind: Gateway\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def listener(protocol: str = "HTTP", allowed: str = "{namespaces: {from: All}}", name: str = "http", more: str = "") -> str:
    return f"{{name: {name}, port: 80, protocol: {protocol}, allowedRoutes: {allowed}{more}}}"


def route(
    parent: str = "{name: edge, namespace: infra}", kind: str = "HTTPRoute", namespace: str = "shop", more: str = "", ref: str = ""
) -> str:
    backend = f"{{name: web, port: 80{ref}}}"
    spec = f"{{parentRefs: [{parent}], rules: [{{backendRefs: [{backend}]}}]{more}}}"
    return f"---\napiVersion: {API}\nkind: {kind}\nmetadata: {{name: r, namespace: {namespace}}}\nspec: {spec}\n"


def grant(
    source: str = "{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: team}", to: str = '{group: "", kind: Service}'
) -> str:
    spec = f"{{from: [{source}], to: [{to}]}}"
    return f"---\napiVersion: {API}beta1\nkind: ReferenceGrant\nmetadata: {{name: g, namespace: shop}}\nspec: {spec}\n"


MIRRORED = "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}]"
LABELLED = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: public}}\n"
SELECTOR = "{namespaces: {from: Selector, selector: {matchLabels: {tier: public}}}}"
ACROSS = route(namespace="team", ref=", namespace: shop")

ADMITTED: list[tuple[str, str]] = [
    ("from any namespace", gateway(listener()) + route()),
    ("from the Gateway's own namespace, by default", gateway(listener(allowed="{}"), "shop") + route("{name: edge}")),
    ("from a namespace that is selected", LABELLED + gateway(listener(allowed=SELECTOR)) + route()),
    ("by the section that it names", gateway(listener()) + route("{name: edge, namespace: infra, sectionName: http}")),
    ("by the port that it names", gateway(listener()) + route("{name: edge, namespace: infra, port: 80}")),
    ("of a kind of the protocol", gateway(listener("HTTPS")) + route(kind="GRPCRoute")),
    ("a TLSRoute", gateway(listener("TLS")) + route(kind="TLSRoute")),
    ("a TCPRoute", gateway(listener("TCP")) + route(kind="TCPRoute")),
    ("of a kind that is listed", gateway(listener("TLS", "{namespaces: {from: All}, kinds: [{kind: TCPRoute}]}")) + route(kind="TCPRoute")),
    ("by a protocol of the implementation's own", gateway(listener("example.com/quic")) + route()),
    ("under a host that both name", gateway(listener(more=', hostname: "*.a.example"')) + route(more=", hostnames: [x.y.a.example]")),
    ("under a wildcard of the route", gateway(listener(more=", hostname: x.a.example")) + route(more=', hostnames: ["*.a.example"]')),
    ("to another namespace that grants it", gateway(listener()) + ACROSS + grant()),
    ("to a Service that is granted by name", gateway(listener()) + ACROSS + grant(to='{group: "", kind: Service, name: web}')),
    (
        "to mirror requests",
        gateway(listener()) + route().replace("backendRefs: [{name: web, port: 80}]", MIRRORED),
    ),
]
REFUSED: list[tuple[str, str]] = [
    ("from another namespace, by default", gateway(listener(allowed="{}")) + route()),
    ("from a namespace that is not selected", gateway(listener(allowed=SELECTOR)) + route()),
    ("from nowhere", gateway(listener(allowed="{namespaces: {from: None}}"), "shop") + route("{name: edge}")),
    ("by a section that does not exist", gateway(listener()) + route("{name: edge, namespace: infra, sectionName: other}")),
    ("by a port that does not exist", gateway(listener()) + route("{name: edge, namespace: infra, port: 81}")),
    ("of a kind of another protocol", gateway(listener("TCP")) + route()),
    ("of a kind that is not listed", gateway(listener(allowed="{namespaces: {from: All}, kinds: [{kind: GRPCRoute}]}")) + route()),
    ("under another host", gateway(listener(more=", hostname: a.example")) + route(more=", hostnames: [b.example]")),
    ("under the bare name of a wildcard", gateway(listener(more=', hostname: "*.a.example"')) + route(more=", hostnames: [a.example]")),
    ("to another namespace without a grant", gateway(listener()) + ACROSS),
    ("to a Service that is not granted", gateway(listener()) + ACROSS + grant(to='{group: "", kind: Service, name: other}')),
    (
        "to another namespace that grants it to others",
        gateway(listener()) + ACROSS + grant("{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: x}"),
    ),
    (
        "as another kind than is granted",
        gateway(listener()) + ACROSS + grant("{group: gateway.networking.k8s.io, kind: TCPRoute, namespace: team}"),
    ),
]


@pytest.mark.parametrize("text", [case[1] for case in ADMITTED], ids=[case[0] for case in ADMITTED])
def test_route_is_admitted(text: str) -> None:
    assert inward(WEB + text) == {WEB_ID: certain(8080)}
    assert notes(WEB + text) == []


@pytest.mark.parametrize("text", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_route_is_refused_and_the_report_says_so(text: str) -> None:
    assert inward(WEB + text) == {}
    assert [code for code, _ in notes(WEB + text)] == ["leads-nowhere"]


def test_route_of_a_gateway_that_is_not_in_the_manifests_may_lead_in() -> None:
    assert inward(WEB + route()) == {WEB_ID: perhaps(8080)}


@pytest.mark.parametrize("parent", ["kind: ListenerSet", "group: gateway.networking.x-k8s.io, kind: XListenerSet"])
def test_route_of_a_set_of_listeners_may_lead_in(parent: str) -> None:
    found = inward(WEB + gateway(listener(), "shop") + route(f"{{{parent}, name: edge}}"))
    assert found == {WEB_ID: perhaps(8080)}


def test_route_of_a_mesh_is_no_way_in() -> None:
    assert inward(WEB + route('{kind: Service, group: "", name: web}')) == {}


def test_udp_route_leads_to_udp_ports_alone() -> None:
    text = WEB.replace("targetPort: http}", "targetPort: http}, {name: dns, port: 80, protocol: UDP, targetPort: 5353}")
    rows: dict[str, Row] = {WEB_ID: certain(5353, protocol="UDP")}
    assert inward(text + gateway(listener("UDP")) + route(kind="UDPRoute")) == rows


@pytest.mark.parametrize(
    "labels",
    [
        "{gateway.networking.k8s.io/gateway-name: edge}",
        "{gateway.envoyproxy.io/owning-gateway-name: edge, gateway.envoyproxy.io/owning-gateway-namespace: infra}",
    ],
)
def test_pods_made_for_the_gateway_are_its_controller(labels: str) -> None:
    metadata = f"{{name: proxy, namespace: infra, labels: {labels}}}"
    pod = f"---\napiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec: {{containers: [{{name: c}}]}}\n"
    only_others = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n"
    closed = (
        only_others
        + "spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: nginx}}}]}]}\n"
    )
    assert inward(WEB + gateway(listener()) + route() + closed) == {WEB_ID: perhaps(8080)}
    assert inward(WEB + gateway(listener()) + route() + closed + pod) == {}
    assert inward(WEB + gateway(listener()) + route() + closed.replace("nginx", "infra") + pod) == {WEB_ID: certain(8080)}

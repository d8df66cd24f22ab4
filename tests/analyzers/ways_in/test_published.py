"""Services that publish pods directly: rows say on which way they are reached, and no flow comes of it that policy forbids."""

from __future__ import annotations

import pytest

from tests.analyzers.ways_in.asking import compared, deployment, files, notes, policy, service
from tests.property.product import asked_matrix

POD = deployment("web", ports="[{name: http, containerPort: 8080}]")
HTTP = "[{port: 80, targetPort: http, nodePort: 30080}]"


def vias(text: str) -> dict[str, list[dict[str, object]]]:
    """What publishes the workload to each block of addresses."""
    return {row["source"]: row["via"] for row in asked_matrix(files(text), "node")["flows"] if "via" in row}


def via(kind: str, **more: object) -> dict[str, object]:
    return {"service": "shop/web", "type": kind, "port": 80, "protocol": "TCP", "target": 8080, **more}


KINDS = [
    ("LoadBalancer", ", type: LoadBalancer", [via("LoadBalancer", node_port=30080)]),
    ("NodePort", ", type: NodePort", [via("NodePort", node_port=30080)]),
    ("ExternalIPs", ", externalIPs: [192.0.2.1]", [via("ExternalIPs")]),
    ("both", ", type: NodePort, externalIPs: [192.0.2.1]", [via("ExternalIPs"), via("NodePort", node_port=30080)]),
]


@pytest.mark.parametrize(("more", "expected"), [case[1:] for case in KINDS], ids=[case[0] for case in KINDS])
def test_external_row_says_what_publishes_it(more: str, expected: list[dict[str, object]]) -> None:
    assert vias(POD + service("web", HTTP, more=more)) == {"0.0.0.0/0": expected, "::/0": expected}


def test_service_of_the_cluster_publishes_nothing() -> None:
    assert vias(POD + service("web", HTTP)) == {}


def test_source_ranges_narrow_it_to_the_blocks_that_they_meet() -> None:
    rules = "[{from: [{ipBlock: {cidr: 203.0.113.0/25}}]}, {from: [{ipBlock: {cidr: 198.51.100.0/24}}], ports: [{port: http}]}]"
    text = POD + service("web", HTTP, more=", type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24]") + policy(rules)
    assert vias(text) == {"203.0.113.0/25": [via("LoadBalancer", node_port=30080, source_ranges=["203.0.113.0/24"])]}


def test_publishing_adds_no_flow() -> None:
    published = POD + service("web", HTTP, more=", type: LoadBalancer") + policy("[{from: [{podSelector: {}}]}]")
    plain = POD + service("web", HTTP) + policy("[{from: [{podSelector: {}}]}]")
    rows = [asked_matrix(files(text), "node")["flows"] for text in (published, plain)]
    assert rows[0] == rows[1]


BLOCKED = [
    ("nobody", "[]", "", True),
    ("pods alone", "[{from: [{namespaceSelector: {}}]}]", "", True),
    ("some addresses", "[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]", "", False),
    ("other addresses than the ranges", "[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]", ", loadBalancerSourceRanges: [192.0.2.0/24]", True),
    ("addresses of the ranges", "[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]", ", loadBalancerSourceRanges: [10.1.0.0/16]", False),
    ("another port", "[{ports: [{port: 9090}]}]", "", True),
    ("everyone", "[{}]", "", False),
]


@pytest.mark.parametrize(("rules", "more", "blocked"), [case[1:] for case in BLOCKED], ids=[case[0] for case in BLOCKED])
def test_published_service_that_policy_closes_is_told(rules: str, more: str, blocked: bool) -> None:
    text = POD + service("web", HTTP, more=f", type: LoadBalancer{more}") + policy(rules)
    assert ("ingress-blocked" in [code for code, _ in notes(text)]) is blocked


def test_invalid_source_range_is_an_invalid_object() -> None:
    text = POD + service("web", HTTP, more=", type: LoadBalancer, loadBalancerSourceRanges: [here]")
    assert [code for code, _ in notes(text)] == ["invalid-object"]


def test_diff_tells_what_begins_and_ceases_to_be_published() -> None:
    plain, open_ = POD + service("web", HTTP), POD + service("web", HTTP, more=", type: LoadBalancer")
    report, back, same = compared(plain, open_), compared(open_, plain), compared(open_, open_)
    assert [(each["service"], each["types"], each["ports"], each["change"]) for each in report["published"]] == [
        ("shop/web", ["LoadBalancer"], [80], "added")
    ]
    assert [each["change"] for each in back["published"]] == ["removed"]
    assert report["changes"] == same["changes"] == same["published"] == []
    assert len({each["digest"] for each in (report, back, same)}) == 1  # by the contract, the digest is of flows alone


def test_changed_row_from_outside_says_what_publishes_it() -> None:
    text = POD + service("web", HTTP, more=", type: LoadBalancer")
    report = compared(text + policy("[]"), text)
    rows = {row["source"]: row.get("via") for row in report["changes"]}
    assert rows["0.0.0.0/0"] == [via("LoadBalancer", node_port=30080)]
    assert rows["shop/web[Deployment]"] is None

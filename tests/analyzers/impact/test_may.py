"""Verdicts that manifests cannot settle: told apart from what is certain, with what they depend on."""

from __future__ import annotations

import json

from analyzers.model.revision import Revision
from analyzers.pipeline import diff, matrix
from analyzers.reports import render
from tests.oracle.expand import Report
from tests.property.product import MemoryTree

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: inner, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]
"""


def pods(on_host: str) -> MemoryTree:
    """Two workloads, one of them on its node's network."""
    spec = "spec: {template: {metadata: {labels: {app: %s}}, spec: {hostNetwork: %s, containers: [{name: c}]}}}\n"
    texts = {
        f"{name}.yaml": f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\n"
        + spec % (name, str(name == on_host).lower())
        for name in ("a", "b")
    }
    return MemoryTree({path: text.encode() for path, text in {**texts, "policy.yaml": POLICY}.items()})


def asked(base: str, head: str) -> Report:
    report = diff(pods(base), pods(head), base_revision=Revision("base"), head_revision=Revision("head"))
    document: Report = json.loads("".join(render("json", report)))
    return document


def test_a_may_that_stays_may_for_another_reason_is_listed_as_neither_opened_nor_closed() -> None:
    document = asked("a", "b")
    row = next(row for row in document["changes"] if (row["source"], row["destination"]) == ("shop/a[Deployment]", "shop/b[Deployment]"))
    assert (row["opened"], row["closed"]) == ({}, {})
    assert row["may"] == {"TCP": [[1, 65535]], "UDP": [[1, 65535]], "SCTP": [[1, 65535]]} == row["base"] == row["head"]
    assert len(row["conditions"]) == 2
    assert row["conditions"] == sorted(row["conditions"])


def test_the_same_may_on_both_sides_is_no_change() -> None:
    assert asked("a", "a")["changes"] == []


def test_a_flow_that_may_be_says_what_it_depends_on() -> None:
    rows = {(flow.source, flow.destination): flow for flow in matrix(pods("a")).flows()}
    assert "source" in rows["shop/a[Deployment]", "shop/b[Deployment]"].conditions[0]
    assert "destination" in rows["shop/b[Deployment]", "shop/a[Deployment]"].conditions[0]
    assert rows["shop/a[Deployment]", "shop/a[Deployment]"].conditions == ()

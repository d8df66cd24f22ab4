"""Guardrails over several clusters: their flows carry the name of theirs, and rules of one cluster do not fail for another."""

from __future__ import annotations

from typing import Any

import pytest

from analyzers.pipeline import Options, Revision, compare, matrices
from analyzers.rendering.tools import Tools
from service.analysis.guards import guarded
from service.analysis.job import Guard
from service.configuration import read_configuration
from service.signoff.matching import Guarded
from tests.rendering.repositories import Bench, deny, deployment, tree

CONFIGURED = """\
version: 1
clusters: {dev: {paths: [dev]}, prod: {paths: [prod]}}
zones:
  shop: {namespaces: {matchNames: [shop]}}
  bank: {namespaces: {matchNames: [bank]}}
guardrails:
  - name: into-shop
    when: {opened: {to: shop}}
    require: block
invariants:
  - name: bank-talks
    always: {from: bank, to: bank, ports: [80/TCP]}
"""
DENIED = {"dev/deny.yaml": deny(namespace="shop"), "prod/deny.yaml": deny(namespace="shop")}
BASE = {
    ".flowdelta.yaml": CONFIGURED,
    "dev/web.yaml": deployment("web", "shop"),
    "prod/web.yaml": deployment("web", "shop"),
    "prod/a.yaml": deployment("a", "bank"),
    "prod/b.yaml": deployment("b", "bank"),
}


def judged(base: dict[str, str], head: dict[str, str]) -> dict[str, Guarded]:
    settings = read_configuration(base[".flowdelta.yaml"].encode()).analysis
    options: Any = Options(rendering=Bench(Tools(), settings).rendering)
    report = compare(tree(base), tree(head), options, base_revision=Revision("base"), head_revision=Revision("head"))
    found = guarded(Guard("2026-01-01"), tree(base), tree(head), report, lambda: matrices(tree(head), options))
    return {each.name: each for each in found}


def test_flows_of_each_cluster_are_guarded_under_its_name() -> None:
    found = judged({**BASE, **DENIED}, BASE)["into-shop"].flows
    assert {route.cluster for route, _ in found.routes} == {"dev", "prod"}
    dev = judged({**BASE, **DENIED}, {**BASE, "prod/deny.yaml": DENIED["prod/deny.yaml"]})["into-shop"].flows
    assert {route.cluster for route, _ in dev.routes} == {"dev"}
    assert dev.issubset(found)
    assert not found.issubset(dev)


def test_an_invariant_whose_zones_are_in_one_cluster_only_holds() -> None:
    found = judged(BASE, {**BASE, "dev/other.yaml": deployment("other", "shop")})["bank-talks"]
    assert (bool(found.flows), found.problem) == (False, "")


def test_an_invariant_that_breaks_in_one_cluster_is_broken_there() -> None:
    found = judged(BASE, {**BASE, "prod/deny.yaml": deny(namespace="bank")})["bank-talks"]
    assert {route.cluster for route, _ in found.flows.routes} == {"prod"}
    assert found.problem == ""


@pytest.mark.parametrize("gone", [("prod/a.yaml", "prod/b.yaml")])
def test_an_invariant_whose_zones_are_nowhere_is_a_problem(gone: tuple[str, ...]) -> None:
    head = {path: text for path, text in BASE.items() if path not in gone}
    assert judged(BASE, head)["bank-talks"].problem == "nothing is in its zones, so that it cannot hold"

"""Explanations of what comes in through ingress controllers, and of the Services through which a workload is reached."""

from __future__ import annotations

import pytest

from analyzers.impact.report import Explanation
from analyzers.pipeline import ExplainError, explain
from tests.analyzers.ways_in.asking import FRONT, WEB, deployment, files, policy
from tests.analyzers.ways_in.test_under_policy import FROM_EDGE, NGINX
from tests.property.product import MemoryTree

CONTROLLER = "{ingress-controller}"
OTHER = deployment("other")


def asked(text: str, source: str, destination: str, port: str | None = None) -> Explanation:
    return explain(MemoryTree(files(text)), source, destination, port)


@pytest.mark.parametrize(
    ("policies", "verdict"),
    [("", "allowed"), (policy(FROM_EDGE), "may"), (policy("[]"), "denied"), (policy("[{from: [{namespaceSelector: {}}]}]"), "allowed")],
)
def test_verdict_is_that_of_the_matrix(policies: str, verdict: str) -> None:
    assert asked(WEB + FRONT + policies, CONTROLLER, "shop/web").verdict == verdict


def test_ways_that_lead_to_the_destination_are_told_by_file_and_line() -> None:
    (step,) = asked(WEB + FRONT, CONTROLLER, "shop/web").egress
    assert (step.policy, step.path, step.line) == ("Ingress shop/front", "objects.yaml", 15)
    assert step.detail == "leads to Service shop/web:80 → targetPort 8080"


def test_nothing_leads_to_a_workload_without_a_way_in() -> None:
    found = asked(WEB + FRONT + OTHER, CONTROLLER, "shop/other")
    assert found.verdict == "denied"
    assert [step.detail for step in found.egress] == ["no Ingress, Route or route of a Gateway leads to shop/other[Deployment]"]
    assert asked(WEB + FRONT, CONTROLLER, "shop/web", "9090").verdict == "denied"


def test_controller_of_the_manifests_is_judged_step_by_step() -> None:
    found = asked(WEB + FRONT + NGINX + policy(FROM_EDGE), CONTROLLER, "shop/web")
    assert found.verdict == "allowed"
    assert found.egress[1].detail == "edge/nginx[Deployment] is not isolated for egress: no policy selects it"
    assert str(found.ingress[-1].effect) == "allows"


@pytest.mark.parametrize("destination", ["203.0.113.7", "ghost", CONTROLLER])
def test_controller_leads_to_workloads_alone(destination: str) -> None:
    with pytest.raises(ExplainError):
        asked(WEB + FRONT, CONTROLLER, destination)


@pytest.mark.parametrize(("port", "told"), [(None, True), ("8080", True), ("80", True), ("9090", False), ("80/UDP", False)])
def test_service_that_leads_to_the_port_asked_about_is_named(port: str | None, told: bool) -> None:
    leads = asked(WEB + OTHER, "shop/other", "shop/web", port).services
    assert [(each.service, each.port, each.target, each.origin.line) for each in leads] == ([("shop/web", 80, 8080, 7)] if told else [])

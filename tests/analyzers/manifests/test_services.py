"""Services that lead nowhere: no pod is selected, or none has the port that is named."""

from __future__ import annotations

import pytest

from analyzers.pipeline import matrix
from tests.analyzers.ways_in.asking import deployment, service
from tests.property.product import MemoryTree

POD = deployment("web", ports="[{name: http, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}]")


def codes(text: str) -> list[str]:
    return [each.code for each in matrix(MemoryTree({"a.yaml": text.encode()})).diagnostics]


CASES = [
    ("a selector that matches", POD + service("web", "[{port: 80}]"), []),
    ("a selector that matches nothing", POD + service("ghost", "[{port: 80}]"), ["service-selects-nothing"]),
    ("pods of another namespace", POD + service("web", "[{port: 80}]", namespace="else"), ["service-selects-nothing"]),
    ("one label of two", POD + service("web", "[{port: 80}]").replace("{app: web}", "{app: web, v: one}"), ["service-selects-nothing"]),
    ("no selector", POD + service("web", "[{port: 80}]").replace("selector: {app: web}, ", ""), []),
    ("an external name", POD + service("ghost", "[]", more=", type: ExternalName, externalName: a.example"), []),
    ("a named port", POD + service("web", "[{port: 80, targetPort: http}]"), []),
    ("a named port that is missing", POD + service("web", "[{port: 80, targetPort: https}]"), ["target-port-unknown"]),
    ("a named port of another protocol", POD + service("web", "[{port: 53, targetPort: dns}]"), ["target-port-unknown"]),
    ("a number that no container declares", POD + service("web", "[{port: 80, targetPort: 9999}]"), []),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_service_is_told_where_it_leads_nowhere(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_diagnostic_names_the_selector_and_its_place() -> None:
    (found,) = matrix(MemoryTree({"a.yaml": (POD + service("ghost", "[{port: 80}]")).encode()})).diagnostics
    assert (found.path, found.line, str(found.severity)) == ("a.yaml", 7, "warning")
    assert found.message == "Service shop/ghost selects no pod of the manifests: app=ghost"

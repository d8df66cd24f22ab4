"""The OpenAPI document is what the service does: made from its routes, valid, and held to by every answer that schemathesis can provoke."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from service.analysis.job import Comparison, Order, Result
from service.settings import Settings
from service.web import auth
from tests.forges.github_fake import GitHubFake
from tests.forges.origin import Origin, shop
from tests.service.site import SHOP, environment, opened
from tests.service.test_api import tarball
from tests.service.test_tokens import variables
from tests.service.web_app import Web, web

OPENAPI = "/api/v1/openapi.json"
_BLUEPRINTS = ("api.",)
_CHECKS = (
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    ignored_auth,
)


_ANY: dict[str, Any] = {"complete": True, "diagnostics": []}
_NO_SIDE: dict[str, Any] = {"label": "x", "commit": None}
_NONE: dict[str, list[str]] = {"added": [], "removed": [], "relabelled": []}
_EMPTY: dict[str, dict[str, Any]] = {
    "diff": {
        **{"schema": "flowdelta.diff/1", "cluster": None, "base": _NO_SIDE, "head": _NO_SIDE, "workloads": _NONE, **_ANY},
        **{"endpoints": [], "groups": [], "changes": [], "digest": "sha256:" + "0" * 64},
        "summary": {"groups": 0, "pairs": 0, "opened": 0, "closed": 0},
    },
    "matrix": {"schema": "flowdelta.matrix/1", "cluster": None, "endpoints": [], "flows": [], **_ANY},
    "explain": {
        **{"schema": "flowdelta.explain/1", "source": "a", "destination": "b", "port": None, "verdict": "denied"},
        **{"egress": [], "ingress": [], **_ANY},
    },
}


def analyst(order: Order, timeout: float) -> Result:
    """An analysis that costs nothing; the reports of the real one are held to the document below."""
    (Path(order.directory) / "report").write_text(json.dumps(_EMPTY["diff" if isinstance(order.subject, Comparison) else _kind(order)]))
    return Result(True, "", "")


def _kind(order: Order) -> str:
    return "matrix" if order.pair is None else "explain"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(Settings.from_environment(variables(tmp_path_factory.mktemp("data"), API_RATE="1000000"))) as running:
        yield running


@pytest.fixture(scope="module")
def document(process: Web) -> dict[str, Any]:
    found: dict[str, Any] = process.client.get(OPENAPI).json  # type: ignore[assignment]
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1.")


def test_the_document_describes_every_route_of_the_api_and_no_other(process: Web, document: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(?:path:)?([a-z_]+)>", r"{\1}", rule.rule), method.lower())
        for rule in process.app.url_map.iter_rules()
        if rule.endpoint.startswith(_BLUEPRINTS)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, operations in document["paths"].items() for method in operations}
    names = [operation["operationId"] for operations in document["paths"].values() for operation in operations.values()]
    assert len(set(names)) == len(names)


def test_every_operation_but_health_needs_a_token(document: dict[str, Any]) -> None:
    free = {path for path, operations in document["paths"].items() for operation in operations.values() if "security" not in operation}
    assert free == {"/healthz", "/readyz"}


def test_every_body_refuses_what_it_does_not_know(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    contents = [kind for each in operations for kind in each.get("requestBody", {}).get("content", {}).values()]
    bodies = [kind["schema"]["$ref"] for kind in contents if "$ref" in kind["schema"]]
    assert (len(bodies), len(contents)) == (7, 9)  # a snapshot is no body of ours: what nobody reads of it is dropped
    for body in bodies:
        assert document["components"]["schemas"][body.rpartition("/")[2]]["additionalProperties"] is False


def test_the_page_asks_no_other_host_for_anything(process: Web) -> None:
    page = process.client.get("/api/v1/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "//" not in page.text
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'unsafe-inline'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    for source in re.findall(r'(?:src|spec-url|href)="([^"]+)"', page.text):
        assert process.client.get(f"/api/v1/{source}").status_code == 200
    assert process.client.get("/api/v1/docs/redoc.js").mimetype == "text/javascript"


@pytest.mark.parametrize("path", ["/api/v1/analyses", OPENAPI, "/healthz", "/nothing"])
def test_every_answer_but_the_page_may_run_nothing_in_a_browser(process: Web, path: str) -> None:
    answer = process.client.get(path)
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize(
    ("kind", "more"), [("diff", {}), ("matrix", {}), ("explain", {"source": "shop/web[Deployment]", "destination": "10.0.0.1"})]
)
def test_real_reports_are_what_the_document_says(process: Web, document: dict[str, Any], kind: str, more: dict[str, str]) -> None:
    names = ("base", "head") if kind == "diff" else ("archive",)
    broken = {"broken.yaml": "kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: [1]\n"}
    files = {name: (io.BytesIO(tarball(shop(port) | broken)), name) for name, port in zip(names, (7070, 9090), strict=False)}
    answer = process.client.post(f"/api/v1/{kind}", data={**files, **more}, headers=process.bearer())
    assert answer.status_code == 200, answer.text
    schema = document["paths"][f"/api/v1/{kind}"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(json.loads(answer.data))


@pytest.mark.slow
def test_nothing_that_schemathesis_sends_breaks_the_service_or_its_document(
    tmp_path: Path, github: GitHubFake, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_FAILURES", 1_000_000)  # wrong tokens are part of the trial
    opened(github, origin)
    known = environment(tmp_path / "data", github, origin, API_RATE="1000000")
    with web(Settings.from_environment(known), analyst) as running:
        store, held = running.store, running.bearer()
        request = store.request("github", SHOP, "7", "test")
        report = store.keep(json.dumps(_EMPTY["diff"]).encode())
        store.judged(request, "a" * 40, "b" * 40)
        store.attach(request, report=report, text=store.keep(b"# text"), digest=_EMPTY["diff"]["digest"], complete=True, headline="x")
        job = store.open_question("diff", 600.0)
        store.answer_question(job, "application/json", report)
        schema = schemathesis.openapi.from_wsgi(OPENAPI, running.app)
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            _try(result.ok(), held, {"analyses": request.id, "jobs": job})


def _try(operation: Any, held: dict[str, str], ids: dict[str, str]) -> None:
    """What fits the document and what does not; now and then about something that is there."""
    cases = operation.as_strategy() | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
    phases = [Phase.explicit, Phase.generate]

    @examples(max_examples=40, phases=phases, suppress_health_check=list(HealthCheck), database=None)
    @given(case=cases, real=st.booleans())
    def answered(case: Case[Any], real: bool) -> None:
        if real and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = ids[case.path.split("/")[3]]
        if real and isinstance(case.body, dict) and "repository" in case.body:
            case.body["repository"] = SHOP
        right_again = case.media_type == "multipart/form-data" or _encodes_to_nothing(case.query)
        case.call_and_validate(headers=held, checks=[check for check in _CHECKS if not (right_again and check is negative_data_rejection)])

    answered()


def _encodes_to_nothing(query: dict[str, Any] | None) -> bool:
    """Forms and queries are encoded after they were made wrong, which sometimes makes them right again, as where an empty list is the
    value of an unknown parameter: it is never sent. That wrong ones are refused is held by tests of their own."""
    return any(value in (None, [], {}) for value in (query or {}).values())

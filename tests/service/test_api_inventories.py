"""Inventories and several clusters through the API: what is uploaded, what is kept of it, and what reviews and questions make of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from service.settings import Settings
from service.store import Scope
from service.store.tables import contents, inventories
from tests.analyzers.manifests.test_running import LEAKY, SECRET, namespace, pod, running_deployment, snapshot
from tests.forges.github_fake import GitHubFake
from tests.forges.origin import Origin, shop
from tests.service.site import SHOP, Site, environment, opened
from tests.service.test_api import DIFF, EXPLAIN, MATRIX, problem
from tests.service.test_review import Bench
from tests.service.test_review import bench as bench
from tests.service.web_app import Web, web

ONE = f"/api/v1/inventories/github/{SHOP}/-"
LIST = "/api/v1/inventories"
LIVE = snapshot(namespace("shop"), *running_deployment("db"))
CONFIGURED = {".flowdelta.yaml": "version: 1\nclusters: {dev: {paths: [dev]}, prod: {paths: [prod]}}\n"}


def several(port: int) -> dict[str, str]:
    """Two clusters, of which only prod changes with the port."""
    dev, prod = ({f"{name}/{path}": text for path, text in shop(number).items()} for name, number in (("dev", 7070), ("prod", port)))
    return {**CONFIGURED, **dev, **prod}


@pytest.fixture
def process(tmp_path: Path, github: GitHubFake, origin: Origin) -> Iterator[Web]:
    opened(github, origin)
    more = {"UPLOAD_MAX_MB": "1", "API_RATE": "10000"}
    with web(Settings.from_environment(environment(tmp_path / "data", github, origin, **more))) as running:
        yield running


@pytest.fixture
def client(process: Web) -> FlaskClient:
    client = process.client
    client.environ_base["HTTP_AUTHORIZATION"] = process.bearer(Scope.ADMIN)["Authorization"]
    return client


def answered(client: FlaskClient, where: str, body: Mapping[str, Any]) -> Any:
    return client.post(where, json=body).json


def put(client: FlaskClient, data: bytes = LIVE, where: str = ONE, type: str = "application/json") -> Any:
    return client.put(where, data=data, content_type=type)


def test_an_inventory_is_stored_shown_replaced_and_dropped(client: FlaskClient) -> None:
    first = put(client).json
    assert {key: first[key] for key in ("forge", "repository", "cluster", "objects", "taken")} == {
        "forge": "github",
        "repository": SHOP,
        "cluster": "-",
        "objects": 5,
        "taken": None,
    }
    second = put(client, gzip.compress(snapshot(namespace("shop"))), type="application/gzip").json
    assert second["objects"] == 1
    assert client.get(LIST).json == {"items": [second]}
    assert client.delete(ONE).status_code == 204
    assert client.get(LIST).json == {"items": []}
    assert problem(client.delete(ONE)) == (404, "unknown-inventory")


def test_the_time_of_a_snapshot_is_kept(client: FlaskClient) -> None:
    body = json.loads(LIVE) | {"metadata": {"annotations": {"flowdelta/taken": "2026-11-20T08:30:00+00:00"}}}
    assert put(client, json.dumps(body).encode()).json["taken"] == "2026-11-20T08:30:00.000Z"


def test_nothing_secret_reaches_the_database_or_the_log(process: Web, client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    stored = put(client, snapshot(*LEAKY)).json
    assert SECRET.encode() not in process.store.content(stored["digest"])
    put(client, b'{"' + SECRET.encode())
    assert SECRET not in caplog.text


@pytest.mark.parametrize("scope", [Scope.READ, Scope.ANALYSE, Scope.SIGNOFF])
def test_only_an_admin_may_upload_or_drop(process: Web, scope: Scope) -> None:
    bearer = process.bearer(scope)
    assert problem(process.client.put(ONE, data=LIVE, content_type="application/json", headers=bearer)) == (403, "missing-scope")
    assert problem(process.client.delete(ONE, headers=bearer)) == (403, "missing-scope")
    assert problem(put(process.client)) == (401, "missing-token")


@pytest.mark.parametrize(
    ("where", "data", "type", "expected"),
    [
        (f"{LIST}/github/acme/other/-", LIVE, "application/json", (404, "unknown-repository")),
        (f"{LIST}/gitlab/{SHOP}/-", LIVE, "application/json", (404, "unknown-repository")),
        (f"{LIST}/github/{SHOP}/-x", LIVE, "application/json", (400, "invalid-cluster")),
        (f"{LIST}/github/{SHOP}/a%20b", LIVE, "application/json", (400, "invalid-cluster")),
        (ONE, LIVE, "text/yaml", (415, "unsupported-media-type")),
        (ONE, b"{", "application/json", (422, "inventory")),
        (ONE, b"x" * 1_000_001, "application/json", (413, "too-large")),
        (ONE, gzip.compress(b" " * 4_000_001), "application/gzip", (422, "inventory")),
    ],
)
def test_what_is_no_inventory_is_refused(client: FlaskClient, where: str, data: bytes, type: str, expected: tuple[int, str]) -> None:
    assert problem(put(client, data, where, type)) == expected
    assert client.get(LIST).json == {"items": []}


def test_questions_about_a_served_repository_are_judged_beside_what_runs(client: FlaskClient) -> None:
    put(client)
    found = answered(client, MATRIX, {"repository": SHOP, "revision": "main"})
    assert "shop/db[Deployment]" in {each["id"] for each in found["endpoints"]}
    (said,) = (each["message"] for each in found["diagnostics"] if each["code"] == "inventory")
    assert said.startswith("judged beside 1 workload and 0 policies that run and are not declared, of the inventory, uploaded 20")
    assert said.endswith("(just now)")


def test_an_inventory_of_a_cluster_that_is_not_there_changes_nothing(client: FlaskClient) -> None:
    before = answered(client, MATRIX, {"repository": SHOP, "revision": "main"})
    put(client, where=f"{LIST}/github/{SHOP}/elsewhere")
    assert answered(client, MATRIX, {"repository": SHOP, "revision": "main"}) == before


def test_an_inventory_in_use_is_never_pruned_and_one_that_was_replaced_is(process: Web, client: FlaskClient) -> None:
    put(client, snapshot(pod("old")))
    kept = put(client).json["digest"]
    with process.store._database.writing() as connection:
        connection.execute(sa.update(contents).values(kept=0.0))
    assert process.store.prune(1).contents == 1
    assert process.store.content(kept)
    with process.store._database.reading() as connection:
        assert connection.execute(sa.select(inventories.c.content)).scalars().all() == [kept]


def test_several_clusters_are_answered_side_by_side(client: FlaskClient, github: GitHubFake, origin: Origin) -> None:
    Site(github, origin).open(several(7070), several(9090))
    body = {"repository": SHOP, "base": "main", "head": "refs/pull/7/head"}
    found = answered(client, DIFF, body)
    assert found["schema"] == "flowdelta.diffs/1"
    assert [(each["cluster"], each["summary"]["groups"] > 0) for each in found["clusters"]] == [("dev", False), ("prod", True)]
    assert answered(client, DIFF, {**body, "cluster": "prod"}) == found["clusters"][1]
    assert problem(client.post(DIFF, json={**body, "cluster": "test"})) == (422, "cluster")


def test_matrix_and_explain_of_several_clusters_need_a_name(client: FlaskClient, github: GitHubFake, origin: Origin) -> None:
    Site(github, origin).open(several(7070), several(9090))
    body = {"repository": SHOP, "revision": "main"}
    ends = {"source": "shop/web[Deployment]", "destination": "shop/cart[Deployment]"}
    for where, more in ((MATRIX, {}), (EXPLAIN, ends)):
        refused = client.post(where, json={**body, **more})
        assert problem(refused) == (422, "cluster")
        assert "dev, prod" in refused.text
        assert client.post(where, json={**body, **more, "cluster": "dev"}).status_code == 200


def test_a_review_comments_on_each_cluster(bench: Bench) -> None:
    bench.site.open(several(7070), several(9090))
    assert bench.run() == "done"
    assert "#### Cluster `prod`: 1 flow opens, 1 closes" in bench.site.comment
    assert "No flow changes in 1 cluster: `dev`." in bench.site.comment
    state, line = bench.site.status
    assert state == "success"
    assert line.startswith("Prod: 1 flow opens, 1 closes; no flow changes in 1 more cluster")


def test_one_incomplete_cluster_keeps_a_review_from_passing(bench: Bench) -> None:
    bench.site.open(several(7070), {**several(9090), "dev/broken.yaml": "a: [\n"})
    assert bench.run() == "done"
    assert bench.site.status[0] == "failure"
    assert "#### Cluster `dev`: no flow changes found, but the analysis is incomplete" in bench.site.comment


def test_a_review_is_judged_beside_the_stored_inventory(bench: Bench) -> None:
    store = bench.steps.store
    store.put_inventory("github", SHOP, "", store.keep(LIVE), 5, None)
    assert bench.run() == "done"
    assert "judged beside 1 workload and 0 policies that run and are not declared, of the inventory, uploaded" in bench.site.comment

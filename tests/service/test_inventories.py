"""Clusters and inventories on the command line."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli import cli
from tests.analyzers.manifests.test_running import SHOP, running_deployment, snapshot
from tests.rendering.repositories import deny, deployment

CONFIGURED = "version: 1\nclusters: {dev: {paths: [dev]}, prod: {paths: [prod]}}\n"
WEB = deployment("web", "shop")


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def several(tmp_path: Path) -> tuple[Path, Path]:
    """A repository of two clusters, before and after a policy comes to one of them."""
    base = {".flowdelta.yaml": CONFIGURED, "dev/web.yaml": WEB, "prod/web.yaml": WEB, "dev/db.yaml": deployment("db", "shop")}
    return written(tmp_path / "base", base), written(tmp_path / "head", {**base, "prod/deny.yaml": deny(namespace="shop")})


@pytest.fixture
def single(tmp_path: Path) -> tuple[Path, Path]:
    base = written(tmp_path / "base", {"web.yaml": WEB})
    return base, written(tmp_path / "head", {"web.yaml": WEB, "deny.yaml": deny(namespace="shop")})


@pytest.fixture
def live(tmp_path: Path) -> Path:
    path = tmp_path / "live.json"
    path.write_bytes(snapshot(SHOP, *running_deployment("db")))
    taken = (datetime.now(UTC) - timedelta(hours=3, minutes=5)).timestamp()
    os.utime(path, (taken, taken))
    return path


def document(result: Result) -> Any:
    return json.loads(result.stdout)


def test_diff_tells_several_clusters_apart(several: tuple[Path, Path]) -> None:
    done = run("diff", *several, "--format", "json", "--exit-code", "-q")
    assert done.exit_code == 1
    assert [(each["cluster"], each["summary"]["groups"]) for each in document(done)["clusters"]] == [("dev", 0), ("prod", 1)]


def test_diff_without_differences_ends_with_0(several: tuple[Path, Path]) -> None:
    assert run("diff", several[0], several[0], "--exit-code").exit_code == 0


def test_one_incomplete_cluster_ends_a_strict_diff_with_2(several: tuple[Path, Path]) -> None:
    (several[1] / "dev" / "broken.yaml").write_text("a: [\n")
    assert run("diff", *several, "--strict").exit_code == 2
    (several[1] / "prod" / "deny.yaml").unlink()
    assert run("diff", *several, "--exit-code").exit_code == 2
    assert run("diff", *several, "--exit-code", "--cluster", "prod").exit_code == 0


@pytest.mark.parametrize("command", [("matrix",), ("explain",)])
def test_matrix_and_explain_need_the_name_of_a_cluster(several: tuple[Path, Path], command: tuple[str]) -> None:
    ends = ("shop/web[Deployment]", "shop/db[Deployment]") if command == ("explain",) else ()
    refused = run(*command, several[0], *ends)
    assert refused.exit_code == 2
    assert refused.stderr.endswith("choose one of them: dev, prod\n")
    assert run(*command, several[0], *ends, "--cluster", "dev").exit_code == 0
    assert "there is no cluster 'test'; there is: dev, prod" in run(*command, several[0], *ends, "--cluster", "test").stderr


def test_a_diff_is_judged_beside_what_runs(single: tuple[Path, Path], live: Path) -> None:
    found = document(run("diff", *single, "--inventory", live, "--format", "json", "-q"))
    assert "shop/db[Deployment]" in {each["source"] for each in found["changes"]}
    assert found["workloads"]["added"] == []


def test_the_age_of_a_snapshot_is_said(single: tuple[Path, Path], live: Path) -> None:
    shown = run("diff", *single, "--inventory", live).stdout
    assert "of live.json, by the time of its file of" in " ".join(shown.split())
    assert "(3 hours ago)" in shown


def test_a_snapshot_that_knows_its_time_says_it(single: tuple[Path, Path], live: Path) -> None:
    taken = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    body = json.loads(live.read_bytes()) | {"metadata": {"annotations": {"flowdelta/taken": taken}}}
    live.write_bytes(gzip.compress(json.dumps(body).encode()))
    shown = " ".join(run("diff", *single, "--inventory", live).stdout.split())
    assert "of live.json, taken " in shown
    assert "(2 days ago)" in shown


def test_matrix_and_explain_take_what_runs(single: tuple[Path, Path], live: Path) -> None:
    found = document(run("matrix", single[0], "--inventory", live, "--format", "json", "-q"))
    assert "shop/db[Deployment]" in {each["id"] for each in found["endpoints"]}
    said = run("explain", single[1], "shop/db[Deployment]", "shop/web[Deployment]", "--inventory", live)
    assert said.exit_code == 0
    assert "denied" in said.stdout


def test_with_several_clusters_an_inventory_names_its_own(several: tuple[Path, Path], live: Path) -> None:
    found = document(run("diff", *several, "--inventory", f"prod={live}", "--format", "json", "-q"))
    dev, prod = found["clusters"]
    assert "shop/db[Deployment]" in {each["source"] for each in prod["changes"]}
    assert not dev["changes"]
    assert [each["code"] for each in dev["diagnostics"]] == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["{}"], "name the cluster of the inventory: dev, prod"),
        (["test={}"], "there is no cluster 'test', whose inventory is given; there is: dev, prod"),
        (["prod={}", "prod={}"], "another inventory is given for cluster prod"),
        (["prod={}.gone"], "live.json.gone: no such file or directory"),
    ],
)
def test_an_inventory_that_fits_nothing_is_refused(several: tuple[Path, Path], live: Path, given: list[str], problem: str) -> None:
    options = [part for each in given for part in ("--inventory", each.format(live))]
    refused = run("diff", *several, *options)
    assert refused.exit_code == 2
    assert problem in refused.stderr


def test_a_snapshot_that_is_wrong_is_refused_with_its_name(single: tuple[Path, Path], live: Path) -> None:
    live.write_text("{")
    refused = run("diff", *single, "--inventory", live)
    assert refused.exit_code == 2
    assert "live.json:1: is not JSON" in refused.stderr

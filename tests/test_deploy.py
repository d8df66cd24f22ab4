"""The manifests that ship with Flowdelta, judged by Flowdelta: they open what the service needs and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import Settings, table

NEIGHBOURS = """\
{apiVersion: v1, kind: Pod, metadata: {name: controller, namespace: ingress-nginx, labels: {app: nginx}}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {name: prometheus, namespace: monitoring}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {name: anyone, namespace: other}, spec: {containers: []}}
"""
WEB, WORKER = "flowdelta/web[Deployment]", "flowdelta/worker[Deployment]"


@pytest.fixture(scope="module")
def matrix(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("deploy")
    shutil.copytree(root / "deploy" / "kubernetes", folder, dirs_exist_ok=True)
    # In a folder of its own: what stands beside a kustomization that does not name it is left out.
    (folder / "around").mkdir()
    (folder / "around" / "neighbours.yaml").write_text(NEIGHBOURS, encoding="utf-8")
    command = [sys.executable, "-m", "service", "matrix", str(folder), "--format", "json"]
    found: dict[str, Any] = json.loads(subprocess.run(command, cwd=root, capture_output=True, check=True, timeout=60).stdout)
    return found


def ours(matrix: dict[str, Any]) -> dict[tuple[str, str], Any]:
    flows = {(flow["source"], flow["destination"]): flow["connections"] for flow in matrix["flows"]}
    return {ends: connections for ends, connections in flows.items() if {WEB, WORKER} & set(ends)}


def test_the_manifests_are_understood_whole(matrix: dict[str, Any]) -> None:
    assert matrix["complete"], matrix["diagnostics"]


def test_exactly_what_is_needed_is_open(matrix: dict[str, Any]) -> None:
    http, dns, out = {"TCP": [[8080, 8080]]}, {"TCP": [[53, 53]], "UDP": [[53, 53]]}, {"TCP": [[443, 443], [5432, 5432]]}
    expected: dict[tuple[str, str], Any] = {
        (source, WEB): http for source in ("ingress-nginx/controller[Pod]", "monitoring/prometheus[Pod]")
    }
    expected["monitoring/prometheus[Pod]", WORKER] = {"TCP": [[9090, 9090]]}
    for own in (WEB, WORKER):
        expected |= {(own, "kube-system/dns[Pod]"): dns, (own, "0.0.0.0/0"): out, (own, "::/0"): out}
    assert ours(matrix) == expected


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes/flowdelta.yaml"])
def test_only_settings_that_there_are_are_set(root: Path, name: str) -> None:
    rows = [(variable, row) for variable, row in table() if "<NAME>" not in variable]
    rows += [(variable.replace("<NAME>", "GITHUB"), row) for variable, row in table() if "<NAME>" in variable]
    known = {variable for variable, _ in rows} | {f"{variable}_FILE" for variable, row in rows if row.secret}
    documents = list(yaml.safe_load_all((root / "deploy" / name).read_text(encoding="utf-8")))
    named = {word for document in documents for word in _words(document) if word.startswith("FLOWDELTA_")}
    assert named
    assert named <= known


def test_a_container_that_answers_is_asked_whether_it_lives(root: Path) -> None:
    documents = list(yaml.safe_load_all((root / "deploy" / "kubernetes" / "flowdelta.yaml").read_text(encoding="utf-8")))
    pods = {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in documents if each["kind"] == "Deployment"}
    probed = {name: (pod["containers"][0]["ports"], pod["containers"][0]["livenessProbe"]["httpGet"]) for name, pod in pods.items()}
    assert probed == {
        "web": ([{"name": "http", "containerPort": 8080}], {"path": "/healthz", "port": "http"}),
        "worker": ([{"name": "monitoring", "containerPort": 9090}], {"path": "/healthz", "port": "monitoring"}),
    }


def test_values_in_the_manifests_are_what_the_settings_take(root: Path) -> None:
    """The settings of each container of the compose file and of the manifests, with a value for what comes from a secret."""
    secret = {"GITHUB_TOKEN": "token-1", "GITHUB_WEBHOOK_SECRET": "secret-1", "DATABASE_URL": "postgresql://a:b@c/d"}
    known = {f"FLOWDELTA_{name}": value for name, value in secret.items()}
    compose = yaml.safe_load((root / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    for service in ("web", "worker"):
        given = {name: value for name, value in compose["services"][service]["environment"].items() if not name.endswith("_FILE")}
        plain = {name: "acme/shop" if "REPOSITORIES" in name else "" if value.startswith("$") else value for name, value in given.items()}
        assert Settings.from_environment(known | plain).database_url
    documents = list(yaml.safe_load_all((root / "deploy" / "kubernetes" / "flowdelta.yaml").read_text(encoding="utf-8")))
    shared = next(each["data"] for each in documents if each["kind"] == "ConfigMap")
    worker = next(each for each in documents if each["metadata"]["name"] == "worker")["spec"]["template"]["spec"]["containers"][0]
    settings = Settings.from_environment(known | shared | {each["name"]: each["value"] for each in worker["env"]})
    assert settings.worker_listen == ("0.0.0.0", 9090)


def _words(value: Any) -> set[str]:
    """Every key and every text."""
    if isinstance(value, dict):
        return set(value).union(*map(_words, value.values()))
    return set[str]().union(*map(_words, value)) if isinstance(value, list) else {str(value)}

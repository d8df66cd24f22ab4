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

from service.settings import table

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
    (folder / "neighbours.yaml").write_text(NEIGHBOURS, encoding="utf-8")
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
    for own in (WEB, WORKER):
        expected |= {(own, "kube-system/dns[Pod]"): dns, (own, "0.0.0.0/0"): out, (own, "::/0"): out}
    assert ours(matrix) == expected


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes/flowdelta.yaml"])
def test_only_settings_that_there_are_are_set(root: Path, name: str) -> None:
    rows = [(variable, row) for variable, row in table() if "<NAME>" not in variable]
    rows += [(variable.replace("<NAME>", "GITHUB"), row) for variable, row in table() if "<NAME>" in variable]
    known = {variable for variable, _ in rows} | {f"{variable}_FILE" for variable, row in rows if row.secret}
    documents = list(yaml.safe_load_all((root / "deploy" / name).read_text(encoding="utf-8")))
    named = {key for document in documents for key in _keys(document) if key.startswith("FLOWDELTA_")}
    assert named
    assert named <= known


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_keys, value.values()))
    return set[str]().union(*map(_keys, value)) if isinstance(value, list) else set()

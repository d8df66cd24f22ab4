"""`flowdelta inventory` against a stand-in Kubernetes API: what it asks for, page by page, and what it refuses to leave out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from analyzers.interest import read_running
from service.cli import cli
from tests.analyzers.manifests.test_running import LEAKY, SECRET, namespace, pod, running_deployment
from tests.rendering.repositories import deny, deployment
from tests.service.kubernetes_fake import TOKEN, KubernetesFake, serving

KINDS = [
    ("", "v1", "Namespace", "namespaces"),
    ("", "v1", "Pod", "pods"),
    ("", "v1", "Secret", "secrets"),
    ("", "v1", "ConfigMap", "configmaps"),
    ("", "v1", "Service", "services"),
    ("apps", "v1", "Deployment", "deployments"),
    ("apps", "v1", "ReplicaSet", "replicasets"),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    ("policy.networking.k8s.io", "v1alpha2", "ClusterNetworkPolicy", "clusternetworkpolicies"),
    ("policy.networking.k8s.io", "v1alpha1", "AdminNetworkPolicy", "adminnetworkpolicies"),
    ("cilium.io", "v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies"),
    ("example.com", "v1", "Widget", "widgets"),
]
PODS = [pod(f"p{number}", app="p") for number in range(7)]
HELD: list[dict[str, Any]] = [namespace("shop"), *running_deployment("db"), *PODS, yaml.safe_load(deny("platform", "shop"))]


@pytest.fixture
def cluster() -> Iterator[KubernetesFake]:
    with serving(KubernetesFake(list(KINDS), list(HELD))) as fake:
        yield fake


def take(cluster: KubernetesFake, folder: Path, *more: object, token: str = TOKEN) -> Result:
    path = folder / "kubeconfig"
    path.write_text(cluster.kubeconfig(token))
    return CliRunner().invoke(cli, ["inventory", "--kubeconfig", str(path), *map(str, more)], catch_exceptions=False)


def test_every_object_comes_once_however_many_pages_it_takes(cluster: KubernetesFake, tmp_path: Path) -> None:
    done = take(cluster, tmp_path)
    assert done.exit_code == 0, done.stderr
    found = read_running(done.stdout.encode(), "live")
    assert sorted(each.title for each in found.manifests) == sorted(
        f"{each['kind']} {'/'.join(filter(None, (each['metadata'].get('namespace'), each['metadata']['name'])))}" for each in HELD
    )
    assert found.taken is not None
    pages = [query.get("continue") for _, path, query in cluster.asked if path == "/api/v1/pods"]
    assert pages == [None, ["2"], ["4"], ["6"]]


def test_it_only_lists_and_only_what_matters(cluster: KubernetesFake, tmp_path: Path) -> None:
    take(cluster, tmp_path)
    assert {method for method, *_ in cluster.asked} == {"GET"}
    listed = {path.rpartition("/")[2] for _, path, query in cluster.asked if query}
    assert listed == {plural for _, _, _, plural in KINDS} - {"secrets", "configmaps", "widgets"}
    assert all(query["limit"] == ["500"] for _, _, query in cluster.asked if query)


def test_kinds_of_every_version_of_a_group_are_read(cluster: KubernetesFake, tmp_path: Path) -> None:
    take(cluster, tmp_path)
    paths = {path for _, path, query in cluster.asked if query}
    assert "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies" in paths
    assert "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies" in paths


def test_nothing_secret_is_written(tmp_path: Path) -> None:
    kinds = [*KINDS, ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"), ("networking.k8s.io", "v1", "Ingress", "ingresses")]
    with serving(KubernetesFake(kinds, list(LEAKY))) as fake:
        done = take(fake, tmp_path)
    assert done.exit_code == 0
    assert SECRET not in done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr


def test_what_is_read_serves_as_an_inventory(cluster: KubernetesFake, tmp_path: Path) -> None:
    snapshot, manifests = tmp_path / "live.json", tmp_path / "repo"
    manifests.mkdir()
    (manifests / "web.yaml").write_text(deployment("web", "shop"))
    assert take(cluster, tmp_path, "--output", snapshot).exit_code == 0
    shown = CliRunner().invoke(cli, ["matrix", str(manifests), "--inventory", str(snapshot), "--format", "json", "-q", "--no-cache"])
    document = json.loads(shown.stdout)
    assert document["complete"]
    assert {"shop/db[Deployment]", "shop/p0[Pod]", "shop/web[Deployment]"} <= {each["id"] for each in document["endpoints"]}
    (said,) = (each["message"] for each in document["diagnostics"] if each["code"] == "inventory")
    assert "of live.json, taken 20" in said
    assert "(just now)" in said


def test_a_list_that_expires_on_the_way_is_read_again(cluster: KubernetesFake, tmp_path: Path) -> None:
    cluster.expire = 2
    done = take(cluster, tmp_path)
    assert len([each for each in json.loads(done.stdout)["items"] if each["kind"] == "Pod"]) == len(PODS) + 1


def test_a_list_that_keeps_expiring_is_an_error(cluster: KubernetesFake, tmp_path: Path) -> None:
    cluster.expire = 100
    done = take(cluster, tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "changes faster than it can be read" in done.stderr


def test_what_may_not_be_listed_is_named_and_nothing_is_written(cluster: KubernetesFake, tmp_path: Path) -> None:
    cluster.broken = {"/api/v1/pods": 403, "/apis/networking.k8s.io/v1/networkpolicies": 403}
    done = take(cluster, tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "may not be listed with this account: /api/v1/pods, /apis/networking.k8s.io/v1/networkpolicies" in done.stderr


@pytest.mark.parametrize(("path", "status"), [("/apis", 500), ("/api/v1", 404), ("/apis/cilium.io/v2", 404), ("/api/v1/pods", 404)])
def test_an_answer_that_is_none_is_an_error_with_its_path(cluster: KubernetesFake, tmp_path: Path, path: str, status: int) -> None:
    cluster.broken = {path: status}
    done = take(cluster, tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{path}: the API answers with the status {status}" in done.stderr


def test_a_wrong_token_is_an_error_that_does_not_show_it(cluster: KubernetesFake, tmp_path: Path) -> None:
    done = take(cluster, tmp_path, token="wrong-5e1d")
    assert done.exit_code == 2
    assert "the API answers with the status 401" in done.stderr
    assert "wrong-5e1d" not in done.stderr


def test_a_context_that_is_not_there_is_an_error(cluster: KubernetesFake, tmp_path: Path) -> None:
    done = take(cluster, tmp_path, "--context", "elsewhere")
    assert done.exit_code == 2
    assert "no cluster to read" in done.stderr


def test_a_cluster_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    with serving(KubernetesFake([], [])) as fake:
        pass
    done = take(fake, tmp_path)
    assert done.exit_code == 2
    assert "the API does not answer" in done.stderr

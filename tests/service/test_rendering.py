"""Rendering where people meet it: the commands, and the process of one analysis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analyzers.pipeline import Options
from analyzers.rendering.tools import Tools
from service.analysis.job import AnalysisError, GitRevision, GitSide, Order, Wanted
from service.analysis.preparing import configuration_of, prepared, settings_of
from service.analysis.programs import tools
from service.analysis.runner import run
from service.checkout import GitTree, open_repository, resolve
from service.checkout.mirror import Mirrors
from tests.conftest import ROOT
from tests.rendering.conftest import programs as programs
from tests.rendering.repositories import deny, deployment, tree
from tools.renderers import CACHE

FILES = {
    ".flowdelta.yaml": "version: 1\nnamespaces: [{path: plain, namespace: given}]\n",
    "base/kustomization.yaml": "resources: [web.yaml, deny.yaml]\n",
    "base/web.yaml": deployment("web"),
    "base/deny.yaml": deny(),
    "over/kustomization.yaml": "namespace: shop\nresources: [../base]\n",
    "plain/db.yaml": deployment("db"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository in a folder."""
    for path, text in FILES.items():
        place = tmp_path / "repo" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path / "repo"


@pytest.fixture
def commit(folder: Path) -> str:
    """The same with a commit, by its id."""
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "all")):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    return subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def flowdelta(*arguments: object, path: str = f"{CACHE}:/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT), "PATH": path, "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}
    command = [sys.executable, "-m", "service", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env=environment)


def test_matrix_renders_a_folder_with_its_configuration(programs: Tools, folder: Path) -> None:
    done = flowdelta("matrix", folder, "--format", "json")
    document = json.loads(done.stdout)
    assert [each["id"] for each in document["endpoints"] if each["kind"] == "Deployment"] == [
        "given/db[Deployment]",
        "shop/web[Deployment]",
    ]
    assert document["complete"]


def test_a_revision_of_a_repository_renders_alike_and_from_a_folder_of_it_too(programs: Tools, folder: Path, commit: str) -> None:
    done = flowdelta("diff", "--repo", folder, commit, commit, "--format", "json")
    assert json.loads(done.stdout)["complete"]
    with open_repository(folder) as repository:
        whole = GitTree(repository, resolve(repository, commit))
        assert configuration_of(whole).digest
        inner = GitTree(repository, resolve(repository, commit), "plain")
        assert settings_of(inner).namespaces == (("", "given"),)
        assert inner.find("none.yaml") is None


def test_units_says_what_would_be_rendered_and_why(programs: Tools, folder: Path) -> None:
    done = flowdelta("units", folder)
    assert done.returncode == 0
    assert f"kustomize: {CACHE.resolve()}/kubectl (Client Version: v1" in done.stdout
    assert "kustomization over: kustomize; no other kustomization includes it (over/kustomization.yaml:1); 4 files" in done.stdout
    assert "into namespace given" in done.stdout


def test_units_names_what_is_refused_and_strict_ends_with_2(folder: Path) -> None:
    (folder / "over/kustomization.yaml").write_text("namespace: shop\nresources: ['https://host/base']\n")
    done = flowdelta("units", folder, "--strict", path="")
    assert done.returncode == 2
    assert "refused: kustomization over: over/kustomization.yaml:2: names 'https://host/base': nothing is fetched" in done.stdout
    assert "kustomize: not found" in done.stdout


def test_config_check_says_what_is_configured_or_where_it_is_wrong(folder: Path) -> None:
    done = flowdelta("config", "check", folder)
    assert (done.returncode, done.stdout) == (0, ".flowdelta.yaml is well formed: 1 namespaces by path\n")
    (folder / ".flowdelta.yaml").write_text("version: 1\nunits: [{path: a, renderer: sh}]\n")
    for place in (folder, folder / ".flowdelta.yaml"):
        done = flowdelta("config", "check", place)
        assert done.returncode == 2
        assert ".flowdelta.yaml:2: units[0].renderer: 'sh' is not one of plain, kustomize, helm" in done.stderr


def test_a_bad_configuration_stops_every_analysis(folder: Path) -> None:
    (folder / ".flowdelta.yaml").write_text("version: 1\nunit: []\n")
    done = flowdelta("matrix", folder)
    assert done.returncode == 2
    assert ".flowdelta.yaml:2: unit: there is no such field" in done.stderr
    with pytest.raises(AnalysisError) as caught:
        prepared(Options(), tree({".flowdelta.yaml": "version: 2\n"}), None)
    assert caught.value.reason == "configuration"


def test_programs_are_named_by_the_environment_and_nothing_else() -> None:
    assert tools({"PATH": ""}) == Tools()
    with pytest.raises(AnalysisError, match="there is no such program"):
        tools({"PATH": "", "FLOWDELTA_HELM": "/nowhere/helm"})


def test_the_process_of_an_analysis_renders_within_its_limits(
    programs: Tools, folder: Path, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert programs.kustomize is not None
    monkeypatch.setenv("FLOWDELTA_KUSTOMIZE", programs.kustomize.path)
    mirrors, url = Mirrors(tmp_path / "mirrors", allow_file=True), f"file://{folder}"
    mirrors.fetch(url, ("refs/heads/main",))
    (tmp_path / "work").mkdir()
    subject = GitRevision(GitSide("main", commit), str(tmp_path / "mirrors"), url, True)
    order = Order(
        subject, (Wanted("matrix.json", "json"),), str(tmp_path / "work"), "node", 60, 4_000_000_000, cache=str(tmp_path / "cache")
    )
    assert run(order, 120).complete
    document = json.loads((tmp_path / "work" / "matrix.json").read_text())
    assert "shop/web[Deployment]" in [each["id"] for each in document["endpoints"]]

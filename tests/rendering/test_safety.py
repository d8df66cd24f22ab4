"""Hostile repositories: what would be fetched, run or read from outside is refused before any program starts, and a program that is let
loose on hostile input is stopped."""

from __future__ import annotations

import dataclasses
import os
import select
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from analyzers.interest import wanted
from analyzers.manifests.folder import FolderTree
from analyzers.manifests.tree import Entry, EntryKind
from analyzers.rendering.limits import RenderLimits
from analyzers.rendering.sandbox import network_is_isolated, run
from analyzers.rendering.stage import prepare
from analyzers.rendering.tools import Tool, ToolMissing, Tools, find_tools
from tests.property.product import MemoryTree
from tests.rendering.repositories import Bench, configured, deployment, notes, tree

CHART = {"chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n"}
NO_PROGRAM = Tools(Tool("/does/not/exist", ("kustomize",), "kustomize"), Tool("/does/not/exist", ("template",), "helm"))
"""Whatever starts a program fails with it, so a refusal comes before."""

PLUGIN = """\
apiVersion: example.com/v1
kind: Anything
metadata:
  name: x
  annotations: {config.kubernetes.io/function: "exec: {path: ./run.sh}"}
"""


@pytest.mark.parametrize(
    ("kustomization", "said"),
    [
        ("resources: ['https://github.com/owner/repo//base?ref=v1']", "nothing is fetched"),
        ("resources: ['github.com/owner/repo']", "nothing is fetched"),
        ("resources: ['git@github.com:owner/repo.git']", "nothing is fetched"),
        ("resources: ['user@host.example:owner/repo']", "nothing is fetched"),
        ("resources: ['ssh://host/repo']", "nothing is fetched"),
        ("resources: ['file:///etc']", "nothing is fetched"),
        ("bases: ['git::https://host/repo']", "nothing is fetched"),
        ("components: ['https://host/component']", "nothing is fetched"),
        ("resources: ['https://host/objects.yaml']", "nothing is fetched"),
        ("resources: ['../../etc/passwd']", "leaves the repository"),
        ("resources: ['/etc/passwd']", "leaves the repository"),
        ("patches: [{path: ../../x.yaml}]", "leaves the repository"),
        ("configMapGenerator: [{name: c, files: [stolen=/etc/passwd]}]", "leaves the repository"),
        ("configMapGenerator: [{name: c, files: [../../../etc/passwd]}]", "leaves the repository"),
        ("secretGenerator: [{name: c, envs: [../../.env]}]", "leaves the repository"),
        ("replacements: [{path: 'https://host/x.yaml'}]", "nothing is fetched"),
        ("crds: ['https://host/crd.json']", "nothing is fetched"),
        ("openapi: {path: ../../schema.json}", "leaves the repository"),
        ("helmCharts: [{name: c, repo: 'https://host/charts'}]", "helmCharts"),
        ("helmChartInflationGenerator: [{chartName: c}]", "helmChartInflationGenerator"),
        ("generators: [plugin.yaml]", "a function"),
        ("transformers: [plugin.yaml]", "a function"),
        ("validators: [plugin.yaml]", "a function"),
        ("generators: [other.yaml]", "the plugin Run of example.com/v1"),
        ("generators: [inflate.yaml]", "a chart"),
        ("transformers: ['apiVersion: example.com/v1\n\n  kind: Run\n\n']", "transformers"),
        ("generators: [inner]", "folder"),
        ("resources: [.]", "includes itself"),
        ("resources: [inner, ../app/inner, missing-folder]", "not in the repository"),
    ],
)
def test_a_kustomization_that_reaches_out_is_refused_before_anything_starts(kustomization: str, said: str) -> None:
    files = {
        "app/kustomization.yaml": f"namespace: shop\n{kustomization}\n",
        "app/plugin.yaml": PLUGIN,
        "app/other.yaml": "apiVersion: example.com/v1\nkind: Run\nmetadata: {name: x}\n",
        "app/inflate.yaml": "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\n",
        "app/inner/kustomization.yaml": "resources: []\n",
    }
    found = [each for each in notes(Bench(NO_PROGRAM).prepared(files)) if each.code == "render-refused"]
    assert found
    assert any(said in each.message for each in found)
    assert not [each for each in notes(Bench(NO_PROGRAM).prepared(files)) if each.code == "render-failed"]


def test_kustomizations_that_include_each_other_in_a_circle_are_refused() -> None:
    files = {"a/kustomization.yaml": "namespace: x\nresources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}
    found = {each.message for each in notes(Bench(NO_PROGRAM).prepared(files))}
    assert "includes itself" in found


def test_a_refusal_names_the_line(programs: Tools) -> None:
    files = {"app/kustomization.yaml": "namespace: shop\nresources:\n- web.yaml\n- https://host/base\n", "app/web.yaml": deployment("web")}
    (note,) = notes(Bench(programs).prepared(files))
    assert (note.code, note.path, note.line) == ("render-refused", "app/kustomization.yaml", 4)


@pytest.mark.parametrize(
    "dependency",
    ["https://charts.example.com", "oci://registry.example.com/charts", "file:///etc", "file://../../../etc", "@alias"],
)
def test_a_chart_with_a_dependency_that_is_not_here_is_refused_before_anything_starts(dependency: str) -> None:
    chart = CHART["chart/Chart.yaml"] + f"dependencies: [{{name: db, version: 1.0.0, repository: '{dependency}'}}]\n"
    (note,) = notes(Bench(NO_PROGRAM).prepared({"chart/Chart.yaml": chart, "chart/templates/x.yaml": "{{ .Values }}"}))
    assert (note.code, note.path, note.line) == ("render-refused", "chart/Chart.yaml", 4)
    assert "nothing is fetched" in note.message


@dataclasses.dataclass(frozen=True, slots=True)
class LinkedTree(MemoryTree):
    """A tree with one link."""

    link: str
    target: str

    def entries(self) -> list[Entry]:
        return [*MemoryTree.entries(self), Entry(self.link, EntryKind.LINK, 0, "", self.target)]


def test_a_link_in_a_chart_is_refused_and_never_followed() -> None:
    linked = LinkedTree(tree(CHART).files, "chart/templates/passwd.yaml", "/etc/passwd")
    prepared = prepare(linked, Bench(NO_PROGRAM).rendering, wanted, lambda *_: None)
    assert "which is not followed" in " ".join(each.message for each in notes(prepared) if each.code == "render-refused")


def test_a_link_that_a_kustomization_names_is_refused_and_never_followed(tmp_path: Path, programs: Tools) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "real.yaml").write_text(deployment("web"))
    (tmp_path / "app/web.yaml").symlink_to("../real.yaml")
    (tmp_path / "app/kustomization.yaml").write_text("namespace: shop\nresources: [web.yaml]\n")
    prepared = prepare(FolderTree(tmp_path), Bench(programs).rendering, wanted, lambda *_: None)
    assert "through a link" in " ".join(each.message for each in notes(prepared) if each.code == "render-refused")


@pytest.mark.parametrize("release", ["--post-renderer=/bin/sh", "-f/etc/passwd", "A", "x" * 54])
def test_a_release_that_is_no_name_never_reaches_the_command_line(release: str) -> None:
    application = f"""\
        apiVersion: argoproj.io/v1alpha1
        kind: Application
        metadata: {{name: a}}
        spec:
          source: {{repoURL: here, path: chart, helm: {{releaseName: "{release}"}}}}
          destination: {{namespace: shop}}
    """
    found = notes(Bench(NO_PROGRAM).prepared({**CHART, "apps/app.yaml": application}))
    assert [each.code for each in found if each.code.startswith("render-")] == ["render-refused"]


def test_a_repository_cannot_choose_what_is_run() -> None:
    with pytest.raises(Exception, match="not one of plain, kustomize, helm"):
        configured("units: [{path: app, renderer: ./evil.sh}]")
    with pytest.raises(ToolMissing):
        find_tools("", "/does/not/exist")


def test_a_chart_reads_nothing_outside_of_it(programs: Tools) -> None:
    template = deployment("probe").replace("app: probe", 'found: x{{ .Files.Get "../../../../../../etc/hostname" | len }}')
    (result,) = Bench(programs).prepared({**CHART, "chart/templates/x.yaml": template}).results
    assert result.manifests is not None
    assert "'found': 'x0'" in str(result.manifests[0].body)


def test_a_chart_cannot_ask_for_the_environment(programs: Tools) -> None:
    template = deployment("probe").replace("app: probe", 'found: {{ env "HOME" }}')
    assert [each.code for each in notes(Bench(programs).prepared({**CHART, "chart/templates/x.yaml": template}))] == ["render-failed"]


def test_nothing_of_the_environment_reaches_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWDELTA_GITHUB_TOKEN", "very-secret")
    said = run(("/usr/bin/env",), tmp_path, RenderLimits()).output.decode()
    assert f"HOME={tmp_path}/home" in said
    assert "FLOWDELTA" not in said


def test_a_template_without_end_is_stopped_at_the_deadline(programs: Tools) -> None:
    endless = "{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}\n"
    limits = RenderLimits(seconds=1.5)
    prepared = Bench(programs, limits=limits).prepared({**CHART, "chart/templates/x.yaml": endless})
    (note,) = notes(prepared)
    assert note.code == "render-timeout"
    assert "chart chart" in note.message


def test_a_template_that_burns_the_processor_is_stopped(programs: Tools) -> None:
    endless = "{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}\n"
    prepared = Bench(programs, limits=RenderLimits(cpu=1)).prepared({**CHART, "chart/templates/x.yaml": endless})
    assert [each.code for each in notes(prepared)] in (["render-timeout"], ["render-failed"])


def test_a_template_that_fills_memory_is_stopped(programs: Tools) -> None:
    bomb = '{{ $x := "0123456789" }}{{ range until 40 }}{{ $x = print $x $x }}{{ end }}{{ $x }}\n'
    prepared = Bench(programs, limits=RenderLimits(memory=2_000 * 2**20)).prepared({**CHART, "chart/templates/x.yaml": bomb})
    (note,) = notes(prepared)
    assert note.code == "render-failed"
    assert "memory" in note.message


def test_a_template_that_writes_without_end_is_stopped(programs: Tools) -> None:
    flood = 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\ndata:\n  x: {{ repeat 2000000 "0123456789" | quote }}\n'
    prepared = Bench(programs, limits=RenderLimits(file_bytes=2**20)).prepared({**CHART, "chart/templates/x.yaml": flood})
    (note,) = notes(prepared)
    assert note.code == "render-failed"
    assert "wrote more than" in note.message


def test_a_bomb_of_aliases_in_a_kustomization_is_told_and_nothing_starts() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = notes(Bench(NO_PROGRAM).prepared({"app/kustomization.yaml": bomb}))
    assert [each.code for each in found] == ["limit-exceeded"]


def test_everything_that_a_program_started_ends_at_the_deadline(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    pid = tmp_path / "pid"
    script = f"/bin/sleep 600 & echo $! > {pid}; wait"
    outcome = run(("/bin/sh", "-c", script), tmp_path / "work", RenderLimits(seconds=1))
    assert outcome.timed_out
    assert has_ended(int(pid.read_text()))


def has_ended(pid: int) -> bool:
    """Whether a process ends within half a minute: on a busy machine one that was killed may still have to be told."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 30)[0])
    finally:
        os.close(watched)


def test_a_program_has_an_empty_environment_no_network_and_no_git(tmp_path: Path) -> None:
    script = "echo path=$PATH home=$(ls -A $HOME | wc -l); command -v git || echo no git; ls /sys/class/net 2>/dev/null; cat /proc/net/dev"
    outcome = run(
        ("/bin/sh", "-c", script.replace("ls ", "/bin/ls ").replace("wc", "/usr/bin/wc").replace("cat ", "/bin/cat ")),
        tmp_path,
        RenderLimits(),
    )
    said = outcome.output.decode()
    assert "home=0" in said
    assert "no git" in said
    if not network_is_isolated():
        pytest.skip("this kernel permits no network namespace")
    assert "eth" not in said.partition("Inter-")[2]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become another user")
def test_a_program_of_root_runs_as_a_user_without_rights(open_folder: Path) -> None:
    secret, work = open_folder / "secret", open_folder / "work"
    secret.write_text("of root")
    secret.chmod(0o600)
    (work / "inner").mkdir(parents=True)
    script = f"/usr/bin/id -u; /usr/bin/id -G; echo own > inner/own; /bin/cat inner/own {secret} || echo refused"
    outcome = run(("/bin/sh", "-c", script), work, RenderLimits())
    assert outcome.output.decode().split() == ["65534", "65534", "own", "refused"]


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become another user")
def test_a_program_that_only_root_can_reach_still_runs(open_folder: Path) -> None:
    hidden = open_folder / "hidden"
    (hidden / "work").mkdir(parents=True)
    hidden.chmod(0o700)
    assert run(("/usr/bin/id", "-u"), hidden / "work", RenderLimits()).output == b"0\n"


@pytest.mark.parametrize("name", ["a\\0b", "\\ud800", "x" * 300, "web.yaml/inside"])
def test_a_name_that_no_file_can_have_is_told(programs: Tools, name: str) -> None:
    kustomization = f'namespace: x\nresources: [web.yaml]\nconfigMapGenerator: [{{name: c, files: ["{name}"]}}]\n'
    found = notes(Bench(programs).prepared({"app/kustomization.yaml": kustomization, "app/web.yaml": deployment("web")}))
    assert [each.code for each in found] in (["render-failed"], ["syntax-error"], ["render-refused"])


def test_the_private_copy_is_gone_afterwards(programs: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Bench(programs).prepared({"app/kustomization.yaml": "namespace: x\nresources: [w.yaml]\n", "app/w.yaml": deployment("w")})
    assert os.listdir(tmp_path) == []

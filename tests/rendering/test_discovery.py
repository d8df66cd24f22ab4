"""What is found without being told, and what configuration, Flux and Argo CD say of it."""

from __future__ import annotations

import pytest

from analyzers.configuration import AnalysisSettings, below
from analyzers.manifests.limits import Limits
from analyzers.manifests.listing import Listing
from analyzers.pipeline import ClusterError
from analyzers.rendering.inputs import read_inputs
from analyzers.rendering.stage import plan_of
from analyzers.rendering.tools import Tool, Tools
from analyzers.units.clusters import cluster_of
from analyzers.units.unit import Plan
from tests.rendering.repositories import Bench, codes, configured, deny, deployment, notes, objects, tree

TOOLS = Tools(Tool("/kustomize", ("build",), "k"), Tool("/helm", ("template",), "h"))

BASE = {"apps/base/kustomization.yaml": "resources: [web.yaml]\n", "apps/base/web.yaml": deployment("web")}
OVERLAYS = {
    **BASE,
    "apps/overlays/prod/kustomization.yaml": "namespace: shop\nresources: [../../base]\n",
    "apps/overlays/dev/kustomization.yaml": "namespace: shop\nresources: [../../base]\n",
}


def plan(files: dict[str, str], settings: AnalysisSettings | None = None, remote: str = "", tools: Tools = TOOLS) -> Plan:
    return plan_of(tree(files), Bench(tools, settings or AnalysisSettings(), remote).rendering)


def units(found: Plan) -> list[tuple[str, str, tuple[str | None, ...]]]:
    return [(str(unit.renderer), unit.path, unit.clusters) for unit in found.units]


@pytest.mark.parametrize(
    ("folder", "cluster"),
    [
        ("", None),
        ("apps/web", None),
        ("clusters/eu-1/apps", "eu-1"),
        ("apps/web/overlays/prod", "prod"),
        ("environments/blue/apps", "blue"),
        ("konflux-ui/production/base", "production"),
        ("clusters/eu/overlays/prod", "eu"),
        ("products/web", None),
    ],
)
def test_a_path_names_its_cluster_by_convention(folder: str, cluster: str | None) -> None:
    assert cluster_of(folder) == cluster


@pytest.mark.parametrize(
    ("path", "pattern", "is_below"),
    [
        ("apps/web/x.yaml", "apps", True),
        ("apps/web/x.yaml", "apps/web/x.yaml", True),
        ("apps-old/x.yaml", "apps", False),
        ("apps/web/x.yaml", "*/web", True),
        ("apps/web/x.yaml", "**/x.yaml", True),
        ("x.yaml", "**/x.yaml", True),
        ("apps/web/x.yaml", "apps/*.yaml", False),
        ("anything", "", True),
    ],
)
def test_patterns_name_folders_and_what_is_below(path: str, pattern: str, is_below: bool) -> None:
    assert below(path, pattern) is is_below


def test_overlays_are_found_each_in_its_cluster_and_the_base_is_not_a_unit() -> None:
    found = plan(OVERLAYS)
    assert units(found) == [("kustomize", "apps/overlays/dev", ("dev",)), ("kustomize", "apps/overlays/prod", ("prod",))]
    assert not any(found.files.values())


def test_two_clusters_are_never_read_as_one_without_a_word(programs: Tools) -> None:
    with pytest.raises(ClusterError, match=r"several clusters, .*: dev, prod"):
        Bench(programs).matrix(OVERLAYS)
    prepared = Bench(programs).prepared(OVERLAYS)
    assert prepared.clusters == ("dev", "prod")
    assert [each.title for each in prepared.source("dev").manifests] == ["Deployment shop/web"]


def test_what_names_no_cluster_belongs_to_the_only_one() -> None:
    files = {**BASE, "apps/overlays/prod/kustomization.yaml": "namespace: shop\nresources: [../../base]\n", "infra/x.yaml": deny()}
    found = plan(files)
    assert found.clusters == ("prod",)
    assert found.files == {"prod": frozenset({"infra/x.yaml"})}


def test_plain_files_stay_plain_beside_units() -> None:
    found = plan({**OVERLAYS, "other/x.yaml": deny(), "other/notes.txt": "x"})
    assert found.files[None] == {"other/x.yaml"}


def test_a_component_by_itself_is_no_unit() -> None:
    files = {"parts/a/kustomization.yaml": "kind: Component\npatches: [{path: p.yaml}]\n", "parts/a/p.yaml": deny()}
    found = plan(files)
    assert not found.units
    assert not any(found.files.values())


def test_kustomizations_of_flux_in_files_of_that_name_are_objects() -> None:
    text = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {path: ./apps/overlays/prod}\n"
    assert plan({**OVERLAYS, "clusters/eu/kustomization.yaml": text}).units[0].clusters == ("eu",)


FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./PATH
  sourceRef: {kind: GitRepository, name: flux-system}
"""


def flux(path: str, **fields: str) -> str:
    return FLUX.replace("PATH", path) + "".join(f"  {name}: {value}\n" for name, value in fields.items())


def test_flux_says_which_cluster_gets_an_overlay_and_where_everything_moves(programs: Tools) -> None:
    files = {**OVERLAYS, "clusters/eu/apps.yaml": flux("apps/overlays/prod", targetNamespace="eu-shop")}
    prepared = Bench(programs).prepared(files)
    of_flux = next(each for each in prepared.results if each.unit.path == "apps/overlays/prod")
    assert of_flux.unit.clusters == ("eu",)
    assert [each.title for each in of_flux.manifests or ()] == ["Deployment eu-shop/web"]
    (note,) = [each for each in prepared.diagnostics if each.code == "source-assumed"]
    assert (note.path, note.line) == ("clusters/eu/apps.yaml", 1)


def test_the_same_overlay_in_two_clusters_is_rendered_once() -> None:
    files = {**OVERLAYS, "clusters/eu/apps.yaml": flux("apps/overlays/prod"), "clusters/us/apps.yaml": flux("apps/overlays/prod")}
    found = [unit for unit in plan(files).units if unit.path == "apps/overlays/prod"]
    assert [unit.clusters for unit in found] == [("eu", "us")]


def test_flux_moves_plain_files_too_with_everything_below(programs: Tools) -> None:
    files = {
        "clusters/eu/apps.yaml": flux("plain", targetNamespace="shop"),
        "plain/web.yaml": deployment("web", "old"),
        "plain/inner/deny.yaml": deny(),
        "plain/over/kustomization.yaml": "resources: [db.yaml]\n",
        "plain/over/db.yaml": deployment("db"),
    }
    prepared = Bench(programs).prepared(files)
    assert objects(prepared) == {
        "Deployment shop/db": "plain/over/db.yaml:1",
        "Deployment shop/web": "plain/web.yaml:1",
        "NetworkPolicy shop/deny": "plain/inner/deny.yaml:1",
    }


def test_patches_of_a_flux_kustomization_apply(programs: Tools) -> None:
    patches = '[{target: {kind: Deployment}, patch: \'[{"op": "add", "path": "/spec/template/metadata/labels/app", "value": "other"}]\'}]'
    files = {**OVERLAYS, "clusters/eu/apps.yaml": flux("apps/overlays/prod", patches=patches)}
    report = Bench(programs).matrix({path: text for path, text in files.items() if "/dev/" not in path})
    assert [each["labels"] for each in report["endpoints"] if each["kind"] == "Deployment"] == [{"app": "other"}]


def test_substitution_after_the_build_is_a_gap() -> None:
    files = {**OVERLAYS, "clusters/eu/apps.yaml": flux("apps/overlays/prod", postBuild="{substitute: {a: b}}")}
    assert "needs-rendering" in [each.code for each in plan(files).diagnostics]


SOURCE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {url: "ssh://git@forge.example/owner/repo.git"}
"""


@pytest.mark.parametrize(
    "remote", ["https://forge.example/owner/repo", "git@forge.example:owner/repo.git", "https://u@forge.example/Owner/Repo/"]
)
def test_a_source_with_the_address_of_this_repository_is_followed_without_a_word(remote: str) -> None:
    files = {**OVERLAYS, "clusters/eu/apps.yaml": flux("apps/overlays/prod"), "clusters/eu/source.yaml": SOURCE}
    found = plan(files, remote=remote)
    assert "source-assumed" not in [each.code for each in found.diagnostics]
    assert not found.elsewhere


def test_a_source_with_another_address_is_elsewhere() -> None:
    files = {**OVERLAYS, "clusters/eu/apps.yaml": flux("apps/overlays/prod"), "clusters/eu/source.yaml": SOURCE}
    found = plan(files, remote="https://forge.example/owner/other")
    assert [each.title for each in found.elsewhere] == ["Kustomization apps"]
    assert ("kustomize", "apps/overlays/prod", ("prod",)) in units(found)


CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/templates/web.yaml": deployment("{{ .Values.name }}"),
}
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  chart: {spec: {chart: CHART, sourceRef: {kind: KIND, name: flux-system}}}
  values: {name: front}
"""


def test_a_release_of_flux_renders_a_chart_of_the_repository_with_its_values(programs: Tools) -> None:
    release = RELEASE.replace("CHART", "./charts/web").replace("KIND", "GitRepository")
    prepared = Bench(programs).prepared({**CHART, "clusters/eu/web.yaml": release})
    assert [each.title for result in prepared.results for each in result.manifests or ()] == ["Deployment shop/front"]
    assert prepared.results[0].unit.release == "web"


def test_a_release_of_a_chart_of_others_is_elsewhere_and_a_gap_only_when_it_differs(programs: Tools) -> None:
    release = RELEASE.replace("CHART", "nginx").replace("KIND", "HelmRepository")
    base = {**OVERLAYS, "apps/overlays/dev/kustomization.yaml": "kind: Component\n", "clusters/prod/web.yaml": release}
    same = Bench(programs).diff(base, base)
    assert "deployed-elsewhere" in {each["code"] for each in same["diagnostics"]}
    assert same["complete"]
    head = {**base, "clusters/prod/web.yaml": release.replace("name: front", "name: front, networkPolicy: {enabled: false}")}
    differing = Bench(programs).diff(base, head)
    assert not differing["complete"]
    assert "needs-rendering" in {each["code"] for each in differing["diagnostics"]}


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  source: {repoURL: "https://forge.example/owner/repo.git", path: PATH}
  destination: {DESTINATION, namespace: shop}
"""


def application(path: str, destination: str = "name: eu") -> str:
    return APPLICATION.replace("PATH", path).replace("DESTINATION", destination)


def test_an_application_gives_plain_files_a_namespace_and_a_cluster(programs: Tools) -> None:
    files = {**BASE, "argo/app.yaml": application("plain"), "plain/web.yaml": deployment("front"), "plain/deep/no.yaml": deployment("no")}
    prepared = Bench(programs).prepared(files)
    (result,) = [each for each in prepared.results if each.unit.path == "plain"]
    assert [each.title for each in result.manifests or ()] == ["Deployment shop/front"]
    assert result.unit.clusters == ("eu",)


@pytest.mark.parametrize(
    ("destination", "cluster"),
    [
        ("name: eu", "eu"),
        ("name: in-cluster", "prod"),
        ("server: https://kubernetes.default.svc", "prod"),
        ("server: https://k.example:6443", "k.example:6443"),
    ],
)
def test_an_application_says_its_cluster_unless_it_is_its_own(destination: str, cluster: str) -> None:
    files = {**OVERLAYS, "argo/app.yaml": application("apps/overlays/prod", destination)}
    (unit,) = [unit for unit in plan(files).units if unit.path == "apps/overlays/prod"]
    assert unit.clusters == (cluster,)
    assert unit.namespace == "shop"


def test_an_application_of_a_chart_has_its_release_values_and_parameters(programs: Tools) -> None:
    source = 'path: charts/web, helm: {parameters: [{name: name, value: "a"}], valuesObject: {name: b}}'
    text = application("x").replace("path: x", source)
    prepared = Bench(programs).prepared({**CHART, "argo/app.yaml": text})
    assert [each.title for result in prepared.results for each in result.manifests or ()] == ["Deployment shop/a"]


SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: all}
spec:
  generators: [GENERATOR]
  template:
    metadata: {name: 'NAME'}
    spec:
      source: {repoURL: "https://forge.example/owner/repo.git", path: 'PATH'}
      destination: {name: 'CLUSTER', namespace: shop}
"""


@pytest.mark.parametrize(
    ("generator", "path", "cluster"),
    [
        ("list: {elements: [{cluster: prod}, {cluster: dev}]}", "apps/overlays/{{cluster}}", "{{cluster}}"),
        ("list: {elements: [{cluster: prod}, {cluster: dev}]}", "apps/overlays/{{ .cluster }}", "{{ .cluster }}"),
        ("git: {repoURL: r, directories: [{path: apps/overlays/*}]}", "{{path}}", "{{path.basename}}"),
        ("git: {repoURL: r, directories: [{path: apps/*/*}]}", "{{ .path.path }}", "{{ .path.basename }}"),
    ],
)
def test_an_application_set_makes_its_applications(generator: str, path: str, cluster: str) -> None:
    text = SET.replace("GENERATOR", "{" + generator + "}").replace("NAME", cluster).replace("PATH", path).replace("CLUSTER", f"c-{cluster}")
    found = {unit.path: unit.clusters for unit in plan({**OVERLAYS, "argo/set.yaml": text}).units if "/overlays/" in unit.path}
    assert found == {"apps/overlays/dev": ("c-dev",), "apps/overlays/prod": ("c-prod",)}


def test_a_folder_that_a_generator_excludes_is_left_out() -> None:
    generator = "{git: {repoURL: r, directories: [{path: apps/overlays/*}, {path: apps/overlays/dev, exclude: true}]}}"
    text = SET.replace("GENERATOR", generator).replace("NAME", "n").replace("PATH", "{{path}}").replace("CLUSTER", "eu")
    found = plan({**OVERLAYS, "argo/set.yaml": text})
    assert [unit.path for unit in found.units if unit.clusters == ("eu",)] == ["apps/overlays/prod"]


@pytest.mark.parametrize("generator", ["{clusters: {}}", "{matrix: {generators: []}}", "{pullRequest: {}}"])
def test_a_generator_that_asks_others_is_a_gap(generator: str) -> None:
    text = SET.replace("GENERATOR", generator).replace("NAME", "n").replace("PATH", "{{path}}").replace("CLUSTER", "eu")
    assert "needs-rendering" in [each.code for each in plan({**OVERLAYS, "argo/set.yaml": text}).diagnostics]


def test_configuration_names_clusters_by_paths() -> None:
    settings = configured("clusters: {eu: {paths: [apps/overlays/prod]}, us: {paths: ['apps/overlays/*']}}")
    found = {unit.path: unit.clusters for unit in plan(OVERLAYS, settings).units}
    assert found == {"apps/overlays/dev": ("us",), "apps/overlays/prod": ("eu", "us")}


def test_configuration_ignores_paths_and_gives_namespaces() -> None:
    settings = configured("ignore: [apps/overlays/dev]\nnamespaces: [{path: infra, namespace: system}]")
    prepared = Bench(TOOLS, settings).prepared({"apps/overlays/dev/x.yaml": deny(), "infra/x.yaml": deny()})
    assert objects(prepared) == {"NetworkPolicy system/deny": "infra/x.yaml:1"}
    assert codes(prepared) == []


def test_settings_are_seen_from_a_folder() -> None:
    settings = configured(
        """\
        clusters: {eu: {paths: [k8s/eu, other]}, all: {paths: ["**"]}}
        units: [{path: k8s/app, renderer: helm, values: [k8s/values.yaml, outside.yaml]}, {path: elsewhere}]
        namespaces: [{path: k8s, namespace: shop}]
        ignore: ["k8s/*/old", docs]
        """
    ).below("k8s")
    assert [each.paths for each in settings.clusters] == [("eu",), ("**",)]
    assert [(each.path, each.values) for each in settings.units] == [("app", ("values.yaml",))]
    assert settings.namespaces == (("", "shop"),)
    assert settings.ignore == ("*/old",)


def test_a_kustomization_that_cannot_be_read_is_a_problem_of_its_own() -> None:
    broken = tree({"a/kustomization.yaml": "a: [\n"})
    inputs = read_inputs(broken, Listing(broken.entries()), Limits())
    assert [(each.code, each.path) for each in inputs.problems] == [("syntax-error", "a/kustomization.yaml")]


def test_a_templated_kustomization_says_that_it_is_one() -> None:
    assert [each.code for each in notes(Bench(TOOLS).prepared({"a/kustomization.yaml": "namespace: {{ .x }}\n"}))] == ["needs-rendering"]

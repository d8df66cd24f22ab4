"""What Flux and Argo CD deploy is followed: in a tree of plain files, and from what a unit makes to what that deploys in turn."""

from __future__ import annotations

import pytest

from analyzers.pipeline import Options, plan
from analyzers.rendering.source import Prepared
from analyzers.rendering.tools import Tools
from tests.rendering.repositories import Bench, codes, deployment, notes, tree
from tests.rendering.test_discovery import OVERLAYS, application, flux

PLAIN = {"plain/web.yaml": deployment("web"), "other/db.yaml": deployment("db", "data")}
CHART = {"apps/Chart.yaml": "apiVersion: v2\nname: apps\nversion: 1.0.0\n"}


def ids(report: dict[str, list[dict[str, str]]]) -> list[str]:
    return sorted(each["id"] for each in report["endpoints"] if each["kind"] == "Deployment")


def deployed(prepared: Prepared) -> dict[str, tuple[str | None, ...]]:
    """Every object of every unit, with the clusters that it is in."""
    return {each.title: result.unit.clusters for result in prepared.results for each in result.manifests or ()}


def test_an_application_is_followed_where_no_file_asks_for_a_renderer() -> None:
    report = Bench(Tools()).matrix({**PLAIN, "argo/app.yaml": application("plain")})
    assert ids(report) == ["data/db[Deployment]", "shop/web[Deployment]"]
    assert report["cluster"] == "eu"


def test_units_tells_what_the_analysis_does() -> None:
    options = Options(rendering=Bench(Tools()).rendering)
    assert plan(tree({"dev/a.yaml": deployment("a"), "prod/a.yaml": deployment("b")}), options).clusters == (None,)
    found = plan(tree({**PLAIN, "argo/app.yaml": application("plain")}), options)
    assert [(unit.path, unit.clusters, unit.namespace) for unit in found.units] == [("plain", ("eu",), "shop")]


@pytest.mark.parametrize(
    ("folder", "others", "clusters"),
    [
        ("dev", (), (None,)),
        ("envs/dev", (), (None,)),
        ("clusters/dev", (), ("dev",)),
        ("clusters/us", ("clusters/eu",), (None, "eu", "us")),
    ],
)
def test_in_a_tree_of_plain_files_only_folders_of_clusters_name_one(
    folder: str, others: tuple[str, ...], clusters: tuple[str | None, ...]
) -> None:
    files = {f"{each}/x.yaml": deployment(f"x{number}", "data") for number, each in enumerate((folder, "prod", *others))}
    found = plan(tree({"argo/app.yaml": application(folder, "name: in-cluster"), **files}), Options(rendering=Bench(Tools()).rendering))
    assert found.clusters == clusters


def test_what_flux_deploys_from_elsewhere_is_told_in_a_tree_of_plain_files() -> None:
    report = Bench(Tools()).matrix({**PLAIN, "clusters/eu/apps.yaml": flux("nowhere")})
    assert "deployed-elsewhere" in {each["code"] for each in report["diagnostics"]}


@pytest.mark.parametrize("kind", ["Application", "Rollout"])
def test_an_object_that_deploys_is_no_object_of_the_analysis(kind: str) -> None:
    text = application("plain").replace("kind: Application", f"kind: {kind}").replace("{name: shop}", "{name: shop, namespace: argo}")
    report = Bench(Tools()).matrix({**PLAIN, "argo/app.yaml": text})
    assert len(ids(report)) == 2


def test_a_chart_of_applications_is_followed_to_what_they_deploy(programs: Tools) -> None:
    template = application("{{ .Values.path }}").replace("name: shop", "name: {{ .Release.Name }}-shop")
    files = {**PLAIN, **CHART, "apps/values.yaml": "path: plain\n", "apps/templates/shop.yaml": template}
    prepared = Bench(programs).prepared(files)
    assert deployed(prepared) == {"Deployment shop/web": ("eu",)}
    (unit,) = [each.unit for each in prepared.results if each.unit.path == "plain"]
    assert (str(unit.place), unit.why) == ("apps/templates/shop.yaml:1", "Application apps-shop deploys it")
    assert ids(Bench(programs).matrix(files)) == ["data/db[Deployment]", "shop/web[Deployment]"]


def test_a_line_of_output_is_never_told_of_what_a_unit_deploys(programs: Tools) -> None:
    many = f"{application('plain')}---\n{application('plain')}".replace(
        "metadata: {name: shop}", "metadata:\n  name: {{ .Values.name }}", 1
    )
    files = {**PLAIN, **CHART, "apps/values.yaml": "name: other\n", "apps/templates/shop.yaml": many}
    found = [each for each in notes(Bench(programs).prepared(files)) if each.code == "source-assumed"]
    assert {(each.path, each.line) for each in found} <= {("apps/templates/shop.yaml", None), ("apps/templates/shop.yaml", 9)}
    assert found


def test_a_kustomization_says_what_flux_deploys_not_the_file_that_it_patches(programs: Tools) -> None:
    patch = '[{target: {kind: Kustomization}, patch: \'[{"op": "replace", "path": "/spec/path", "value": "./apps/overlays/prod"}]\'}]'
    files = {
        **OVERLAYS,
        "flux/base/kustomization.yaml": "resources: [apps.yaml]\n",
        "flux/base/apps.yaml": flux("apps/base", targetNamespace="flux-shop"),
        "clusters/eu/kustomization.yaml": f"resources: [../../flux/base]\npatches: {patch}\n",
    }
    found = {each.unit.path: each.unit for each in Bench(programs).prepared(files).results}
    assert (found["apps/overlays/prod"].clusters, found["apps/overlays/prod"].moved_to) == (("eu",), "flux-shop")
    assert "apps/base" not in found


def test_applications_are_followed_through_applications(programs: Tools) -> None:
    files = {
        **CHART,
        **{f"inner/{name.partition('/')[2]}": text.replace("name: apps", "name: inner") for name, text in CHART.items()},
        "apps/templates/inner.yaml": application("inner"),
        "inner/templates/plain.yaml": application("plain", "name: {{ .Values.cluster }}"),
        "inner/values.yaml": "cluster: us\n",
        **PLAIN,
    }
    assert deployed(Bench(programs).prepared(files)) == {"Deployment shop/web": ("us",)}


def test_applications_that_never_come_to_an_end_are_cut_and_told(programs: Tools) -> None:
    template = application("apps").replace("name: shop", "name: x{{ .Release.Name }}", 1)
    prepared = Bench(programs).prepared({**CHART, "apps/templates/self.yaml": template, "apps/templates/web.yaml": deployment("web")})
    assert "limit-exceeded" in codes(prepared)


def test_an_application_that_deploys_itself_comes_to_rest(programs: Tools) -> None:
    files = {
        **CHART,
        "apps/templates/self.yaml": application("apps"),
        "apps/templates/web.yaml": deployment("web", "{{ .Release.Namespace }}"),
    }
    prepared = Bench(programs).prepared(files)
    assert deployed(prepared) == {"Deployment shop/web": ("eu",)}
    assert "limit-exceeded" not in codes(prepared)


SAME = {f"{folder}/web.yaml": deployment("web", "shop") for folder in ("clusters/eu", "clusters/us")}


@pytest.mark.parametrize(
    ("files", "clusters"),
    [
        (SAME, ("eu", "us")),
        ({f"{folder}/web.yaml": deployment("web", "shop") for folder in ("dev/apps", "prod/apps")}, ("dev", "prod")),
        ({**SAME, "base/db.yaml": deployment("db", "data")}, (None, "eu", "us")),
        ({"clusters/eu/web.yaml": deployment("web", "shop"), "clusters/us/web.yaml": deployment("db", "shop")}, (None,)),
        ({"clusters/eu/web.yaml": deployment("web", "shop"), "clusters/eu/again.yaml": deployment("web", "shop")}, (None,)),
        ({"clusters/eu/web.yaml": deployment("web"), "clusters/us/web.yaml": deployment("web")}, (None,)),
        ({f"{each}/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n" for each in ("dev", "prod")}, (None,)),
        ({"teams/a/web.yaml": deployment("web", "shop"), "teams/b/web.yaml": deployment("web", "shop")}, (None,)),
    ],
)
def test_the_names_of_folders_divide_plain_files_only_where_they_cannot_be_one(
    files: dict[str, str], clusters: tuple[str | None, ...]
) -> None:
    assert plan(tree(files), Options(rendering=Bench(Tools()).rendering)).clusters == clusters

"""Kustomizations, rendered by the real program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analyzers.manifests.folder import FolderTree
from analyzers.pipeline import Options, Revision, diff
from analyzers.rendering.tools import Tools
from tests.conftest import SHARED
from tests.rendering.repositories import Bench, codes, deny, deployment, notes, objects

OVERLAY = {
    "base/kustomization.yaml": "resources: [web.yaml, deny.yaml]\n",
    "base/web.yaml": deployment("web"),
    "base/deny.yaml": "# kept apart\n" + deny(),
    "over/kustomization.yaml": "namespace: shop\nnamePrefix: my-\nresources: [../base]\n",
}


def test_objects_of_an_overlay_have_its_names_and_lead_back_to_their_files(programs: Tools) -> None:
    prepared = Bench(programs).prepared(OVERLAY)
    assert objects(prepared) == {"Deployment shop/my-web": "base/web.yaml:1", "NetworkPolicy shop/my-deny": "base/deny.yaml:2"}
    assert codes(prepared) == []


def test_a_base_and_its_overlay_are_counted_once(programs: Tools) -> None:
    report = Bench(programs).matrix(OVERLAY)
    assert [each["id"] for each in report["endpoints"] if each["kind"] == "Deployment"] == ["shop/my-web[Deployment]"]
    assert report["complete"]


def test_fields_keep_their_lines_and_what_the_overlay_adds_has_none(programs: Tools) -> None:
    patched = {
        **OVERLAY,
        "over/kustomization.yaml": "namespace: shop\nresources: [../base]\npatches: [{path: patch.yaml}]\n",
        "over/patch.yaml": deny() + "  policyTypes: [Egress]\n",
    }
    head = {**patched, "base/deny.yaml": deny().replace("podSelector: {}", "podSelector: {matchLabels: {app: other}}")}
    cause = Bench(programs).diff(patched, head)["groups"][0]["causes"][0]["undo"][0]
    assert (cause["path"], cause["line"], cause["side"]) == ("base/deny.yaml", 6, "head")
    added = {**patched, "over/patch.yaml": patched["over/patch.yaml"] + "  egress: [{to: [{podSelector: {}}]}]\n"}
    cause = Bench(programs).diff(patched, added)["policies"][0]
    assert (cause["path"], cause["line"]) == ("base/deny.yaml", None)


def test_patches_are_never_read_as_policies(programs: Tools) -> None:
    files = {
        **OVERLAY,
        "over/kustomization.yaml": "namespace: shop\nresources: [../base]\npatches: [{path: gone.yaml}]\n",
        "over/gone.yaml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\n$patch: delete\n",
    }
    prepared = Bench(programs).prepared(files)
    assert list(objects(prepared)) == ["Deployment shop/web"]
    assert codes(prepared) == []


def test_policies_that_land_in_a_fourth_namespace_change_nothing_in_the_three_they_name(programs: Tools) -> None:
    base = {f"apps/{name}.yaml": deployment("web", name) for name in ("one", "two", "three", "four")}
    policies = {f"policies/{name}.yaml": deny(f"deny-{name}", name) for name in ("one", "two", "three")}
    kustomization = "namespace: four\nresources: [one.yaml, two.yaml, three.yaml]\n"
    report = Bench(programs).diff(base, {**base, **policies, "policies/kustomization.yaml": kustomization})
    assert {change["destination"] for change in report["changes"]} == {"four/web[Deployment]"}
    (note,) = [each for each in report["diagnostics"] if each["code"] == "namespace-moved"]
    assert "into four" in note["message"]
    for name in ("one", "two", "three"):
        assert f"NetworkPolicy {name}/deny-{name} (policies/{name}.yaml:1)" in note["message"]
    assert (note["path"], note["line"]) == ("policies/kustomization.yaml", 1)


def test_a_policy_that_a_kustomization_no_longer_names_is_gone(programs: Tools) -> None:
    base = {**OVERLAY, "over/kustomization.yaml": "resources: [../base]\n"}
    head = {**base, "base/kustomization.yaml": "resources: [web.yaml]\n"}
    report = Bench(programs).diff(base, head)
    assert report["summary"]["opened"] > 0
    (note,) = [each for each in report["diagnostics"] if each["code"] == "not-included"]
    assert "deny.yaml" in note["message"]


def test_a_missing_namespace_is_told_and_the_analysis_is_incomplete(programs: Tools) -> None:
    files = {**OVERLAY, "over/kustomization.yaml": "namePrefix: my-\nresources: [../base]\n"}
    report = Bench(programs).matrix(files)
    (note,) = [each for each in report["diagnostics"] if each["code"] == "missing-namespace"]
    assert "kustomization over" in note["message"]
    assert not report["complete"]


def test_without_the_program_files_are_read_as_written_and_the_units_are_named() -> None:
    report = Bench(Tools()).matrix(OVERLAY)
    (note,) = [each for each in report["diagnostics"] if each["code"] == "renderer-missing"]
    assert "kustomization over" in note["message"]
    assert [each["id"] for each in report["endpoints"] if each["kind"] == "Deployment"] == ["default/web[Deployment]"]
    assert not report["complete"]


def test_a_kustomization_that_only_gathers_needs_no_program() -> None:
    files = {**OVERLAY, "over/kustomization.yaml": "resources: [../base]\n"}
    report = Bench(Tools()).matrix(files)
    assert report["complete"]
    assert [each["id"] for each in report["endpoints"] if each["kind"] == "Deployment"] == ["default/web[Deployment]"]


def test_a_unit_that_fails_in_head_leaves_the_rest_analysed_and_tells_no_flows_of_its_own(programs: Tools) -> None:
    base = {**OVERLAY, "apps/db.yaml": deployment("db", "data"), "apps/deny.yaml": deny("deny", "data")}
    head = {**base, "base/web.yaml": "apiVersion: v1\nkind: Deployment\n", "apps/deny.yaml": deny("deny", "elsewhere")}
    report = Bench(programs).diff(base, head)
    (note,) = [each for each in report["diagnostics"] if each["code"] == "render-failed"]
    assert "kustomization over" in note["message"]
    assert (note["path"], note["side"]) == ("over/kustomization.yaml", "head")
    assert {change["destination"] for change in report["changes"]} == {"data/db[Deployment]"}
    assert not report["complete"]


def test_a_file_that_is_not_in_the_repository_is_told_and_the_rest_is_rendered(programs: Tools) -> None:
    prepared = Bench(programs).prepared({**OVERLAY, "base/kustomization.yaml": "resources: [web.yaml, deny.yaml, secret.yaml]\n"})
    assert list(objects(prepared)) == ["Deployment shop/my-web", "NetworkPolicy shop/my-deny"]
    (note,) = notes(prepared)
    assert (note.code, note.path, note.line) == ("needs-rendering", "base/kustomization.yaml", 1)


def test_the_same_unit_is_rendered_once_for_both_sides(programs: Tools) -> None:
    class Counted:
        kept = 0

        def recall_output(self, name: str) -> bytes | None:
            return None

        def keep_output(self, name: str, content: bytes) -> None:
            self.kept += 1

    counted = Counted()
    other = {"apps/db.yaml": deployment("db", "data")}
    assert Bench(programs, outputs=counted).diff(OVERLAY, {**OVERLAY, **other})["complete"]
    assert counted.kept == 1


def test_a_repository_without_kustomizations_and_charts_passes_through_as_it_is(programs: Tools) -> None:
    files = {
        "apps/db.yaml": deployment("db", "data"),
        "prod/x.yaml": deny(),
        "staging/app.yaml": "kind: Application\napiVersion: argoproj.io/v1\n",
    }
    assert Bench(programs).prepared(files).passed


def test_one_character_closes_exactly_one_flow_of_a_real_repository(programs: Tools) -> None:
    if SHARED not in os.environ:
        pytest.skip(f"{SHARED} is not set")
    place = Path(os.environ[SHARED]) / "corpora" / "namespace-lister"
    options = Options(rendering=Bench(programs).rendering)
    base, head = (FolderTree(place / side) for side in ("base", "head"))
    report = diff(base, head, options, base_revision=Revision("base"), head_revision=Revision("head"))
    (pair,) = report.pairs()
    assert (pair.source, pair.destination) == ("konflux-ui/dex[Deployment]", "namespace-lister/namespace-lister[Deployment]")
    assert report.complete

"""Charts, rendered by the real program."""

from __future__ import annotations

from analyzers.rendering.tools import Tools
from tests.rendering.repositories import Bench, codes, configured, deny, deployment, notes, objects

CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "chart/values.yaml": "isolated: false\n",
    "chart/templates/web.yaml": "# the shop\n" + deployment("web").replace("name: web", "name: {{ .Release.Name }}-web", 1),
    "chart/templates/deny.yaml": "{{- if .Values.isolated }}\n" + deny() + "{{- end }}\n",
}
NAMED = configured("units: [{path: chart, renderer: helm, namespace: shop}]")


def test_a_chart_is_rendered_with_its_own_values_and_leads_back_to_its_templates(programs: Tools) -> None:
    prepared = Bench(programs, NAMED).prepared(CHART)
    assert objects(prepared) == {"Deployment shop/shop-web": "chart/templates/web.yaml:2"}
    assert codes(prepared) == []


def test_a_chart_without_a_namespace_says_so(programs: Tools) -> None:
    (note,) = notes(Bench(programs).prepared(CHART))
    assert note.code == "missing-namespace"
    assert "chart chart" in note.message


def test_values_that_a_change_turns_over_change_flows(programs: Tools) -> None:
    base = {**CHART, "chart/values.yaml": "isolated: true\n"}
    report = Bench(programs, NAMED).diff(base, CHART)
    assert report["summary"]["opened"] > 0
    cause = report["groups"][0]["causes"][0]["undo"][0]
    assert (cause["object"], cause["path"], cause["line"]) == ("NetworkPolicy shop/deny", "chart/templates/deny.yaml", 2)


def test_each_environment_with_values_of_its_own_is_a_cluster(programs: Tools) -> None:
    prepared = Bench(programs).prepared({**CHART, "chart/values-prod.yaml": "isolated: true\n", "chart/values-staging.yaml": "{}\n"})
    assert prepared.clusters == ("prod", "staging")
    titles = {cluster: [each.kind for each in prepared.source(cluster).manifests] for cluster in prepared.clusters}
    assert sorted(titles["prod"]) == ["Deployment", "NetworkPolicy"]
    assert titles["staging"] == ["Deployment"]
    (note,) = [each for each in prepared.diagnostics if each.code == "clusters-by-convention"]
    assert note.message.endswith(": prod, staging")


def test_values_and_release_of_the_configuration_are_used(programs: Tools) -> None:
    text = "units: [{path: chart, renderer: helm, namespace: shop, release: mine, values: [envs/isolated.yaml]}]"
    prepared = Bench(programs, configured(text)).prepared({**CHART, "envs/isolated.yaml": "isolated: true\n"})
    assert list(objects(prepared)) == ["NetworkPolicy shop/deny", "Deployment shop/mine-web"]


def test_a_values_file_that_is_not_here_is_refused(programs: Tools) -> None:
    text = "units: [{path: chart, renderer: helm, namespace: shop, values: [none.yaml]}]"
    (note,) = notes(Bench(programs, configured(text)).prepared(CHART))
    assert (note.code, note.path, note.line) == ("render-refused", ".flowdelta.yaml", 2)


def test_a_chart_of_the_repository_that_another_depends_on_is_put_in_its_place(programs: Tools) -> None:
    files = {
        **CHART,
        "chart/Chart.yaml": CHART["chart/Chart.yaml"] + "dependencies: [{name: db, version: 1.0.0, repository: 'file://../db'}]\n",
        "db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
        "db/templates/db.yaml": deployment("db"),
    }
    prepared = Bench(programs, NAMED).prepared(files)
    assert objects(prepared) == {"Deployment shop/db": "db/templates/db.yaml:1", "Deployment shop/shop-web": "chart/templates/web.yaml:2"}


def test_a_library_and_what_stands_in_another_chart_are_no_units(programs: Tools) -> None:
    files = {
        **CHART,
        "chart/charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
        "chart/charts/db/templates/db.yaml": deployment("db"),
        "lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
    }
    prepared = Bench(programs, NAMED).prepared(files)
    assert len(prepared.results) == 1
    assert objects(prepared)["Deployment shop/db"] == "chart/charts/db/templates/db.yaml:1"


def test_a_chart_that_does_not_render_is_told_and_the_rest_is_analysed(programs: Tools) -> None:
    files = {**CHART, "chart/templates/web.yaml": '{{ fail "no" }}', "apps/db.yaml": deployment("db", "data")}
    report = Bench(programs, NAMED).matrix(files)
    (note,) = [each for each in report["diagnostics"] if each["code"] == "render-failed"]
    assert "chart chart" in note["message"]
    assert [each["id"] for each in report["endpoints"] if each["kind"] == "Deployment"] == ["data/db[Deployment]"]
    assert not report["complete"]


def test_without_the_program_a_chart_is_told_as_before() -> None:
    report = Bench(Tools()).matrix({**CHART, "apps/db.yaml": deployment("db", "data")})
    assert {"needs-rendering", "renderer-missing"} <= {each["code"] for each in report["diagnostics"]}
    assert not report["complete"]


def test_tests_of_a_chart_are_no_workloads(programs: Tools) -> None:
    test = "apiVersion: v1\nkind: Pod\nmetadata: {name: test, annotations: {helm.sh/hook: test}}\nspec: {containers: []}\n"
    assert len(objects(Bench(programs, NAMED).prepared({**CHART, "chart/templates/tests/test.yaml": test}))) == 1

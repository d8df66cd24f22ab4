"""Charts, templates and kustomizations: what must be rendered is told once, and what needs no rendering is read."""

from __future__ import annotations

import pytest

from tests.analyzers.manifests.trees import load_files, load_text, only, policy, titles, told

TEMPLATE = "{{- if .Values.enabled }}\n" + policy("x") + "{{- end }}\n"


def test_a_templated_file_is_one_diagnostic_at_its_first_expression() -> None:
    loaded = load_text("# a template\na: 1\nb: {{ .Values.b }}\n---\n{{ include }}\n---\nc: {{ .Values.c | quote }}\n")
    diagnostic = only(loaded)
    assert (diagnostic.code, diagnostic.path, diagnostic.line) == ("needs-rendering", "a.yaml", 3)
    assert diagnostic.message == ".: 1 templated file needs rendering; first is a.yaml"


def test_templated_files_are_told_once_for_each_folder() -> None:
    loaded = load_files({"x/b.yaml": "{% for %}", "x/a.yaml": "a: b\n{{ if }}", "y/c.yaml": "- {{ x }", "x/ok.yaml": policy("kept")})
    assert told(loaded) == [("needs-rendering", "x/a.yaml", 2), ("needs-rendering", "y/c.yaml", 1)]
    assert loaded.diagnostics[0].message == "x: 2 templated files need rendering; first is a.yaml"
    assert titles(loaded) == ["NetworkPolicy kept"]


def test_documents_without_template_syntax_are_read_beside_those_with_it() -> None:
    loaded = load_text(policy("a") + "---\n" + TEMPLATE + "---\n" + policy("b") + "---\na: [\n")
    assert titles(loaded) == ["NetworkPolicy a", "NetworkPolicy b"]
    assert told(loaded) == [("needs-rendering", "a.yaml", 7), ("syntax-error", "a.yaml", 22)]


@pytest.mark.parametrize("text", ["{{ x }}", "name: {{ x }}", "apiVersion: v1\nkind: {{ kind }}\n", policy("{{ x }}"), "{{ x }}: 1"])
def test_an_expression_that_happens_to_be_yaml_is_a_template(text: str) -> None:
    loaded = load_text(text)
    assert [code for code, _, _ in told(loaded)] == ["needs-rendering"]
    assert loaded.found == ()


def test_braces_in_text_make_no_template() -> None:
    loaded = load_text(policy("x") + "  # {{ x }}\nnote: 'pods {{ $labels.pod }}'\n")
    assert titles(loaded) == ["NetworkPolicy x"]
    assert loaded.diagnostics == ()


def test_an_expression_in_an_unwanted_kind_says_nothing() -> None:
    assert load_text("apiVersion: v1\nkind: ConfigMap\ndata: {{ x }}\n").diagnostics == ()


CHART = {
    "charts/foo/Chart.yaml": "apiVersion: v2\nname: foo\n",
    "charts/foo/values.yaml": "replicas: 1\n",
    "charts/foo/crds/crd.yaml": policy("crd"),
    "charts/foo/templates/b.yaml": policy("b"),
    "charts/foo/templates/a/a.yaml": policy("plain") + "x: {{ y }}\n",
    "charts/foo/templates/_helpers.tpl": "{{ define }}",
    "charts/foo/templates/NOTES.txt": "{{ x }}",
}


def test_whatever_a_chart_has_under_templates_needs_rendering() -> None:
    loaded = load_files(CHART)
    assert titles(loaded) == ["NetworkPolicy crd"]
    assert [(each.code, each.path, each.line, each.message) for each in loaded.diagnostics] == [
        (
            *("needs-rendering", "charts/foo/templates/a/a.yaml", 6),
            "charts/foo: 2 templated files need rendering; first is templates/a/a.yaml",
        )
    ]


def test_a_chart_counts_its_other_templated_files_too() -> None:
    loaded = load_files({**CHART, "charts/foo/ci/values.yaml": "a: {{ b }\n"})
    assert [each.message for each in loaded.diagnostics] == ["charts/foo: 3 templated files need rendering; first is ci/values.yaml"]


def test_charts_within_charts_are_told_apart() -> None:
    inner = {f"charts/foo/{path}": text for path, text in CHART.items()}
    loaded = load_files({**CHART, **inner})
    assert [each.path for each in loaded.diagnostics] == [
        *("charts/foo/charts/foo/templates/a/a.yaml", "charts/foo/templates/a/a.yaml"),
    ]


def test_a_chart_at_the_root_is_a_chart() -> None:
    loaded = load_files({"Chart.yaml": "name: x", "templates/a.yaml": policy("x"), "other/templates/b.yaml": policy("kept")})
    assert titles(loaded) == ["NetworkPolicy kept"]
    assert only(loaded).message == ".: 1 templated file needs rendering; first is templates/a.yaml"


def test_templates_without_a_chart_are_read() -> None:
    assert titles(load_files({"templates/a.yaml": policy("a"), "x/Chart.yml": ""})) == ["NetworkPolicy a"]


def kustomized(text: str, **files: str) -> list[tuple[str, str | None, int | None]]:
    return told(load_files({"k/kustomization.yaml": text, "k/a.yaml": policy("a"), **files}))


@pytest.mark.parametrize(
    "text",
    [
        "resources: [a.yaml]\n",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: x}\nresources:\n- ./a.yaml\n- ../k\n- .\n",
        "resources: [a.yaml]\nimages: [{name: x, newTag: y}]\nreplicas: [{name: x, count: 2}]\nconfigMapGenerator: [{name: c}]\n",
        "resources: [a.yaml]\npatches: []\nnamespace: ''\nlabels:\ncommonLabels: {}\n",
        "",
    ],
)
def test_a_kustomization_that_only_gathers_changes_nothing(text: str) -> None:
    assert kustomized(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "resources: [a.yaml]\nnamespace: shop\n",
        "resources: [a.yaml]\nnamePrefix: x-\n",
        "resources: [a.yaml]\npatches: [{patch: x}]\n",
        "resources: [a.yaml]\ncommonLabels: {a: b}\n",
        "resources: [a.yaml]\nhelmCharts: [{name: x}]\n",
        "resources: [a.yaml]\nsomethingNew: 1\n",
        "resources:\n- https://example.com/x.yaml\n",
        "resources:\n- github.com/org/repo//deploy?ref=v1\n",
        "resources:\n- missing.yaml\n",
        "resources:\n- ../../outside.yaml\n",
        "bases:\n- /etc\n",
        "components:\n- ../nowhere\n",
    ],
)
def test_a_kustomization_that_does_more_is_a_gap(text: str) -> None:
    assert kustomized(text) == [("needs-rendering", "k/kustomization.yaml", 2)]


def test_the_gap_names_what_is_not_applied() -> None:
    diagnostic = only(load_files({"kustomization.yml": "namespace: x\npatches: [{patch: x}]\nresources: [a.yaml, b.txt]\n", "b.txt": ""}))
    told_of = "apply namespace, patches and add what is not in the tree: a.yaml, b.txt"
    assert diagnostic.message == f"kustomize would {told_of}; the files are read as written"
    many = only(load_files({"Kustomization": "".join(f"field{n}: 1\n" for n in range(12))}))
    assert "field7 and 4 more" in many.message


def test_patch_files_are_no_objects_of_their_own() -> None:
    files = {
        "base/a.yaml": policy("a"),
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "over/kustomization.yaml": (
            "resources: [../base]\npatches: [{path: p.yaml}, {path: ../base/a.yaml}]\n"
            "patchesStrategicMerge:\n- s.yaml\n- |\n  kind: Pod\npatchesJson6902:\n- {path: j.yaml}\n"
        ),
        "over/p.yaml": policy("a"),
        "over/s.yaml": policy("a"),
        "over/j.yaml": "- {op: add}\n",
        "over/q.yaml": policy("q"),
    }
    loaded = load_files(files)
    assert [str(found.location) for found in loaded.found] == ["base/a.yaml:1", "over/q.yaml:1"]
    assert told(loaded) == [("needs-rendering", "over/kustomization.yaml", 2)]


def test_objects_beside_a_kustomization_in_one_file_are_read() -> None:
    loaded = load_files({"kustomization.yaml": "resources: []\n---\n" + policy("stowaway")})
    assert titles(loaded) == ["NetworkPolicy stowaway"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("a: [\n", "syntax-error"), ("a: 1\na: 2\n", "duplicate-key"), ("a: {{ x }\n", "needs-rendering"), ("[" * 99, "limit-exceeded")],
)
@pytest.mark.parametrize("name", ["kustomization.yaml", "Kustomization"])
def test_a_broken_kustomization_is_told_once(name: str, text: str, code: str) -> None:
    assert [found for found, _, _ in told(load_files({name: text}))] == [code]


def test_a_kustomization_of_flux_is_an_object_like_any_other() -> None:
    text = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\nspec: {targetNamespace: y}\n"
    assert load_files({"flux.yaml": text}).diagnostics == ()

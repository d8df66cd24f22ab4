"""The configuration of a repository: every section by field and line, and the schema that editors use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from analyzers.configuration import ClusterSettings, UnitSettings
from analyzers.impact.assessment.severity import DEFAULT_RULES, Level, Mark, Rule
from analyzers.manifests.folder import FolderTree
from analyzers.pipeline import Options
from service.analysis.preparing import prepared
from service.configuration import Configuration, ConfigurationError, read_configuration
from tests.conftest import ROOT
from tests.service.signoff.test_reading import EXAMPLE as GUARDRAILS

SCHEMA = json.loads((ROOT / "docs" / "flowdelta.schema.json").read_text(encoding="utf-8"))
EXAMPLE = (ROOT / "docs" / "flowdelta.example.yaml").read_text(encoding="utf-8")

GOOD = [
    EXAMPLE,
    GUARDRAILS,
    "version: 1\n",
    "version: 1\nunits: [{path: .}]\n",
    "version: 1\nunits: [{path: a, cluster: eu}]\n",
    "version: 1\nignore: [a, 'b/**']\n",
    "version: 1\nseverity: {}\n",
    "version: 1\nseverity: {levels: [], environments: [example.com/env], from: {zone: dmz}}\n",
    "version: 1\nseverity: {ports: [{name: SQL Server 2, port: 14, endPort: 15, protocol: UDP}], metadata: ['fd00::1', 10.0.0.0/24]}\n",
    "version: 1\nkinds: {workloads: [{kind: Runner}]}\n",
]
BAD = [
    (1, "version: 2\n", "must be 1"),
    (2, "version: 1\nunit: []\n", "no such field"),
    (2, "version: 1\nclusters: {eu: {}}\n", "must have paths"),
    (2, "version: 1\nclusters: {eu: {paths: []}}\n", "must have paths"),
    (2, "version: 1\nclusters: {'a b': {paths: [x]}}\n", "no name of a cluster"),
    (3, "version: 1\nclusters:\n  eu: {paths: [x], color: red}\n", "no such field"),
    (2, "version: 1\nclusters: {eu: {paths: [/etc]}}\n", "not a path"),
    (2, "version: 1\nclusters: {eu: {paths: [x], pod_cidrs: [office]}}\n", "not a CIDR"),
    (2, "version: 1\nunits: {path: a}\n", "must be a list"),
    (2, "version: 1\nunits: [{renderer: helm}]\n", "is required"),
    (2, "version: 1\nunits: [{path: a, renderer: ./run.sh}]\n", "not one of plain, kustomize, helm"),
    (2, "version: 1\nunits: [{path: a, command: kustomize}]\n", "no such field"),
    (2, "version: 1\nunits: [{path: a, namespace: A}]\n", "DNS-1123"),
    (2, "version: 1\nunits: [{path: a, renderer: helm, release: '-x'}]\n", "no name of a release"),
    (2, "version: 1\nunits: [{path: a, values: [b]}]\n", "need renderer: helm"),
    (2, "version: 1\nunits: [{path: a, renderer: kustomize, release: x}]\n", "need renderer: helm"),
    (2, "version: 1\nunits: [{path: a, cluster: eu, clusters: [eu]}]\n", "must not stand beside"),
    (2, "version: 1\nnamespaces: [{path: a}]\n", "is required"),
    (2, "version: 1\nnamespaces: [{path: a, namespace: x.y}]\n", "DNS-1123"),
    (2, "version: 1\nsensitive_labels: [{}]\n", "at least one label"),
    (2, "version: 1\nsensitive_labels: [{a: 'b c'}]\n", "sensitive_labels"),
    (2, "version: 1\nkinds: {workloads: [{kind: runner}]}\n", "is no kind"),
    (2, "version: 1\nkinds: {operators: [{kind: Runner}]}\n", "must have pods"),
    (2, "version: 1\nkinds: {operators: [{kind: Runner, pods: [{labels: {}}]}]}\n", "at least one label"),
    (2, "version: 1\nkinds: {operators: [{kind: R, pods: [{labels: {a: b}, ports: [{name: x, port: 0}]}]}]}\n", "not a port"),
    (2, "version: 1\nignore: docs\n", "must be a list"),
    (2, "version: 1\nseverity: {level: []}\n", "no such field"),
    (2, "version: 1\nseverity: {levels: [{level: fatal, marks: [from-outside]}]}\n", "not one of critical, high"),
    (3, "version: 1\nseverity:\n  levels: [{level: high, marks: [outside]}]\n", "not one of from-outside"),
    (2, "version: 1\nseverity: {levels: [{level: high, marks: []}]}\n", "must have marks"),
    (2, "version: 1\nseverity: {ports: [{name: x, port: 0}]}\n", "not a port"),
    (2, "version: 1\nseverity: {ports: [{name: '[x](y)', port: 1}]}\n", "no name for a port"),
    (2, "version: 1\nseverity: {from: {}}\n", "at least one label"),
    (2, "version: 1\nzones: {a: {}}\n", "either namespaces or pods"),
    (2, "version: 1\nzones: {a: {external: false}}\n", "must be true"),
    (2, "version: 1\nguardrails: [{name: a, when: {}, require: block}]\n", "opened or closed"),
    (2, "version: 1\nguardrails: [{name: a, when: {opened: {}}, require: perhaps}]\n", "not one of"),
    (2, "version: 1\ninvariants: [{name: a}]\n", "one of never and always"),
]
ONLY_READ = [
    (2, "version: 1\nunits: [{path: ../a}]\n", "leaves the repository"),
    (2, "version: 1\npod_cidrs: [10.0.0.1/8]\n", "host bits"),
    (2, "version: 1\nseverity: {environments: ['a b']}\n", "not a label key"),
    (2, "version: 1\nseverity: {metadata: [imds]}\n", "neither an address nor a CIDR"),
    (2, "version: 1\nseverity: {ports: [{name: x, port: 9, endPort: 8}]}\n", "below port"),
    (2, "version: 1\nclusters: {eu: {paths: [x]}}\nunits: [{path: a, cluster: us}]\n", "no cluster 'us'"),
]
"""Mistakes that a schema cannot tell."""


def read(text: str) -> Configuration:
    return read_configuration(text.encode())


def problems(text: str) -> list[str]:
    """What the schema has against a file; YAML reads days as dates, which JSON has as text."""
    document: Any = json.loads(json.dumps(yaml.safe_load(text), default=str))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(document)]


@pytest.mark.parametrize("text", GOOD)
def test_what_is_well_formed_is_read_and_passes_the_schema(text: str) -> None:
    read(text)
    assert problems(text) == []


@pytest.mark.parametrize(("line", "text", "said"), BAD)
def test_a_mistake_is_told_with_its_line_and_fails_the_schema(line: int, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert said in str(caught.value)
    assert caught.value.line == line
    assert problems(text)


@pytest.mark.parametrize(("line", "text", "said"), ONLY_READ)
def test_a_mistake_beyond_a_schema_is_told_with_its_line(line: int, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert said in str(caught.value)
    assert caught.value.line >= line


def test_the_schema_is_a_schema_and_knows_every_section() -> None:
    from analyzers.configuration import SECTIONS
    from service.signoff.reading import SECTIONS as GUARDED

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) == {"version", "severity", *SECTIONS, *GUARDED}
    marks = SCHEMA["properties"]["severity"]["properties"]["levels"]["items"]["properties"]["marks"]["items"]["enum"]
    assert marks == list(Mark)


def test_the_analysis_sections_are_read_as_values() -> None:
    analysis = read(EXAMPLE).analysis
    assert analysis.clusters[0] == ClusterSettings("eu", 8, ("clusters/eu", "apps/*/overlays/prod"), ("10.0.0.0/8",))
    assert analysis.units[1] == UnitSettings("apps/legacy", 22, "plain", ("eu", "dev"))
    assert analysis.namespaces == (("apps/legacy", "legacy"),)
    assert [each.kind for each in analysis.kinds.workloads] == ["Runner"]
    assert analysis.kinds.workloads[0].template == ("spec", "podTemplate")
    assert analysis.kinds.operators[0].pods[0].labels == (("app", "database"), ("database", "{name}"))
    assert analysis.sensitive_labels == ((("data", "personal"),),)
    assert analysis.decides_units
    assert not read("version: 1\npod_cidrs: [10.0.0.0/8]\n").analysis.decides_units


def test_the_schema_is_where_the_first_line_of_the_example_says() -> None:
    first = EXAMPLE.splitlines()[0]
    assert (ROOT / "docs" / first.rpartition("=")[2]).exists()


def test_severity_says_its_own_table_and_adds_to_the_ports_and_addresses_that_are_known() -> None:
    found = read(EXAMPLE).severity
    assert found.rules == (
        Rule(frozenset({Mark.FROM_OUTSIDE, Mark.SENSITIVE_PORT}), Level.CRITICAL),
        Rule(frozenset({Mark.FROM_OUTSIDE}), Level.HIGH),
    )
    assert found.environments == ("env", "example.com/stage")
    assert found.sensitive_ports[:-1] == DEFAULT_RULES.sensitive_ports
    assert (found.sensitive_ports[-1].name, found.sensitive_ports[-1].numbers.intervals) == ("Ledger", ((7000, 7010),))
    assert [block.cidrs() for block in found.metadata[len(DEFAULT_RULES.metadata) :]] == [("192.0.2.254/32",)]
    assert found.zone == (("zone", "dmz"),)
    assert read("version: 1\n").severity == DEFAULT_RULES


def test_an_analysis_weighs_by_what_base_says(tmp_path: Path) -> None:
    (tmp_path / ".flowdelta.yaml").write_text(EXAMPLE, encoding="utf-8")
    rules = prepared(Options(), FolderTree(tmp_path), None).severity
    assert rules.rules == read(EXAMPLE).severity.rules
    assert rules.sensitive_labels == (*DEFAULT_RULES.sensitive_labels, (("data", "personal"),))

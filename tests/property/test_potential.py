"""Potential flows against the independent examiner: a real pod with a representative's labels gets the verdicts that it had."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from analyzers.impact.assessment.severity import Mark, Severity
from analyzers.impact.report import DiffReport, FlowGroup
from analyzers.model.cluster import NAMESPACE_NAME_LABEL, HostNetwork
from analyzers.model.representative import Representative
from analyzers.model.revision import Revision
from analyzers.pipeline import Options, diff
from analyzers.reports import render
from tests.oracle import expand, tables
from tests.oracle.cases import Case, case
from tests.oracle.reading import Document
from tests.property.product import MemoryTree

Report = dict[str, Any]
CHUNK = 25
STARTS = [0, *(pytest.param(start, marks=pytest.mark.slow) for start in range(CHUNK, 5 * CHUNK, CHUNK))]
STAND_IN = "stand-in"


def compared(made: Case, base: list[Document], head: list[Document]) -> DiffReport:
    before, after = (
        MemoryTree({"all.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": each}).encode()}) for each in (base, head)
    )
    options = Options(host_network=HostNetwork(made.host_network))
    return diff(before, after, options, base_revision=Revision("base"), head_revision=Revision("head"))


def potential_of(report: DiffReport) -> Report:
    potential: Report = json.loads("".join(render("json", report)))["potential"]
    return potential


def real(pod: Representative, ports: list[Document]) -> list[Document]:
    """What makes a pod like a representative exist."""
    metadata = {"name": STAND_IN, "namespace": pod.name, "labels": dict(pod.shapes[0].labels)}
    # A workload, as a representative stands for many pods.
    container = {"name": "c", "image": "registry.example/app:1", "ports": ports}
    template = {"metadata": {"labels": metadata.pop("labels")}, "spec": {"containers": [container]}}
    workload = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": {"template": template}}
    labels = {key: value for key, value in pod.namespace_labels if key != NAMESPACE_NAME_LABEL}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": pod.name, "labels": labels}}
    return [workload, namespace] if pod.made_up and labels else [workload]


def without_port_names(documents: list[Document]) -> list[Document]:
    """The same, rules giving no port by name."""
    found = deepcopy(documents)
    for document in found:
        for each in _walked(document.get("spec") or {}):
            if isinstance(each.get("port"), str):
                each["port"] = 8080
            if each.pop("namedPort", None):
                each["portNumber"] = {"protocol": "TCP", "port": 8080}
            if each.pop("destinationNamedPort", None):
                each["tcp"] = {"destinationPort": {"number": 8080}}
    return found


def _walked(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _walked(inner)


def truth(made: Case, base: list[Document], head: list[Document], points: tables.Universe) -> dict[Any, tables.Change]:
    """What the examiner says of every pair with the stand-in on either end."""
    revisions = [tables.Revision(documents, points, made.host_network) for documents in (base, head)]
    found = tables.diff(*revisions)
    return {pair: change for pair, change in found.items() if any(str(end).endswith(f"/{STAND_IN}[ReplicaSet]") for end in pair)}


def answered(potential: Report, pod: Representative, points: tables.Universe) -> dict[Any, tables.Change]:
    """What the product says of every pair with a representative on either end and anything known, or itself, on the other."""
    others = {each["id"] for each in potential["endpoints"] if each["kind"] == "Representative"} - {pod.id}
    name = f"{pod.name}/{STAND_IN}[ReplicaSet]"
    rows = [row for row in potential["changes"] if pod.id in (row["source"], row["destination"])]
    rows = [row for row in rows if not others & {row["source"], row["destination"]}]
    found = expand.changes({**potential, "changes": rows}, points)
    return {tuple(name if end == pod.id else end for end in pair): change for pair, change in found.items()}


@pytest.mark.parametrize("start", STARTS)
def test_a_real_pod_with_the_labels_of_a_representative_gets_its_verdicts(start: int) -> None:
    looked_at = 0
    for seed in range(start, start + CHUNK):
        made = case(seed)
        base, head = map(without_port_names, (made.base, made.head))
        report = compared(made, base, head)
        potential = potential_of(report)
        for pod in report.potential.representatives:
            added = real(pod, [])
            both = ([*base, *added], [*head, *added])
            points = tables.universe(*both)
            wrong = expand.differences(truth(made, *both, points), answered(potential, pod, points), points)
            assert not wrong, f"seed {seed}, {pod.id}: {wrong}\n{made.shown()}"
            looked_at += 1
    assert looked_at > 10


def level_of(groups: Iterable[FlowGroup], source: str, destination: str) -> Severity | None:
    """The severity of the group that holds a pair."""
    return next((each.severity for each in groups if source in each.sources.ids and destination in each.destinations.ids), None)


@pytest.mark.parametrize("start", STARTS)
def test_a_representative_weighs_no_more_than_a_real_pod(start: int) -> None:
    looked_at = 0
    for seed in range(start, start + CHUNK):
        made = case(seed)
        base, head = map(without_port_names, (made.base, made.head))
        for pod in (report := compared(made, base, head)).potential.representatives:
            added = real(pod, [])
            groups = compared(made, [*base, *added], [*head, *added]).groups
            for each in report.potential.groups:
                ends = (each.sources.ids, each.destinations.ids)
                if each.severity is None or [len(end) for end in ends] != [1, 1] or not {*ends[0], *ends[1]} & {pod.id}:
                    continue
                known = level_of(groups, *(f"{pod.name}/{STAND_IN}[ReplicaSet]" if end == (pod.id,) else end[0] for end in ends))
                if known is None:
                    continue  # the other end is one that could exist too
                marks, of_real = ({reason.mark for reason in severity.reasons} for severity in (each.severity, known))
                assert marks - of_real == {Mark.POTENTIAL}, f"seed {seed}, {pod.id}: {marks - of_real}\n{made.shown()}"
                assert each.severity.level.rank >= known.level.rank
                looked_at += 1
    assert looked_at > 1


@pytest.mark.parametrize("start", STARTS)
def test_a_real_pod_with_port_names_gets_no_more_than_its_representative_may(start: int) -> None:
    looked_at = 0
    for seed in range(start, start + CHUNK):
        made, rng = case(seed), Random(seed)
        report = compared(made, made.base, made.head)
        potential = potential_of(report)
        for pod in report.potential.representatives:
            ports = [{"name": name, "containerPort": rng.choice((80, 8080, 9090))} for name in ("http", "metrics") if rng.random() < 0.7]
            added = real(pod, ports)
            both = ([*made.base, *added], [*made.head, *added])
            points = tables.universe(*both)
            sure = answered(potential, pod, points)
            for pair, change in truth(made, *both, points).items():
                assert pair in sure, f"seed {seed}, {pod.id}: {pair} changes\n{made.shown()}"
                row = sure[pair]
                assert not change.base & ~row.base, f"seed {seed}, {pod.id}: {pair} in base\n{made.shown()}"
                assert not change.head & ~row.head, f"seed {seed}, {pod.id}: {pair} in head\n{made.shown()}"
                looked_at += 1
    assert looked_at > 10


@pytest.mark.parametrize("start", STARTS)
def test_potential_flows_leave_what_is_known_alone_and_turn_with_the_sides(start: int) -> None:
    for seed in range(start, start + CHUNK):
        made = case(seed)
        report = compared(made, made.base, made.head)
        potential = potential_of(report)
        representatives = {pod.id for pod in report.potential.representatives}
        assert representatives.isdisjoint(joint.id for joint in report.all_workloads)
        for group in potential["groups"]:
            ends = (set(group["sources"]), set(group["destinations"]))
            assert any(end & representatives for end in ends)
        for row in potential["changes"]:
            assert representatives & {row["source"], row["destination"]}
        swapped = potential_of(compared(made, made.head, made.base))
        turned = [
            {**row, "base": row["head"], "head": row["base"], "opened": row["closed"], "closed": row["opened"]}
            for row in swapped["changes"]
        ]
        assert [_less_group(row) for row in turned] == [_less_group(row) for row in potential["changes"]]
        same = potential_of(compared(made, made.head, made.head))
        assert not same["changes"]
        assert not same["endpoints"]


def _less_group(row: Report) -> Report:
    return {key: value for key, value in row.items() if key != "group"}

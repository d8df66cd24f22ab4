"""The shared conformance cases and the facts about real revisions, through the command line as people run it.

They live outside this repository: `FLOWDELTA_SHARED` says where (`../shared` when it does not). Without them these tests skip.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from analyzers.impact.report import DiffReport
from analyzers.manifests.folder import FolderTree
from analyzers.model.revision import Revision
from analyzers.pipeline import diff
from tests.oracle.reading import Document
from tests.property.test_reasons import effects, stand_ins

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("FLOWDELTA_SHARED") or ROOT.parent / "shared").resolve()
FULL = {protocol: [[1, 65535]] for protocol in ("TCP", "UDP", "SCTP")}

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the shared conformance cases are not at {SHARED}; set FLOWDELTA_SHARED")

Report = dict[str, Any]
Row = dict[str, Any]


@pytest.mark.parametrize("group", ["networkpolicy", "ways-in"])
def test_every_case_of_a_group_holds(group: str) -> None:
    check = [sys.executable, str(SHARED / "conformance" / "check"), "--cli", f"{sys.executable} -m service", "--group", group]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@cache
def _diff(corpus: str) -> Report:
    folder = SHARED / "corpora" / corpus
    command = [sys.executable, "-m", "service", "diff", str(folder / "base"), str(folder / "head"), "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    report: Report = json.loads(done.stdout)
    return report


def _outside(report: Report) -> set[str]:
    return {endpoint["id"] for endpoint in report["endpoints"] if endpoint["kind"] == "External"}


def _between_workloads(report: Report) -> list[Row]:
    outside = _outside(report)
    return [row for row in report["changes"] if row["source"] != row["destination"] and not outside & {row["source"], row["destination"]}]


def _from_outside(report: Report) -> dict[str, list[Row]]:
    """Rows from outside, by destination."""
    outside = _outside(report)
    rows: dict[str, list[Row]] = {}
    for row in report["changes"]:
        if row["source"] in outside:
            rows.setdefault(row["destination"], []).append(row)
    return rows


@pytest.mark.parametrize(("corpus", "changed", "lost", "kept"), [("boutique", 121, 106, 15), ("sock-shop", 182, 158, 24)])
def test_default_deny_closes_exactly_what_the_corpus_says(corpus: str, changed: int, lost: int, kept: int) -> None:
    rows = _between_workloads(_diff(corpus))
    assert len(rows) == changed
    assert Counter(_left(row) for row in rows) == {"nothing": lost, "one TCP port": kept}


def _left(row: Row) -> str:
    if not row["head"]:
        return "nothing"
    (ranges,) = row["head"].values()
    alone = len(ranges) == 1 and ranges[0][0] == ranges[0][1]
    return "one TCP port" if alone and "TCP" in row["head"] else "something else"


@pytest.mark.parametrize("corpus", ["boutique", "sock-shop"])
def test_default_deny_opens_nothing(corpus: str) -> None:
    report = _diff(corpus)
    assert [row for row in report["changes"] if row["opened"] or row["may"]] == []
    assert report["summary"]["opened"] == 0


@pytest.mark.parametrize(("corpus", "closed"), [("boutique", 11), ("sock-shop", 13)])
def test_workloads_lose_all_traffic_from_outside(corpus: str, closed: int) -> None:
    rows = _from_outside(_diff(corpus))
    lost = {workload for workload, found in rows.items() if all(row["base"] == FULL and row["head"] == {} for row in found)}
    assert len(lost) == closed


def test_the_boutique_frontend_keeps_traffic_from_outside() -> None:
    assert [workload for workload in _from_outside(_diff("boutique")) if "/frontend[" in workload] == []


def test_the_sock_shop_front_end_keeps_its_port_from_outside() -> None:
    rows = _from_outside(_diff("sock-shop"))
    (front_end,) = (found for workload, found in rows.items() if "/front-end[" in workload)
    assert [row["head"] for row in front_end] == [{"TCP": [[8079, 8079]]}] * len(front_end)


def _made_by_operators(report: Report) -> set[str]:
    return {endpoint["id"] for endpoint in report["endpoints"] if endpoint.get("via") == "operator"}


@pytest.mark.parametrize("corpus", ["kube-prometheus", "cluster-monitoring", "nextcloud"])
def test_these_policy_edits_change_no_flow_between_declared_workloads(corpus: str) -> None:
    report = _diff(corpus)
    made = _made_by_operators(report)
    assert [row for row in _between_workloads(report) if not made & {row["source"], row["destination"]}] == []


def test_the_adapter_is_let_in_to_the_prometheus_that_its_operator_makes() -> None:
    rows = _between_workloads(_diff("kube-prometheus"))
    opened = [(row["source"], row["destination"], row["opened"]) for row in rows]
    assert opened == [("monitoring/prometheus-adapter[Deployment]", "monitoring/k8s[Prometheus]", {"TCP": [[9090, 9090]]})]


def test_alertmanagers_keep_their_own_mesh_and_lose_everyone_else() -> None:
    report = _diff("cluster-monitoring")
    made = _made_by_operators(report)
    rows = _between_workloads(report)
    assert {row["destination"] for row in rows} <= made
    assert [row for row in rows if row["opened"]] == []
    assert {str(row["closed"]) for row in rows} == {str({"TCP": [[9094, 9094]], "UDP": [[9094, 9094]]})}


@pytest.mark.parametrize("corpus", ["kube-prometheus", "cluster-monitoring", "nextcloud"])
def test_every_policy_edit_changes_flows_or_potential_ones_or_has_a_reason(corpus: str) -> None:
    report = _diff(corpus)
    behind = {cause["object"] for group in report["groups"] for alternative in group["causes"] for cause in alternative["undo"]}
    behind |= {cause["object"] for group in report["potential"]["groups"] for cause in group["bearing"]}
    behind |= {each["policy"] for each in report["no_effect"] if each["objects"]}
    assert {each["object"] for each in report["policies"]} <= behind


def _documents(folder: Path) -> list[Document]:
    """Every object of a folder, as written."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.yaml")))
    found = (document for text in texts for document in yaml.safe_load_all(text))
    return [each for each in found if isinstance(each, dict) and "kind" in each and (each.get("metadata") or {}).get("name")]


def _as_written(corpus: str) -> DiffReport:
    base, head = (FolderTree(SHARED / "corpora" / corpus / side) for side in ("base", "head"))
    return diff(base, head, base_revision=Revision("base"), head_revision=Revision("head"))


def _of_operators(report: DiffReport) -> list[Document]:
    """Pods with the labels that operators give theirs."""
    made = [joint.latest for joint in report.all_workloads if joint.latest.by_operator]
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"made-{number}", "namespace": each.namespace, "labels": dict(each.shapes[0].labels)},
            "spec": {"containers": [{"name": "c"}]},
        }
        for number, each in enumerate(made)
    ]


@pytest.mark.parametrize("corpus", ["kube-prometheus", "cluster-monitoring", "nextcloud"])
def test_the_plain_evaluator_agrees_that_what_is_missing_is_why_nothing_changes(corpus: str) -> None:
    report = _as_written(corpus)
    base, head = (_documents(SHARED / "corpora" / corpus / side) for side in ("base", "head"))
    missing = [*stand_ins(report), *_of_operators(report)]
    assert effects("node", base, head) == {}
    changes = effects("node", [*base, *missing], [*head, *missing])
    assert changes
    opens, closes = (any(getattr(each, name) for each in changes.values()) for name in ("opened", "closed"))
    both = [*report.groups, *report.potential.groups]
    assert (opens, closes) == (any(each.opened for each in both), any(each.closed for each in both))


def test_backup_jobs_come_to_reach_the_object_store_that_another_repository_holds() -> None:
    report = _diff("nextcloud")
    store = "pods app.kubernetes.io/component=cephobjectstores.ceph.rook.io in namespaces kubernetes.io/metadata.name=rook-ceph"
    rows = report["potential"]["changes"]
    assert {row["destination"] for row in rows} == {store}
    assert [(row["opened"], row["closed"]) for row in rows] == [({"TCP": [[8080, 8080]]}, {})] * len(rows)
    assert [each["reason"] for each in report["no_effect"]] == ["peer-does-not-exist"]

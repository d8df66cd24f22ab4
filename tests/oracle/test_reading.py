"""Which workload pods count as."""

from __future__ import annotations

import pytest

from tests.oracle.reading import Document, read
from tests.oracle.sample import owned_pod, templated

HASHED = {"pod-template-hash": "5d4f"}
OWNERS = [
    ("a controller", [owned_pod("a", {}, "StatefulSet", "db")], "shop/db[StatefulSet]"),
    ("an owner that does not control", [owned_pod("a", {}, "StatefulSet", "db", False)], "shop/a[Pod]"),
    ("a ReplicaSet of a Deployment", [owned_pod("a", HASHED, "ReplicaSet", "web-5d4f")], "shop/web[Deployment]"),
    ("a ReplicaSet without the label", [owned_pod("a", {}, "ReplicaSet", "web-5d4f")], "shop/web-5d4f[ReplicaSet]"),
    ("a ReplicaSet of another name", [owned_pod("a", HASHED, "ReplicaSet", "web-77")], "shop/web-77[ReplicaSet]"),
    ("a ReplicaSet in the manifests", [templated("ReplicaSet", "apps/v1", "web-5d4f", "Deployment", "front")], "shop/front[Deployment]"),
    ("a Job of a CronJob", [templated("Job", "batch/v1", "tick-1", "CronJob", "tick")], "shop/tick[CronJob]"),
    ("a mirror pod of a Node", [owned_pod("a", {}, "Node", "node-1")], "shop/a[Pod]"),
]


@pytest.mark.parametrize(("documents", "workload"), [row[1:] for row in OWNERS], ids=[row[0] for row in OWNERS])
def test_pods_count_as_their_controller(documents: list[Document], workload: str) -> None:
    assert list(read(documents).workloads) == [workload]


def test_pods_of_a_job_count_as_its_cron_job() -> None:
    documents = [templated("Job", "batch/v1", "tick-1", "CronJob", "tick"), owned_pod("a", {"x": "y"}, "Job", "tick-1")]
    assert [len(variants) for variants in read(documents).workloads.values()] == [2]

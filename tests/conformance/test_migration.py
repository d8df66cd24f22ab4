"""A migration is provable: admin policies of the older API and their ClusterNetworkPolicy twins give an empty diff."""

from __future__ import annotations

from random import Random

import pytest

from analyzers.model.revision import Revision
from analyzers.pipeline import diff
from analyzers.reports import render
from tests.oracle.admin_policies import migrated
from tests.oracle.cases import case
from tests.oracle.files import write
from tests.oracle.laws import digest
from tests.oracle.reading import Document
from tests.property.product import MemoryTree, asked_diff

OLDER = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")


def _migration(documents: list[Document]) -> list[Document]:
    return [migrated(document) if document["kind"] in OLDER else document for document in documents]


def _without_newer(documents: list[Document]) -> list[Document]:
    return [document for document in documents if document["kind"] != "ClusterNetworkPolicy"]


@pytest.mark.parametrize("start", [0, *(pytest.param(start, marks=pytest.mark.slow) for start in range(50, 400, 50))])
def test_a_cluster_whose_admin_policies_are_migrated_has_no_flow_changes(start: int) -> None:
    rng, seen = Random(start), 0
    for seed in range(start, start + 50):
        base = _without_newer(case(seed).base)
        head = _migration(base)
        seen += head != base
        report = asked_diff(write(rng, base), write(rng, head), case(seed).host_network)
        assert (report["groups"], report["changes"], report["digest"]) == ([], [], digest({**report, "groups": [], "endpoints": []})), seed
    assert seen > 5


def test_the_policies_of_a_migration_are_told_as_changed_without_effect() -> None:
    seed = next(seed for seed in range(100) if any(document["kind"] == OLDER[0] for document in case(seed).base))
    base = _without_newer(case(seed).base)
    trees = MemoryTree(write(Random(1), base)), MemoryTree(write(Random(2), _migration(base)))
    report = diff(*trees, base_revision=Revision("base"), head_revision=Revision("head"))
    said = "".join(render("markdown", report))
    assert "changed without effect on any flow" in said
    assert "ClusterNetworkPolicy `admin" in said

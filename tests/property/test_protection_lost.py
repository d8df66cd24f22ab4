"""Protection lost against the independent reading of the documents: who was isolated, and who is."""

from __future__ import annotations

import pytest

from tests.oracle.cases import Case, case
from tests.oracle.evaluator import isolates
from tests.oracle.matching import selects
from tests.oracle.reading import Cluster, Variant, read
from tests.property.product import asked_diff

CHUNK = 100
DIRECTIONS = {"Ingress": "ingress", "Egress": "egress"}


def isolated(cluster: Cluster, pod: Variant, direction: str, host_network: str) -> bool:
    """Whether some NetworkPolicy isolates a pod in a direction."""
    if pod.host_network and host_network == "node":
        return False
    return any(
        isolates(document["spec"], direction) and selects(document["spec"].get("podSelector"), dict(pod.labels))
        for document in cluster.policies.get(pod.namespace, ())
    )


def exposed(made: Case) -> set[tuple[str, str]]:
    """The workloads whose pods are alike in each revision, with the directions in which they were isolated and are no more."""
    base, head = read(made.base), read(made.head)
    pairs = {
        workload: (base.workloads[workload][0], head.workloads[workload][0])
        for workload in {*base.workloads} & {*head.workloads}
        if len(base.workloads[workload]) == len(head.workloads[workload]) == 1
    }
    return {
        (workload, said)
        for workload, (before, after) in pairs.items()
        for direction, said in DIRECTIONS.items()
        if isolated(base, before, direction, made.host_network) and not isolated(head, after, direction, made.host_network)
    }


def varied(made: Case) -> set[str]:
    """The workloads whose own pods differ in some revision."""
    clusters = (read(made.base), read(made.head))
    return {workload for cluster in clusters for workload, variants in cluster.workloads.items() if len(variants) > 1}


@pytest.mark.parametrize("start", [0, *(pytest.param(start, marks=pytest.mark.slow) for start in range(CHUNK, 300, CHUNK))])
def test_exactly_the_workloads_that_nothing_isolates_any_more_are_exposed(start: int) -> None:
    for seed in range(start, start + CHUNK):
        made = case(seed)
        rows = asked_diff(made.base_files, made.head_files, made.host_network)["protection"]
        said = {(row["workload"], row["direction"]) for row in rows if row["exposed"] and row["workload"] not in varied(made)}
        assert said == exposed(made), made.shown()

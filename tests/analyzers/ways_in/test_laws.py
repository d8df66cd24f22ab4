"""Laws of ways in, on random clusters: what comes in is never more than policy lets a pod do, and nothing else changes because of it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from tests.oracle.cases import case
from tests.property.product import asked_diff, asked_matrix

Files = dict[str, bytes]
CONTROLLER = "{ingress-controller}"
KNOWN = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}


def document(kind: str, api: str, namespace: str, name: str, spec: dict[str, Any], **metadata: Any) -> bytes:
    return json.dumps(
        {"apiVersion": api, "kind": kind, "metadata": {"namespace": namespace, "name": name, **metadata}, "spec": spec}
    ).encode()


def with_ways(files: Files, rng: Random, host_network: str) -> Files:
    """A Service and an Ingress for about every second workload, to a port that policy may or may not know."""
    made = dict(files)
    workloads = [each for each in asked_matrix(files, host_network)["endpoints"] if each["kind"] not in {"External", "IngressController"}]
    for number, each in enumerate(workloads):
        labels = each.get("labels") or (each["label_sets"][0] if "label_sets" in each else {})
        if not labels or rng.random() < 0.5:
            continue
        name, port = f"way-{number}", rng.choice((80, 443, 8080, "web", "http"))
        service = {"selector": labels, "ports": [{"name": "p", "port": 80, "targetPort": port}]}
        backend = {"service": {"name": name, "port": {"number": 80}}}
        made[f"zz/{name}-service.json"] = document("Service", "v1", each["namespace"], name, service)
        made[f"zz/{name}-ingress.json"] = document("Ingress", "networking.k8s.io/v1", each["namespace"], name, {"defaultBackend": backend})
    return made


def with_pod(files: Files, labels: dict[str, str]) -> Files:
    """A pod of a namespace of its own, where a controller could run."""
    pod = document("Pod", "v1", "zz-edge", "controller", {"containers": [{"name": "c"}]}, labels=labels)
    return {**files, "zz/controller.json": pod}


def rows(files: Files, host_network: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["source"], row["destination"]): row for row in asked_matrix(files, host_network)["flows"]}


def ports(connections: dict[str, list[list[int]]]) -> set[tuple[str, int]]:
    return {
        (protocol, number)
        for protocol, spans in connections.items()
        for low, high in spans
        for number in range(low, min(high, low + 9999) + 1)
    }


def within(some: set[tuple[str, int]], connections: dict[str, list[list[int]]]) -> bool:
    return all(any(low <= number <= high for low, high in connections.get(protocol, [])) for protocol, number in some)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_certain_from_an_unknown_controller_is_let_through_to_any_pod(seed: int) -> None:
    made, rng = case(seed), Random(seed)
    files = with_ways(made.head_files, rng, made.host_network)
    through = {key[1]: row for key, row in rows(files, made.host_network).items() if key[0] == CONTROLLER}
    real = rows(with_pod(files, {}), made.host_network)
    for destination, row in through.items():
        certain = ports(row["connections"]) - ports(row["may"])
        reached = real.get(("zz-edge/controller[Pod]", destination), {"connections": {}})["connections"]
        assert within(certain, reached), (destination, row, reached)


@pytest.mark.parametrize("seed", range(40))
def test_known_controller_brings_in_exactly_what_its_pod_may_do_on_the_ports_of_the_ways(seed: int) -> None:
    made, rng = case(seed), Random(seed)
    found = rows(with_pod(with_ways(made.head_files, rng, made.host_network), KNOWN), made.host_network)
    through = {key[1]: row for key, row in found.items() if key[0] == CONTROLLER}
    for destination, row in through.items():
        pod = found["zz-edge/controller[Pod]", destination]
        assert within(ports(row["connections"]), pod["connections"])
        may = {each for each in ports(row["connections"]) if within({each}, pod["may"])}
        assert ports(row["may"]) == may


@pytest.mark.parametrize("seed", range(25))
def test_taking_the_ways_away_takes_exactly_their_rows(seed: int) -> None:
    made = case(seed)
    files = with_ways(made.head_files, Random(seed), made.host_network)
    ways = {path for path in files if path.endswith("-ingress.json")}
    before, after = rows(files, made.host_network), rows({path: files[path] for path in files if path not in ways}, made.host_network)
    assert after == {key: row for key, row in before.items() if key[0] != CONTROLLER}
    report = asked_diff(files, {path: files[path] for path in files if path not in ways}, made.host_network)
    closed = {(row["source"], row["destination"]): row["closed"] for row in report["changes"]}
    assert closed == {key: row["connections"] for key, row in before.items() if key[0] == CONTROLLER}


@pytest.mark.parametrize("seed", range(25))
def test_diff_is_the_difference_of_the_matrices(seed: int) -> None:
    made = case(seed)
    base, head = (with_ways(files, Random(seed + side), made.host_network) for side, files in enumerate((made.base_files, made.head_files)))
    before, after = (rows(files, made.host_network) for files in (base, head))
    report = asked_diff(base, head, made.host_network)
    changed = {row["destination"]: row for row in report["changes"] if row["source"] == CONTROLLER}
    for destination in {key[1] for key in (*before, *after) if key[0] == CONTROLLER}:
        one, other = (side.get((CONTROLLER, destination), {"connections": {}, "may": {}}) for side in (before, after))
        if destination in changed:
            assert (changed[destination]["base"], changed[destination]["head"]) == (one["connections"], other["connections"])
        else:
            assert (one["connections"], one["may"]) == (other["connections"], other["may"])
    swapped = {row["destination"]: row for row in asked_diff(head, base, made.host_network)["changes"] if row["source"] == CONTROLLER}
    assert {key: (row["opened"], row["closed"]) for key, row in changed.items()} == {
        key: (row["closed"], row["opened"]) for key, row in swapped.items()
    }

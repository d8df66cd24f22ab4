"""Paths and blast radii: small chains that a person can follow, and random clusters against a plain walk over every pair of classes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analyzers.impact.assessment import blast_radius as radii
from analyzers.impact.assessment import paths
from analyzers.impact.assessment.hops import Path, Paths
from analyzers.impact.assessment.severity import DEFAULT_RULES
from analyzers.impact.report import DiffReport
from analyzers.model.cluster import HostNetwork
from analyzers.model.revision import Revision
from analyzers.pipeline import Options, diff
from analyzers.reachability.compiled import Compiled, compile_revisions
from analyzers.reachability.universe import Universe, join
from tests.analyzers.impact.changes import changed, policy, workload
from tests.oracle.cases import Case, case
from tests.property.product import MemoryTree
from tests.property.test_delta import snapshot

DENY = policy("a/deny", "{podSelector: {}, policyTypes: [Ingress]}")
SENSITIVE = "flowdelta/sensitive: 'true'"


def admits(destination: str, source: str) -> str:
    peers = "" if source == "outside" else f"from: [{{podSelector: {{matchLabels: {{app: {source}}}}}}}]"
    spec = f"{{podSelector: {{matchLabels: {{app: {destination}}}}}, ingress: [{{{peers}{', ' if peers else ''}ports: [{{port: 80}}]}}]}}"
    return policy(f"a/{destination}-{source}", spec)


CHAIN = DENY + "".join(workload(f"a/{name}") for name in ("front", "middle", "other")) + workload("a/db", labels=SENSITIVE)


def shown(path: Path) -> str:
    return " -> ".join([path.start, *(f"{hop.to.partition('[')[0]}{'*' if hop.opened else ''}" for hop in path.hops)])


def newly(report: DiffReport) -> dict[int, list[str]]:
    return {each.hops: [name.partition("[")[0] for name in each.workloads] for each in report.paths().newly}


def test_flow_within_opens_a_way_from_outside() -> None:
    base = CHAIN + admits("front", "outside") + admits("db", "middle")
    report = changed(base, base + admits("middle", "front"))
    assert newly(report) == {2: ["a/middle"], 3: ["a/db"]}
    assert [shown(path) for path in report.paths().paths] == [
        "outside -> a/front -> a/middle* -> a/db",
        "outside -> a/front -> a/middle*",
    ]
    assert [path.sensitive for path in report.paths().paths] == [True, False]


def test_flow_that_begins_where_nobody_comes_leads_nowhere_new() -> None:
    base = CHAIN + admits("front", "outside")
    report = changed(base, base + admits("db", "middle"))
    assert report.paths() == Paths()


def test_shorter_way_to_what_is_sensitive_is_told_with_what_it_was() -> None:
    base = CHAIN + admits("front", "outside") + admits("middle", "front") + admits("db", "middle")
    report = changed(base, base + admits("db", "front"))
    (path,) = report.paths().paths
    assert (shown(path), path.before) == ("outside -> a/front -> a/db*", 3)
    assert newly(report) == {}


def test_way_as_long_as_before_is_not_told() -> None:
    base = CHAIN + admits("front", "outside") + admits("other", "outside") + admits("db", "front")
    report = changed(base, base + admits("db", "other"))
    assert report.paths().paths == ()


def test_paths_may_begin_in_a_zone() -> None:
    rules = replace(DEFAULT_RULES, zone=(("app", "middle"),))
    report = changed(CHAIN + admits("other", "front"), CHAIN + admits("other", "front") + admits("front", "middle"), rules)
    assert newly(report) == {1: ["a/front"], 2: ["a/other"]}
    assert [shown(path) for path in report.paths().paths] == ["a/middle[Deployment] -> a/front* -> a/other"]


def test_search_that_is_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_STEPS", 0)
    base = CHAIN + admits("front", "outside")
    found = changed(base, base + admits("middle", "front")).paths()
    assert (found.newly, found.paths) == ((), ())
    assert found.stopped == "the search stopped after 0 comparisons of policies"


def test_ways_that_are_not_spelt_out_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_PATHS", 1)
    base = CHAIN + admits("front", "outside") + admits("db", "middle")
    found = changed(base, base + admits("middle", "front")).paths()
    assert [path.sensitive for path in found.paths] == [True]
    assert found.stopped == "the first 1 of 2 ways are spelt out"


def test_blast_radius_counts_the_others_in_any_number_of_hops() -> None:
    base = CHAIN + admits("db", "middle")
    report = changed(base, base + admits("middle", "front"))
    (radius,) = report.blast_radius().changed
    assert (list(radius.workloads), radius.before, radius.after) == (["a/front[Deployment]"], 0, 2)


def test_graph_that_is_too_large_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radii, "MOST_NODES", 1)
    found = changed(CHAIN, CHAIN + admits("db", "middle")).blast_radius()
    assert found.changed == ()
    assert found.stopped.startswith("more than 1 kinds of pods")


def test_where_nothing_changes_nothing_is_looked_for() -> None:
    report = changed(CHAIN, CHAIN)
    assert (report.paths(), report.blast_radius()) == (Paths(), radii.BlastRadius())


@pytest.mark.parametrize("chunk", range(6))
def test_random_clusters_agree_with_a_plain_walk(chunk: int) -> None:
    told = 0
    for seed in range(chunk * 25, chunk * 25 + 25):
        told += _examine(case(seed))
    assert told


def _examine(made: Case) -> int:
    snapshots = [snapshot(made.base_files), snapshot(made.head_files)]
    universe = join(snapshots)
    host_network = HostNetwork(made.host_network)
    both = compile_revisions(universe, snapshots, host_network)
    before, after = MemoryTree(made.base_files), MemoryTree(made.head_files)
    report = diff(before, after, Options(host_network=host_network), base_revision=Revision("base"), head_revision=Revision("head"))
    hops = [_hops(universe, each) for each in both]
    expected = {name: hops[1][name] for name in hops[1].keys() - hops[0].keys()}
    found = {name: each.hops for each in report.paths().newly for name in each.workloads}
    assert found == expected, made.seed
    reached = [_reached(universe, each) for each in both]
    grown = {name: (len(reached[0][name]), len(reached[1][name])) for name in reached[0]}
    told = {name: (each.before, each.after) for each in report.blast_radius().changed for name in each.workloads}
    assert told == {name: counts for name, counts in grown.items() if counts[0] != counts[1]}, made.seed
    return len(found) + len(told)


def _possible(compiled: Compiled, mask: int) -> bool:
    return bool(compiled.space.layers(mask)[1])


def _next(universe: Universe, compiled: Compiled) -> dict[int, set[int]]:
    numbers = range(len(universe.classes))
    return {one: {other for other in numbers if _possible(compiled, compiled.cell(one, other))} for one in numbers}


def _hops(universe: Universe, compiled: Compiled) -> dict[str, int]:
    """The fewest hops from outside to each workload, by any of its pods."""
    after = _next(universe, compiled)
    layer = {number for number in after if any(_possible(compiled, mask) for mask in compiled.ingress.cover_of(number).outside.masks)}
    seen: dict[int, int] = {}
    hops = 1
    while layer:
        seen |= dict.fromkeys(layer, hops)
        layer, hops = {other for number in layer for other in after[number]} - seen.keys(), hops + 1
    found: dict[str, int] = {}
    for joint in universe.workloads:
        taken = [seen[number] for number in joint.classes if number in seen]
        if taken:
            found[joint.id] = min(taken)
    return found


def _reached(universe: Universe, compiled: Compiled) -> dict[str, set[str]]:
    """The other workloads that each workload comes to, by any of its pods."""
    after = _next(universe, compiled)
    found: dict[str, set[str]] = {}
    for joint in universe.workloads:
        seen: set[int] = set()
        layer = {other for number in joint.classes for other in after[number]}
        while layer:
            seen |= layer
            layer = {other for number in layer for other in after[number]} - seen
        names = {universe.workloads[index].id for number in seen for index in universe.members[number]}
        found[joint.id] = names - {joint.id}
    return found

"""The delta against the full computation: every changed cell of every pair of classes, once, on random clusters and on realistic ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

import pytest

from analyzers.interest import INTEREST
from analyzers.manifests.inventory import take_inventory
from analyzers.manifests.load import load
from analyzers.manifests.objects import settle
from analyzers.model.cluster import HostNetwork
from analyzers.model.policy import Direction
from analyzers.model.records import PolicyMeaning
from analyzers.reachability.bits import members_of
from analyzers.reachability.compiled import Compiled, compile_revisions
from analyzers.reachability.cover import overlay_addresses
from analyzers.reachability.delta import Delta, compare
from analyzers.reachability.universe import Snapshot, Universe, join
from analyzers.sets.ip_blocks import Family
from benchmarks.shapes import Files, mass_change, one_line_change, profile, repository
from tests.oracle.cases import case
from tests.property.product import MemoryTree

CHUNK = 100


def snapshot(files: Mapping[str, bytes]) -> Snapshot:
    objects, _ = settle(load(MemoryTree(files), INTEREST).found)
    policies = tuple(policy for each in objects if isinstance(each.meaning, PolicyMeaning) for policy in each.meaning.policies)
    return Snapshot(take_inventory(objects), policies)


def examine(base_files: Mapping[str, bytes], head_files: Mapping[str, bytes], host_network: HostNetwork) -> int:
    """Compare the delta with all cells; how many changed."""
    snapshots = [snapshot(base_files), snapshot(head_files)]
    universe = join(snapshots)
    base, head = compile_revisions(universe, snapshots, host_network)
    delta = compare(base, head)
    found = cells_of(delta)
    assert found == changed_cells(universe, base, head)
    assert outside_of(delta) == changed_outside(universe, base, head)
    return len(found)


def cells_of(delta: Delta) -> dict[tuple[int, int], tuple[int, int]]:
    """Every cell that the delta names, each of them once."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for each in delta.between:
        for source in members_of(each.sources):
            for destination in members_of(each.destinations):
                assert (source, destination) not in found
                found[source, destination] = (each.base, each.head)
    return found


def changed_cells(universe: Universe, base: Compiled, head: Compiled) -> dict[tuple[int, int], tuple[int, int]]:
    numbers = range(len(universe.classes))
    pairs = ((source, destination) for source in numbers for destination in numbers)
    cells = ((pair, (base.cell(*pair), head.cell(*pair))) for pair in pairs)
    return {pair: both for pair, both in cells if both[0] != both[1]}


Outside = dict[tuple[Direction, int, Family], dict[tuple[int, int], object]]


def outside_of(delta: Delta) -> Outside:
    found: Outside = {}
    for each in delta.outside:
        for number in members_of(each.classes):
            row = found.setdefault((each.direction, number, each.block.family), {})
            assert (each.base, each.head) not in row
            row[each.base, each.head] = each.block.addresses
    return found


def changed_outside(universe: Universe, base: Compiled, head: Compiled) -> Outside:
    found: Outside = {}
    for direction in Direction:
        for number in range(len(universe.classes)):
            covers = [revision.side(direction).cover_of(number).outside for revision in (base, head)]
            for family in Family:
                laid = overlay_addresses([cover.of(family) for cover in covers])
                row = {(masks[0], masks[1]): addresses for masks, addresses in laid.items() if masks[0] != masks[1]}
                if row:
                    found[direction, number, family] = dict(row)
    return found


@pytest.mark.parametrize("start", [0, *(pytest.param(start, marks=pytest.mark.slow) for start in range(CHUNK, 20 * CHUNK, CHUNK))])
def test_the_delta_is_the_full_difference_on_random_clusters(start: int) -> None:
    for seed in range(start, start + CHUNK):
        made = case(seed)
        examine(made.base_files, made.head_files, HostNetwork(made.host_network))


def relabelled(files: Files) -> Files:
    """A part of the workloads and of the namespaces get the labels of others."""
    rng = Random(5)
    edits = (("/name: app-3\n", "/name: app-4\n"), ("env: dev", "env: prod"))
    edited = dict(files)
    for path in files:
        if not path.startswith("policies/") and rng.random() < 0.5:
            for old, new in edits:
                edited[path] = edited[path].replace(old, new)
    return edited


def thinned(files: Files) -> Files:
    """A tenth of everything goes."""
    rng = Random(6)
    return {path: text for path, text in files.items() if rng.random() > 0.1}


@pytest.mark.parametrize("change", [one_line_change, mass_change, relabelled, thinned])
@pytest.mark.parametrize("isolated", [0.05, 0.9])
def test_the_delta_is_the_full_difference_on_realistic_clusters(change: Callable[[Files], Files], isolated: float) -> None:
    files = repository(profile("realistic", 900, 240, isolated))
    base, head = ({path: text.encode() for path, text in each.items()} for each in (files, change(files)))
    assert examine(base, head, HostNetwork.NODE) > 0
    assert examine(base, base, HostNetwork.NODE) == 0

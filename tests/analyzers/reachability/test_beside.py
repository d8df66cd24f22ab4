"""Pods beside known ones: the universe with both, and an index over it that asks the known one."""

from __future__ import annotations

from random import Random

import pytest

from analyzers.model.cluster import Cluster, HostNetwork, PodShape
from analyzers.model.policy import PodPeer
from analyzers.model.selectors import LabelSelector, Operator, Requirement, canonical_labels
from analyzers.reachability.beside import beside, index_beside
from analyzers.reachability.index import PodIndex
from analyzers.reachability.universe import Snapshot, join
from tests.analyzers.reachability.test_universe import of_seed, shape, workload


@pytest.mark.parametrize("seed", range(60))
def test_workloads_beside_others_are_classes_of_their_namespace_and_leave_all_else_as_it_is(seed: int) -> None:
    universe = join([Snapshot(each, ()) for each in of_seed(seed)])
    newcomers = [workload(name, (shape(app="new", name=name),)) for name in ("ns/new", "ns-a/new", "elsewhere/new")]
    grown = beside(universe, newcomers)
    found = grown.universe
    assert list(found.spans) == sorted({each.namespace for each in found.classes})
    for namespace, (start, stop) in found.spans.items():
        assert {each.namespace for each in found.classes[start:stop]} == {namespace}
    for before, after in zip(universe.workloads, found.workloads, strict=False):
        assert (after.id, after.versions) == (before.id, before.versions)
        assert [found.classes[each] for each in after.classes] == [universe.classes[each] for each in before.classes]
    assert [each.latest for each in found.workloads[len(universe.workloads) :]] == newcomers
    for number, (members, origin) in enumerate(zip(found.members, grown.origins, strict=True)):
        assert members
        assert found.classes[number] is universe.classes[origin] if origin >= 0 else number in grown.newcomers
        assert all(number in found.workloads[index].classes for index in members)


def any_selector(rng: Random, keys: dict[str, tuple[str, ...]]) -> LabelSelector:
    requirements = []
    for _ in range(rng.choice((0, 1, 1, 2))):
        key, operator = rng.choice(list(keys)), rng.choice(list(Operator))
        values = tuple(sorted(rng.sample(keys[key], rng.choice((1, 2))))) if operator in {Operator.IN, Operator.NOT_IN} else ()
        requirements.append(Requirement(key, operator, values))
    return LabelSelector(tuple(requirements))


@pytest.mark.parametrize("host_network", HostNetwork)
@pytest.mark.parametrize("seed", range(60))
def test_an_index_beside_a_known_one_selects_what_an_index_of_all_selects(seed: int, host_network: HostNetwork) -> None:
    rng = Random(seed)
    spaces = ("ns", "ns-a", "ns0")
    labelled = {name: canonical_labels({"team": rng.choice("ab")}) for name in spaces if rng.random() < 0.7}
    on_node = workload("ns/node", (PodShape(canonical_labels({"app": "0"}), host_network=True),))
    clusters = [Cluster(labelled, tuple(sorted((*each.workloads, on_node), key=lambda one: one.id))) for each in of_seed(seed)]
    universe = join([Snapshot(each, ()) for each in clusters])
    newcomers = [workload(name, (shape(app=rng.choice("012"), name=name),)) for name in ("ns/new", "ns-a/new", "made-up/new")]
    grown = beside(universe, newcomers)
    more = {**labelled, "made-up": canonical_labels({"team": "a"})}
    if rng.random() < 0.3:  # a newcomer whose namespace has labels for the first time
        more = {"ns": canonical_labels({"team": "b"}), **more}
    for revision, cluster in enumerate(clusters):
        known = PodIndex(universe, revision, Snapshot(cluster, ()), host_network)
        snapshot = Snapshot(Cluster(more, (*cluster.workloads, *newcomers)), ())
        found = index_beside(known, grown, revision, Snapshot(cluster, ()), snapshot)
        expected = PodIndex(grown.universe, revision, snapshot, host_network)
        assert (found.present, found.hosts, found.selectable, found.in_network, found.shapes) == (
            expected.present,
            expected.hosts,
            expected.selectable,
            expected.in_network,
            expected.shapes,
        )
        for _ in range(40):
            pods = any_selector(rng, {"app": ("0", "1", "2"), "name": ("ns/new", "made-up/new")})
            namespaces = any_selector(rng, {"team": ("a", "b"), "kubernetes.io/metadata.name": ("ns", "ns-a", "made-up")})
            peer = PodPeer(rng.choice((*spaces, "made-up", "nowhere", namespaces, namespaces)), pods, rng.random() < 0.2)
            assert found.select(peer) == expected.select(peer)
            for number in grown.newcomers:
                assert found.untold >> number & 1

"""The joint universe: which pods are one class, and how pods are matched between revisions."""

from __future__ import annotations

from random import Random

import pytest

from analyzers.model.cluster import Cluster, PodShape, Workload
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.selectors import canonical_labels
from analyzers.reachability.rejoined import rejoin
from analyzers.reachability.renumbering import Renumbering, narrowing, own_classes, widening
from analyzers.reachability.universe import Snapshot, Universe, join

HERE = (SourceLocation("w.yaml", 1),)


def shape(**labels: str) -> PodShape:
    return PodShape(canonical_labels(labels))


def workload(name: str, shapes: tuple[PodShape, ...]) -> Workload:
    namespace, _, own = name.partition("/")
    return Workload(namespace, own, "Deployment", shapes, HERE)


def joined(*revisions: dict[str, tuple[PodShape, ...]]) -> Universe:
    return join([Snapshot(Cluster({}, tuple(workload(*item) for item in sorted(each.items()))), ()) for each in revisions])


def test_pods_that_nothing_tells_apart_are_one_class() -> None:
    universe = joined({"shop/a": (shape(app="x"),), "shop/b": (shape(app="x"),), "shop/c": (shape(app="y"),), "other/a": (shape(app="x"),)})
    assert len(universe.classes) == 3
    assert sorted(map(len, universe.members)) == [1, 1, 2]


def test_classes_of_a_namespace_are_contiguous() -> None:
    universe = joined({f"ns-{number % 3}/w{number}": (shape(app=str(number)),) for number in range(9)})
    for namespace, (start, stop) in universe.spans.items():
        assert {each.namespace for each in universe.classes[start:stop]} == {namespace}
    assert sum(stop - start for start, stop in universe.spans.values()) == len(universe.classes)


def test_a_relabelled_workload_is_one_class_that_differs_between_revisions() -> None:
    universe = joined({"shop/a": (shape(app="x"),)}, {"shop/a": (shape(app="y"),)})
    assert [each.shapes for each in universe.classes] == [(shape(app="x"), shape(app="y"))]


def test_a_workload_of_one_revision_is_absent_from_the_other() -> None:
    universe = joined({"shop/a": (shape(app="x"),)}, {"shop/b": (shape(app="x"),)})
    assert {each.shapes for each in universe.classes} == {(shape(app="x"), None), (None, shape(app="x"))}


def test_pods_of_one_workload_that_differ_are_matched_by_equality_first_and_shared_with_nobody() -> None:
    base = {"shop/a": (shape(app="x"), shape(app="y")), "shop/b": (shape(app="x"),)}
    head = {"shop/a": (shape(app="w"), shape(app="x")), "shop/b": (shape(app="x"),)}
    universe = joined(base, head)
    varied = next(joint for joint in universe.workloads if joint.id == "shop/a[Deployment]")
    matched = [universe.classes[number].shapes for number in varied.classes]
    assert matched == [(shape(app="x"), shape(app="x")), (shape(app="y"), shape(app="w"))]
    assert all(len(universe.members[number]) == 1 for number in varied.classes)


def of_seed(seed: int) -> tuple[Cluster, Cluster]:
    rng = Random(seed)

    def workloads() -> dict[str, Workload]:
        names = sorted({f"ns{rng.choice(('', '-a', '0'))}/w{rng.randrange(6)}" for _ in range(8)})
        shapes = [shape(app=str(number)) for number in range(3)]
        return {name: workload(name, tuple(rng.sample(shapes, rng.choice((1, 1, 1, 2))))) for name in names}

    base = workloads()
    other = workloads()
    head = {name: rng.choice((base.get(name), other.get(name))) for name in {**base, **other}}
    both = (list(base.values()), [each for each in head.values() if each is not None])
    one, two = (Cluster({}, tuple(sorted(found, key=lambda each: each.id))) for found in both)
    return one, two


@pytest.mark.parametrize("seed", range(120))
def test_a_universe_of_known_classes_is_the_one_that_was_joined(seed: int) -> None:
    base, head = of_seed(seed)
    alone = join([Snapshot(base, ())])
    for after in (base, head):
        joint = join([Snapshot(base, ()), Snapshot(after, ())])
        differing = {each.latest.namespace for each in joint.workloads if each.versions[0] is not each.versions[1]}
        for moved in (differing, set(joint.spans)):
            found = rejoin(base, [each.classes for each in alone.workloads], after, moved)
            assert found.universe.classes == joint.classes
            assert found.universe.workloads == joint.workloads
            assert found.universe.members == joint.members
            assert list(found.universe.spans.items()) == list(joint.spans.items())
            assert list(found.origins) == widening(own_classes(alone), joint)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_renumbered_into_a_joint_universe_and_back_is_as_it_was(seed: int) -> None:
    base, head = of_seed(seed)
    alone, joint = join([Snapshot(base, ())]), join([Snapshot(base, ()), Snapshot(head, ())])
    origins = widening(own_classes(alone), joint)
    for number, origin in enumerate(origins):
        before = joint.classes[number].shapes[0]
        assert (origin < 0) is (before is None)
        assert before is None or alone.classes[origin].shapes == (before,)
    out, back = Renumbering(origins), Renumbering(narrowing(own_classes(alone), joint))
    for classes in (1 << number for number in range(len(alone.classes))):
        assert out.classes(classes)
        assert back.classes(out.classes(classes)) == classes

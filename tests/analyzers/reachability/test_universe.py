"""The joint universe: which pods are one class, and how pods are matched between revisions."""

from __future__ import annotations

from analyzers.model.cluster import Cluster, PodShape, Workload
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.selectors import canonical_labels
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

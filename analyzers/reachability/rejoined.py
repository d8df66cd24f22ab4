"""The joint universe of a revision whose classes are known and of another one: only namespaces in which they differ are classed again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter

from analyzers.model.cluster import Cluster, Workload
from analyzers.reachability.renumbering import Grown, widening
from analyzers.reachability.universe import EndpointClass, JointWorkload, Universe, join_workloads, universe_of

_ID = attrgetter("id")

_Held = tuple[Workload, tuple[int, ...]]
"""A workload, and the classes of its pods."""


def rejoin(base: Cluster, classes: Sequence[tuple[int, ...]], head: Cluster, moved: Collection[str]) -> Grown:
    """The universe that `join` gives of two revisions whose workloads differ in the `moved` namespaces alone, where those of base are known
    to be of these classes in base alone."""
    every = list(zip(base.workloads, classes, strict=True))
    kept = [each for each in every if each[0].namespace not in moved]
    known = _known(kept)
    again = join_workloads([[each for each in cluster.workloads if each.namespace in moved] for cluster in (base, head)])
    own = {workload.id: held for workload, held in every if workload.namespace in moved}
    origins = zip(again.classes, widening(own, again), strict=True)
    standing = sorted([*((known[number], number) for number in sorted(known)), *origins], key=_namespace)
    return Grown(_universe([each for each, _ in standing], kept, known, again), [origin for _, origin in standing])


def _universe(ordered: Sequence[EndpointClass], kept: Iterable[_Held], known: Mapping[int, EndpointClass], again: Universe) -> Universe:
    """The universe of classes in their order, each of which is a known one or one that was classed again."""
    place = {id(each): number for number, each in enumerate(ordered)}
    here = {number: place[id(each)] for number, each in known.items()}
    fresh = [place[id(each)] for each in again.classes]
    workloads = [JointWorkload(each.id, (each, each), tuple(map(here.__getitem__, held))) for each, held in kept]
    workloads += (JointWorkload(each.id, each.versions, tuple([fresh[number] for number in each.classes])) for each in again.workloads)
    return universe_of(ordered, sorted(workloads, key=_ID))


def _known(kept: Iterable[_Held]) -> dict[int, EndpointClass]:
    """The classes of workloads that are the same in both revisions."""
    found: dict[int, EndpointClass] = {}
    for workload, held in kept:
        if len(held) == 1:
            found[held[0]] = EndpointClass(workload.namespace, workload.shapes * 2)
            continue
        for number, shape in zip(held, workload.shapes, strict=True):
            found[number] = EndpointClass(workload.namespace, (shape, shape), workload.id)
    return found


def _namespace(standing: tuple[EndpointClass, int]) -> str:
    return standing[0].namespace

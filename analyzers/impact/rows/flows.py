"""The matrix at the level of workloads: its endpoints, and its rows one by one, as a stream."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from analyzers.impact.report import Flow
from analyzers.impact.rows.vias import Vias
from analyzers.model.cluster import INGRESS_CONTROLLER, Endpoint, ExternalBlock, IngressController
from analyzers.model.policy import Direction
from analyzers.reachability.matrix import Matrix
from analyzers.reachability.universe import Universe
from analyzers.reachability.ways_in import WaysIn


def endpoints(universe: Universe, found: Matrix, ways: WaysIn) -> tuple[Endpoint, ...]:
    """Every workload, and whatever else some workload can reach or be reached from, by id."""
    pairs = ((direction, index) for direction in Direction for index in range(len(universe.workloads)))
    named: dict[str, Endpoint] = {block.id: block for pair in pairs for block, _ in found.outside(*pair)}
    named |= {joint.id: joint.latest for joint in universe.workloads}
    if any(True for classes, _ in ways.pieces for _ in universe.within(classes)):
        named[INGRESS_CONTROLLER.id] = INGRESS_CONTROLLER
    return tuple(named[key] for key in sorted(named))


def flows(universe: Universe, found: Matrix, ways: WaysIn) -> Iterator[Flow]:
    """The rows of a matrix, sorted by (source, destination)."""
    verdicts, vias = found.compiled.space.verdicts, Vias(universe, [ways])
    ids = [joint.id for joint in universe.workloads]
    beyond: dict[ExternalBlock | IngressController, Mapping[int, int]] = dict(found.from_outside().items())
    beyond[INGRESS_CONTROLLER] = _through(universe, ways)
    sources: list[tuple[str, int | ExternalBlock | IngressController]] = [
        *((each.id, each) for each in beyond),
        *((name, index) for index, name in enumerate(ids)),
    ]
    for name, source in sorted(sources, key=lambda item: item[0]):
        row = {ids[each]: mask for each, mask in (found.towards_pods(source) if isinstance(source, int) else beyond[source]).items()}
        if isinstance(source, int):
            row |= {block.id: mask for block, mask in found.outside(Direction.EGRESS, source)}
        for destination, mask in sorted(row.items()):
            read = verdicts(mask)
            flow = Flow(name, destination, read.connections, read.may, read.conditions)
            yield flow if isinstance(source, int) else vias.beside_flow(flow, source.block if isinstance(source, ExternalBlock) else source)


def _through(universe: Universe, ways: WaysIn) -> Mapping[int, int]:
    """The workloads that traffic through ingress controllers reaches, with the verdict mask; pods that differ are united."""
    reached: dict[int, int] = defaultdict(int)
    for classes, mask in ways.pieces:
        for index in universe.within(classes):
            reached[index] |= mask
    return reached

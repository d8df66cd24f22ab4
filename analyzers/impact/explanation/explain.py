"""Why one pair connects or not: every policy and rule that speaks about it, by file and line."""

from __future__ import annotations

import difflib
from functools import reduce
from operator import or_

from analyzers.impact.explanation.questions import ExplainError as ExplainError
from analyzers.impact.explanation.questions import PortQuestion
from analyzers.impact.explanation.steps import End, Side, Steps, masks_at
from analyzers.impact.explanation.ways import WaysExplained, service_leads
from analyzers.impact.report import Effect, Explanation, Step
from analyzers.model.cluster import INGRESS_CONTROLLER, ExternalBlock
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.policy import Direction
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.matrix import Matrix
from analyzers.reachability.universe import JointWorkload, Snapshot, Universe
from analyzers.reachability.ways_in import WaysIn
from analyzers.sets.ip_blocks import IPBlock, parse_address


class Explainer:
    """Answers questions about one compiled revision."""

    def __init__(self, universe: Universe, compiled: Compiled, snapshot: Snapshot, diagnostics: tuple[Diagnostic, ...]) -> None:
        self._universe, self._compiled, self._diagnostics = universe, compiled, diagnostics
        self._services = snapshot.cluster.services
        self._steps = Steps(compiled, snapshot.policies)
        self._ways = WaysExplained(universe, compiled, WaysIn(compiled, snapshot), self._steps)
        self._matrix = Matrix(universe, compiled)
        self._indices = {joint.id: index for index, joint in enumerate(universe.workloads)}

    def explain(self, source_text: str, destination_text: str, port: PortQuestion | None) -> Explanation:
        """The verdict for one pair and what decided it; `port` must be an atom of the compiled revision. Raises ExplainError."""
        if source_text == INGRESS_CONTROLLER.id:
            return self._through_controllers(destination_text, port)
        source, destination = self._end(source_text), self._end(destination_text)
        if isinstance(source, IPBlock) and isinstance(destination, IPBlock):
            raise ExplainError("unknown-endpoint", "both ends are addresses: at least one must be a workload, such as shop/web[Deployment]")
        egress = self._side(Direction.EGRESS, source, destination, port)
        ingress = self._side(Direction.INGRESS, destination, source, port)
        names = (_name(source, source_text), _name(destination, destination_text))
        return self._answer(names, destination, self._cells(source, destination), port, (egress, ingress))

    def _through_controllers(self, destination_text: str, port: PortQuestion | None) -> Explanation:
        """What comes in through ingress controllers."""
        destination = self._end(destination_text)
        if not isinstance(destination, JointWorkload):
            raise ExplainError("unknown-endpoint", "an ingress controller leads to workloads, such as shop/web[Deployment]")
        number = port.number if port is not None else None
        steps = (self._ways.leading(destination, number), self._ways.entering(destination, number))
        return self._answer((INGRESS_CONTROLLER.id, destination.id), destination, self._ways.mask(destination), port, steps)

    def _answer(
        self,
        names: tuple[str, str],
        destination: End,
        mask: int,
        port: PortQuestion | None,
        steps: tuple[tuple[Step, ...], tuple[Step, ...]],
    ) -> Explanation:
        """The answer, where `mask` is what connects on all ports."""
        verdicts = self._compiled.space.verdicts(mask & self._asked(port))
        verdict = "allowed" if verdicts.connections - verdicts.may else "may" if verdicts.may else "denied"
        asked = (port.protocol, port.number) if port is not None else None
        leads = service_leads(self._services, destination, verdicts.connections, asked) if isinstance(destination, JointWorkload) else ()
        question = str(port) if port else None
        return Explanation(*names, question, verdict, verdicts.connections, verdicts.may, *steps, self._diagnostics, leads)

    def _end(self, text: str) -> End:
        """The workload or the addresses that a person names."""
        matches = [text] if text in self._indices else [key for key in self._indices if key.partition("[")[0] == text]
        if len(matches) == 1:
            return self._universe.workloads[self._indices[matches[0]]]
        block = self._block(text) if not matches else None
        if block is not None:
            return block
        near = matches or difflib.get_close_matches(text, self._indices, n=3, cutoff=0.7)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ExplainError("unknown-endpoint", f"{text!r} is neither a workload of these manifests nor an address{hint}")

    def _block(self, text: str) -> IPBlock | None:
        try:
            return parse_address(text)
        except ValueError:
            pairs = ((direction, index) for direction in Direction for index in range(len(self._universe.workloads)))
            named = (block for pair in pairs for block, _ in self._matrix.outside(*pair))
            return next((block.block for block in named if block.id == text), None)

    def _cells(self, source: End, destination: End) -> int:
        if isinstance(source, IPBlock):
            return self._address_mask(Direction.INGRESS, destination, source)
        if isinstance(destination, IPBlock):
            return self._address_mask(Direction.EGRESS, source, destination)
        if source is destination and not source.latest.has_replicas:
            return self._compiled.space.certain
        return reduce(or_, (self._compiled.cell(one, other) for one in source.classes for other in destination.classes))

    def _address_mask(self, direction: Direction, workload: End, block: IPBlock) -> int:
        assert isinstance(workload, JointWorkload)
        masks = [masks_at(self._compiled.side(direction).cover_of(number), block) for number in workload.classes]
        if any(len(each) > 1 for each in masks):
            raise ExplainError("not-uniform", f"policy tells addresses of {', '.join(block.cidrs())} apart: ask about one of them")
        return reduce(or_, (each.pop() for each in masks))

    def _asked(self, port: PortQuestion | None) -> int:
        space = self._compiled.space
        return space.certain if port is None else space.settled(space.port(port.protocol, port.number))

    def _side(self, direction: Direction, subject: End, other: End, port: PortQuestion | None) -> tuple[Step, ...]:
        """What decides one direction, in the order of evaluation."""
        if isinstance(subject, IPBlock):
            return (Step(Effect.ALLOWS, "outside the cluster no policy applies"),)
        space = self._compiled.space
        asked = space.every_port if port is None else space.port(port.protocol, port.number)
        return tuple(self._steps.of(Side(direction, subject, other, asked, str(port))))


def _name(end: End, text: str) -> str:
    return end.id if isinstance(end, JointWorkload) else ExternalBlock(end).id if "/" in text else text

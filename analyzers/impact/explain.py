"""Why one pair connects or not: every policy and rule that speaks about it, by file and line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import or_

from analyzers.impact.report import Effect, Explanation, Step
from analyzers.model.cluster import ExternalBlock
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.policy import EVERY_PORT, AnyPeer, Direction, Policy, Rule
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.cover import Cover
from analyzers.reachability.decide import decide
from analyzers.reachability.matrix import Matrix
from analyzers.reachability.universe import JointWorkload, Universe
from analyzers.sets.connections import PORTS, Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock, parse_address


class ExplainError(Exception):
    """The question cannot be answered as asked. `reason` is `unknown-endpoint`, `invalid-port` or `not-uniform`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PortQuestion:
    """One port of one protocol, as asked for."""

    number: int
    protocol: Protocol

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


def parse_port(text: str) -> PortQuestion:
    """`8080/TCP`, `53/udp` or `8080` (TCP). Raises ExplainError."""
    found = re.fullmatch(r"(\d{1,5})(?:/([A-Za-z]+))?", text)
    protocol = (found[2] or "TCP").upper() if found else ""
    if not found or int(found[1]) not in PORTS or protocol not in Protocol.__members__:
        raise ExplainError("invalid-port", f"{text!r} is not a port such as 8080/TCP (1 to 65535; TCP, UDP or SCTP)")
    return PortQuestion(int(found[1]), Protocol(protocol))


End = JointWorkload | IPBlock


class Explainer:
    """Answers questions about one compiled revision."""

    def __init__(self, universe: Universe, compiled: Compiled, policies: tuple[Policy, ...], diagnostics: tuple[Diagnostic, ...]) -> None:
        self._universe, self._compiled, self._diagnostics = universe, compiled, diagnostics
        self._policies = sorted(policies, key=lambda policy: (policy.tier, str(policy.ref)))
        self._matrix = Matrix(universe, compiled)
        self._indices = {joint.id: index for index, joint in enumerate(universe.workloads)}

    def explain(self, source_text: str, destination_text: str, port: PortQuestion | None) -> Explanation:
        """The verdict for one pair and what decided it; `port` must be an atom of the compiled revision. Raises ExplainError."""
        source, destination = self._end(source_text), self._end(destination_text)
        if isinstance(source, IPBlock) and isinstance(destination, IPBlock):
            raise ExplainError("unknown-endpoint", "both ends are addresses: at least one must be a workload, such as shop/web[Deployment]")
        mask = self._cells(source, destination) & self._asked(port)
        verdicts = self._compiled.space.verdicts(mask)
        verdict = "allowed" if verdicts.connections - verdicts.may else "may" if verdicts.may else "denied"
        steps = (self._steps(Direction.EGRESS, source, destination, port), self._steps(Direction.INGRESS, destination, source, port))
        egress, ingress = map(tuple, steps)
        names = (_name(source, source_text), _name(destination, destination_text))
        return Explanation(
            *names, str(port) if port else None, verdict, verdicts.connections, verdicts.may, egress, ingress, self._diagnostics
        )

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
        masks = [_masks_at(self._compiled.side(direction).cover_of(number), block) for number in workload.classes]
        if any(len(each) > 1 for each in masks):
            raise ExplainError("not-uniform", f"policy tells addresses of {', '.join(block.cidrs())} apart: ask about one of them")
        return reduce(or_, (each.pop() for each in masks))

    def _asked(self, port: PortQuestion | None) -> int:
        space = self._compiled.space
        return space.certain if port is None else space.settled(space.port(port.protocol, port.number))

    def _steps(self, direction: Direction, subject: End, other: End, port: PortQuestion | None) -> Iterator[Step]:
        """What decides one direction, in the order of evaluation."""
        if isinstance(subject, IPBlock):
            yield Step(Effect.ALLOWS, "outside the cluster no policy applies")
            return
        isolating = [policy for policy in self._policies if direction in policy.isolates and self._selected(policy, subject)]
        isolated = {number for policy in isolating for number in self._selected(policy, subject)}
        if subject is other and not subject.latest.has_replicas:
            yield Step(Effect.ALLOWS, "a pod always reaches itself")
        elif len(isolated) < len(subject.classes):
            which = f"some pods of {subject.id} are" if isolated else f"{subject.id} is"
            reason = "its node's network is used, which policy does not restrict" if subject.latest.host_network else "no policy selects it"
            yield Step(Effect.ALLOWS, f"{which} not isolated for {direction}: {reason}")
        for policy in isolating:
            yield _step(policy, Effect.ISOLATES, f"selects {subject.id} for {direction}; what no rule allows is denied", None)
            yield from self._rule_steps(policy, direction, subject, other, port)

    def _rule_steps(
        self, policy: Policy, direction: Direction, subject: JointWorkload, other: End, port: PortQuestion | None
    ) -> Iterator[Step]:
        for rule in policy.rules_of(direction):
            everyone = f"{'from' if direction is Direction.INGRESS else 'to'} {_peers(rule)} on {_ports(rule)}"
            passed = self._passed(replace(policy, rules=(rule,)), direction, subject, other)
            matched = self._compiled.space.verdicts(passed & self._asked(port)).connections
            if matched:
                yield _step(policy, Effect.ALLOWS, f"{everyone}: allows {matched}", rule)
                continue
            named = other.id if isinstance(other, JointWorkload) else ", ".join(other.cidrs())
            reason = f"admits {named}, but not on {port}" if passed else f"does not match {named} on any port"
            yield _step(policy, Effect.NO_MATCH, f"{everyone}: {reason}", rule)

    def _passed(self, policy: Policy, direction: Direction, subject: JointWorkload, other: End) -> int:
        """What a policy lets through by itself between the pods that it selects and the other end."""
        index, passed = self._compiled.index, 0
        for number in self._selected(policy, subject):
            cover = decide(direction, (policy,), index, self._compiled.space, partial(index.resolve, number))
            passed |= reduce(or_, _masks_at(cover, other) if isinstance(other, IPBlock) else map(cover.at, other.classes))
        return passed

    def _selected(self, policy: Policy, workload: JointWorkload) -> tuple[int, ...]:
        """The classes of a workload that a policy selects."""
        subjects = self._compiled.index.select(policy.subject)
        return tuple(number for number in workload.classes if subjects >> number & 1)


def _masks_at(cover: Cover, block: IPBlock) -> set[int]:
    """The masks that the addresses of a block have."""
    return {mask for low, high, mask in cover.outside.of(block.family) if block.addresses & IntervalSet(((low, high),))}


def _step(policy: Policy, effect: Effect, detail: str, rule: Rule | None) -> Step:
    place = rule.origin if rule is not None else policy.origin
    name = f"{rule.direction}[{rule.index}]" if rule is not None else None
    return Step(effect, detail, str(policy.ref), policy.tier.name, name, place.path, place.line)


def _name(end: End, text: str) -> str:
    return end.id if isinstance(end, JointWorkload) else ExternalBlock(end).id if "/" in text else text


def _peers(rule: Rule) -> str:
    return "everyone" if any(isinstance(peer, AnyPeer) for peer in rule.peers) else " or ".join(map(str, rule.peers))


def _ports(rule: Rule) -> str:
    return "all ports" if rule.ports == EVERY_PORT else ", ".join(map(str, rule.ports))

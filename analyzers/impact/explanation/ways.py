"""Why traffic that comes in through an ingress controller reaches a workload or not, and through which Services a workload is reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_

from analyzers.impact.explanation.steps import EFFECTS, Side, Steps, speaks_of, step_of
from analyzers.impact.report import Effect, ServiceLead, Step
from analyzers.model.cluster import NamedPort, Service
from analyzers.model.policy import Direction, Policy, Rule
from analyzers.model.ways_in import WayIn
from analyzers.reachability.bits import bits_of
from analyzers.reachability.compiled import Compiled
from analyzers.reachability.landings import Landing
from analyzers.reachability.universe import JointWorkload, Universe
from analyzers.reachability.unknown_controller import Match
from analyzers.reachability.ways_in import WaysIn
from analyzers.sets.connections import ConnectionSet, Protocol

_WORDS = {
    Match.CERTAIN: "holds the ingress controller, wherever it runs",
    Match.PERHAPS: "may be meant for the ingress controller, which is not in the manifests",
    Match.NO: "is not about the ingress controller",
}


class WaysExplained:
    """Answers questions about what comes in through ingress controllers, in one compiled revision."""

    def __init__(self, universe: Universe, compiled: Compiled, ways: WaysIn, steps: Steps) -> None:
        self._universe, self._compiled, self._ways, self._steps = universe, compiled, ways, steps

    def mask(self, destination: JointWorkload) -> int:
        """What reaches a workload, as a verdict mask."""
        classes = bits_of(destination.classes)
        return reduce(or_, (mask for reached, mask in self._ways.pieces if reached & classes), 0)

    def leading(self, destination: JointWorkload, port: int | None) -> tuple[Step, ...]:
        """The ways in that lead to a workload, on the port asked about or on any, and what policy lets their controllers do."""
        landings = self._landings(destination, port)
        if not landings:
            asked = "" if port is None else f" on port {port}"
            return (Step(Effect.DENIES, f"no Ingress, Route or route of a Gateway leads to {destination.id}{asked}"),)
        steps = dict.fromkeys(map(_leads, landings))
        serving = (step for each in self._serving(landings) for step in self._side(Direction.EGRESS, each, destination, port))
        unknown = self._restricting() if any(not self._ways.controllers(way) for way in _ways(landings)) else ()
        return (*steps, *serving, *unknown)

    def entering(self, destination: JointWorkload, port: int | None) -> tuple[Step, ...]:
        """What policy at a workload says about the controllers of the ways that lead to it."""
        landings = self._landings(destination, port)
        serving = self._serving(landings)
        known = [step for each in serving for step in self._side(Direction.INGRESS, destination, each, port)]
        unknown = any(not self._ways.controllers(way) for way in _ways(landings)) or not landings
        return (*known, *(self._from_unknown(destination) if unknown else ()))

    def _landings(self, destination: JointWorkload, port: int | None) -> tuple[Landing, ...]:
        classes = bits_of(destination.classes)
        found = (each for each in self._ways.landings.through if each.classes & classes and port in {None, each.target})
        return tuple(found)

    def _serving(self, landings: Iterable[Landing]) -> list[JointWorkload]:
        """The workloads that are the controllers of some ways, where the manifests hold them."""
        classes = reduce(or_, map(self._ways.controllers, _ways(landings)), 0)
        return [self._universe.workloads[index] for index in dict.fromkeys(self._universe.within(classes))]

    def _side(self, direction: Direction, subject: JointWorkload, other: JointWorkload, port: int | None) -> Iterator[Step]:
        space = self._compiled.space
        asked = space.every_port if port is None else reduce(or_, (space.port(protocol, port) for protocol in Protocol))
        return self._steps.of(Side(direction, subject, other, asked, "all ports" if port is None else str(port)))

    def _restricting(self) -> Iterator[Step]:
        """The policies of the whole cluster that apply to what a controller sends of which nothing is known."""
        for policy, match in self._ways.unknown.restricting:
            verb = "selects" if match is Match.CERTAIN else "may select"
            for rule in policy.rules_of(Direction.EGRESS):
                yield step_of(policy, EFFECTS[rule.action], f"{speaks_of(rule)}: {verb} the ingress controller, wherever it runs", rule)

    def _from_unknown(self, destination: JointWorkload) -> Iterator[Step]:
        policies = self._ways.deciding(bits_of(destination.classes))
        if not policies:
            yield Step(Effect.ALLOWS, f"{destination.id} is not isolated for ingress: no policy selects it")
        for policy in sorted(policies, key=lambda each: (each.tier, each.priority or 0, str(each.ref))):
            if policy.isolates:
                detail = f"selects {destination.id} for ingress; what no rule allows is denied"
                yield step_of(policy, Effect.ISOLATES, detail, None)
            yield from (self._rule(policy, rule) for rule in policy.rules_of(Direction.INGRESS))

    def _rule(self, policy: Policy, rule: Rule) -> Step:
        match = self._ways.unknown.of_rule(rule)
        effect = Effect.NO_MATCH if match is Match.NO else EFFECTS[rule.action]
        return step_of(policy, effect, f"{speaks_of(rule)}: {_WORDS[match]}", rule)


def service_leads(
    services: Sequence[Service], destination: JointWorkload, connections: ConnectionSet, asked: tuple[Protocol, int] | None
) -> tuple[ServiceLead, ...]:
    """The Services through which a workload is reached: on ports that connect, or on the one that is asked about, which may be that of the
    Service itself."""
    found = []
    for service in services:
        if service.namespace != destination.latest.namespace or not service.selector:
            continue
        shapes = [each for each in destination.latest.shapes if frozenset(service.selector) <= frozenset(each.labels)]
        for port in service.ports if shapes else ():
            named = NamedPort(str(port.target), port.protocol)
            targets = {port.target} if isinstance(port.target, int) else {dict(each.named_ports).get(named) for each in shapes}
            for target in sorted(number for number in targets if number is not None):
                numbers = {(port.protocol, target), (port.protocol, port.port)}
                if asked in numbers if asked is not None else target in connections.ports(port.protocol):
                    found.append(ServiceLead(f"{service.namespace}/{service.name}", port.port, port.protocol, target, service.origin))
    return tuple(sorted(found, key=lambda each: (each.service, each.port, each.target)))


def _ways(landings: Iterable[Landing]) -> list[WayIn]:
    return list(dict.fromkeys(each.way for each in landings if each.way is not None))


def _leads(landing: Landing) -> Step:
    """`Ingress shop/web leads to Service shop/cart:80 → targetPort 7070`."""
    assert landing.way is not None
    assert landing.backend is not None
    service = f"Service {landing.service.namespace}/{landing.service.name}:{landing.port.port}"
    place = landing.backend.origin
    return Step(Effect.ALLOWS, f"leads to {service} → targetPort {landing.target}", landing.way.title, None, None, place.path, place.line)

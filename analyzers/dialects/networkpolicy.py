"""The Kubernetes NetworkPolicy dialect: networking.k8s.io/v1.

Source: the API reference of NetworkPolicy, whose field rules stand beside each reader.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.dialects.dialect import Dialect, Lowered
from analyzers.model.cluster import NamedPort
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_port_name, read_port_number, read_protocol, read_selector
from analyzers.model.policy import (
    EVERY_PORT,
    AnyPeer,
    Direction,
    IPPeer,
    NumberedPorts,
    Peer,
    PodPeer,
    Policy,
    PolicyRef,
    PortMatch,
    Rule,
    Tier,
)
from analyzers.model.selectors import LabelSelector
from analyzers.sets.connections import PORTS
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock, parse_cidr

_TYPES = {"Ingress": Direction.INGRESS, "Egress": Direction.EGRESS}
_FIELDS = {
    "spec": ("podSelector", "policyTypes", "ingress", "egress"),
    "ingress": ("from", "ports"),
    "egress": ("to", "ports"),
    "peer": ("podSelector", "namespaceSelector", "ipBlock"),
    "ipBlock": ("cidr", "except"),
    "port": ("port", "protocol", "endPort"),
    "selector": ("matchLabels", "matchExpressions"),
}


def lower(manifest: Manifest) -> Lowered:
    """The policy that one NetworkPolicy object states. Raises InvalidObject for what the API server would reject."""
    spec = root(manifest)["spec"]
    reader = _Reader(manifest)
    reader.check_fields(spec, "spec")
    subject = PodPeer(manifest.namespace, reader.selector(spec["podSelector"]))
    isolates = _isolates(spec)
    # Rules of a direction that policyTypes leaves out have no effect, and are validated all the same.
    written = [reader.rule(direction, index, field) for direction in Direction for index, field in enumerate(spec[direction].items())]
    rules = tuple(rule for rule in written if rule.direction in isolates)
    ref = PolicyRef(manifest.kind, manifest.namespace, manifest.name)
    policy = Policy(ref, Tier.NETWORK_POLICY, subject, isolates, rules, manifest.location)
    return Lowered((policy,), tuple(reader.diagnostics))


def _isolates(spec: Field) -> frozenset[Direction]:
    """policyTypes; missing or empty means Ingress, and Egress too when there are egress rules."""
    named = [(field, field.text()) for field in spec["policyTypes"].items()]
    for field, text in named:
        if text not in _TYPES:
            raise field.fail(f"{text!r} is not one of Ingress, Egress")
    if len(named) > len(_TYPES):
        raise spec["policyTypes"].fail("may not hold more than two types")
    if named:
        return frozenset(_TYPES[text] for _, text in named)
    return frozenset(_TYPES.values()) if any(spec["egress"].items()) else frozenset({Direction.INGRESS})


class _Reader:
    """Reads the parts of one object and gathers what is worth a diagnostic."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.diagnostics: list[Diagnostic] = []

    def note(self, code: str, field: Field, problem: str) -> None:
        """Add a diagnostic about one field."""
        location = SourceLocation(self.manifest.location.path, field.line)
        self.diagnostics.append(Diagnostic.at(code, f"{self.manifest.title}: {field.path}: {problem}", location))

    def check_fields(self, field: Field, schema: str) -> None:
        """Report fields that the API does not know: a misspelt one changes what the policy means."""
        for key, inner in field.fields():
            if key not in _FIELDS[schema]:
                self.note("unknown-field", inner, f"is not a field of the API, which knows {', '.join(_FIELDS[schema])}")

    def selector(self, field: Field) -> LabelSelector:
        """A label selector, its field names checked."""
        self.check_fields(field, "selector")
        return read_selector(field)

    def rule(self, direction: Direction, index: int, field: Field) -> Rule:
        """One ingress or egress rule. No peers, or an empty list, means everyone; no ports means all."""
        self.check_fields(field, direction)
        peers = tuple(self.peer(peer) for peer in field["from" if direction is Direction.INGRESS else "to"].items())
        ports = tuple(port for each in field["ports"].items() for port in self.port(each))
        location = SourceLocation(self.manifest.location.path, field.line)
        return Rule(direction, index, peers or (AnyPeer(),), ports or EVERY_PORT, location)

    def peer(self, field: Field) -> Peer:
        """One peer: a podSelector alone means the policy's own namespace; an ipBlock stands alone."""
        self.check_fields(field, "peer")
        if field["ipBlock"]:
            if field["podSelector"] or field["namespaceSelector"]:
                raise field.fail("an ipBlock may not stand beside a selector")
            return self.ip_block(field["ipBlock"])
        if not field["podSelector"] and not field["namespaceSelector"]:
            raise field.fail("must have a podSelector, a namespaceSelector or an ipBlock")
        pods = self.selector(field["podSelector"])
        if not field["namespaceSelector"]:
            return PodPeer(self.manifest.namespace, pods)
        return PodPeer(self.selector(field["namespaceSelector"]), pods)

    def ip_block(self, field: Field) -> IPPeer:
        """A CIDR less its exceptions, each of which must lie strictly inside it."""
        self.check_fields(field, "ipBlock")
        family, block = self.cidr(field["cidr"])
        excepted = []
        for each in field["except"].items():
            inner_family, inner = self.cidr(each)
            if inner_family is not family or not inner.issubset(block) or inner == block:
                raise each.fail(f"{each.text()} does not lie strictly inside {field['cidr'].text()}")
            excepted.append(inner)
        if _may_hold_pods(family, block):
            problem = f"{field['cidr'].text()} is read as addresses outside the cluster; it could hold pods too"
            self.note("ipblock-may-cover-pods", field["cidr"], problem)
        addresses = block - IntervalSet.of(pair for inner in excepted for pair in inner.intervals)
        return IPPeer(IPBlock(family, addresses), _as_written(field))

    def cidr(self, field: Field) -> tuple[Family, IntervalSet]:
        """The family and addresses of one CIDR."""
        try:
            family, span, masked = parse_cidr(field.text())
        except ValueError as error:
            raise field.fail(str(error)) from error
        if masked:
            self.note("cidr-host-bits", field, f"{field.text()} has host bits set, which are masked")
        return family, IntervalSet((span,))

    def port(self, field: Field) -> Iterator[PortMatch]:
        """One entry of ports: a number, a range by endPort, a name, or all ports of the protocol."""
        self.check_fields(field, "port")
        protocol, port, end = read_protocol(field["protocol"]), field["port"], field["endPort"]
        if port.is_text():
            if end:
                raise end.fail("may not be used with a named port")
            yield NamedPort(read_port_name(port), protocol)
        elif port:
            first = read_port_number(port)
            last = read_port_number(end) if end else first
            if last < first:
                raise end.fail(f"{last} lies below port {first}")
            yield NumberedPorts(protocol, IntervalSet(((first, last),)))
        elif end:
            raise end.fail("needs a port")
        else:
            yield NumberedPorts(protocol, PORTS)


def _as_written(field: Field) -> str:
    excepted = [each.text() for each in field["except"].items()]
    return field["cidr"].text() + (f" except {', '.join(excepted)}" if excepted else "")


_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_POD_SPACE: tuple[tuple[Family, IntervalSet], ...] = tuple((parse_cidr(text)[0], IntervalSet((parse_cidr(text)[1],))) for text in _PRIVATE)


def _may_hold_pods(family: Family, block: IntervalSet) -> bool:
    """A private or whole-family block: where clusters take their pod addresses from."""
    return block == family.everything or any(space_family is family and block & space for space_family, space in _POD_SPACE)


DIALECT = Dialect("Kubernetes NetworkPolicy", frozenset({("networking.k8s.io", "NetworkPolicy")}), lower)

"""The Kubernetes NetworkPolicy dialect: networking.k8s.io/v1.

Source: the API reference of NetworkPolicy, whose field rules stand beside each reader.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.dialects.dialect import Dialect, Lowered
from analyzers.dialects.reader import ObjectReader, may_hold_pods
from analyzers.model.cluster import NamedPort
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_port_name, read_port_number, read_protocol
from analyzers.model.pod_network import UNKNOWN_NETWORK, Held, PodNetwork
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
from analyzers.sets.connections import PORTS
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock

_TYPES = {"Ingress": Direction.INGRESS, "Egress": Direction.EGRESS}
_FIELDS = {
    "spec": ("podSelector", "policyTypes", "ingress", "egress"),
    "ingress": ("from", "ports"),
    "egress": ("to", "ports"),
    "peer": ("podSelector", "namespaceSelector", "ipBlock"),
    "ipBlock": ("cidr", "except"),
    "port": ("port", "protocol", "endPort"),
}


def lower(manifest: Manifest, network: PodNetwork = UNKNOWN_NETWORK) -> Lowered:
    """The policy that one NetworkPolicy object states. Raises InvalidObject for what the API server would reject."""
    spec = root(manifest)["spec"]
    reader = _Reader(manifest, network)
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


class _Reader(ObjectReader):
    """Reads the parts of one NetworkPolicy."""

    def __init__(self, manifest: Manifest, network: PodNetwork) -> None:
        super().__init__(manifest)
        self._pod_network = network

    def check_fields(self, field: Field, schema: str) -> None:
        """Report fields of one of its objects that the API does not know."""
        self.check_known(field, _FIELDS[schema])

    def rule(self, direction: Direction, index: int, field: Field) -> Rule:
        """One ingress or egress rule. No peers, or an empty list, means everyone; no ports means all."""
        self.check_fields(field, direction)
        peers = tuple(self.peer(peer) for peer in field["from" if direction is Direction.INGRESS else "to"].items())
        ports = tuple(port for each in field["ports"].items() for port in self.port(each))
        return Rule(direction, index, peers or (AnyPeer(),), ports or EVERY_PORT, self.at(field))

    def peer(self, field: Field) -> Peer:
        """One peer: a podSelector alone means the policy's own namespace; an ipBlock stands alone."""
        self.check_fields(field, "peer")
        block, pods, namespaces = field["ipBlock"], field["podSelector"], field["namespaceSelector"]
        if block:
            if pods or namespaces:
                raise field.fail("an ipBlock may not stand beside a selector")
            return self.ip_block(block)
        if not pods and not namespaces:
            raise field.fail("must have a podSelector, a namespaceSelector or an ipBlock")
        selected = self.selector(pods)
        return PodPeer(self.selector(namespaces) if namespaces else self.manifest.namespace, selected)

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
        addresses = IPBlock(family, block - IntervalSet.of(pair for inner in excepted for pair in inner.intervals))
        if not self._pod_network and may_hold_pods(family, block):
            problem = f"{field['cidr'].text()} is read as addresses outside the cluster; it could hold pods too"
            self.note("ipblock-may-cover-pods", field["cidr"], problem)
        if self._pod_network.meets(addresses):
            problem = f"{_as_written(field)} holds addresses of pods (pod_cidrs); network plugins differ in whether it matches them: may"
            self.note("ipblock-overlaps-pods", field["cidr"], problem)
            return IPPeer(addresses, _as_written(field), Held.PERHAPS)
        return IPPeer(addresses, _as_written(field))

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


DIALECT = Dialect("Kubernetes NetworkPolicy", frozenset({("networking.k8s.io", "NetworkPolicy")}), lower)

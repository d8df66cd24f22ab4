"""The admin policies of policy.networking.k8s.io, in all their kinds: one policy with a subject, and rules that allow, deny or pass.

Source: the API types of that group, v1alpha1 and v1alpha2. Their validation is quoted beside each reader, in our words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from analyzers.dialects.dialect import Lowered
from analyzers.dialects.reader import ObjectReader, may_hold_pods
from analyzers.model.cluster import NamedPort
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Field, Manifest, root
from analyzers.model.metadata import read_port_number
from analyzers.model.pod_network import Held, PodNetwork
from analyzers.model.policy import (
    EVERY_PORT,
    Action,
    AnyPeer,
    Direction,
    NetworkPeer,
    NumberedPorts,
    Peer,
    PodPeer,
    Policy,
    PolicyRef,
    PortMatch,
    Rule,
    Tier,
    UnresolvedPeer,
)
from analyzers.model.selectors import LabelSelector
from analyzers.sets.connections import Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock

GROUP = "policy.networking.k8s.io"

LONGEST_NAME = 100
"""Characters of a rule's name."""

MOST_ADDRESSES = 25
"""Networks, or domain names, of one peer."""

HIGHEST_PRIORITY = 1000

_POD_PEERS = ("namespaces", "pods")
_DOMAIN = re.compile(r"(\*\.)?([A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?\.?")


class Shape(Struct, frozen=True):
    """What the kinds and versions of the family do differently.

    `most_rules` counts those of one direction, `most_entries` the peers or ports of a rule. `egress_peers` are the fields of a peer that
    rules know besides pods, and `pods_require` those of a peer or subject of pods that must be there. `ports` names the list of ports, and
    `port` reads one of it.
    """

    versions: tuple[str, ...]
    actions: Mapping[str, Action]
    most_rules: int
    most_entries: int
    egress_peers: tuple[str, ...]
    ports: str
    port: Callable[[AdminReader, Field], Iterator[PortMatch]]
    pods_require: tuple[str, ...]


def unknown_version(manifest: Manifest, shape: Shape) -> Lowered | None:
    """Nothing but a diagnostic for a version of the API that is not known: what its fields mean is not either."""
    if manifest.version in shape.versions:
        return None
    problem = f"{manifest.title} ({manifest.group}/{manifest.version}) decides traffic and is not analysed: known is {shape.versions[-1]}"
    return Lowered((), (Diagnostic.at("unsupported-kind", problem, manifest.location),))


class AdminReader(ObjectReader):
    """Reads the parts of one admin policy."""

    def __init__(self, manifest: Manifest, shape: Shape, network: PodNetwork) -> None:
        super().__init__(manifest)
        self.spec, self._shape, self._pod_network = root(manifest)["spec"], shape, network

    def policy(self, tier: Tier, priority: int | None, fields: Sequence[str] = ()) -> Lowered:
        """The policy of the object; `fields` are what its specification has besides a subject and rules."""
        self.check_known(self.spec, (*fields, "subject", *Direction))
        subject = self._subject(self.spec["subject"])
        rules = tuple(rule for direction in Direction for rule in self._rules(direction))
        ref = PolicyRef(self.manifest.kind, "", self.manifest.name)
        policy = Policy(ref, tier, subject, frozenset(), rules, self.manifest.location, priority)
        return Lowered((policy,), tuple(self.diagnostics))

    def priority(self) -> int:
        """From 0, which comes first, to 1000."""
        field = self.spec["priority"]
        if not 0 <= field.number() <= HIGHEST_PRIORITY:
            raise field.fail(f"{field.number()} is not a priority from 0 to {HIGHEST_PRIORITY}")
        return field.number()

    def only(self, field: Field, known: Sequence[str]) -> tuple[str, Field]:
        """The one field that an object of alternatives has."""
        present = [(key, field[key]) for key in known if field[key]]
        if len(present) != 1:
            raise field.fail(f"must have exactly one of {', '.join(known)}")
        return present[0]

    def _subject(self, field: Field) -> PodPeer:
        self.check_known(field, _POD_PEERS)
        return self._pods(*self.only(field, _POD_PEERS))

    def _rules(self, direction: Direction) -> Iterator[Rule]:
        field, most = self.spec[direction], self._shape.most_rules
        for index, each in enumerate(field.items()):
            if index == most:
                raise field.fail(f"may not hold more than {most} rules")
            yield self._rule(direction, index, each)

    def _rule(self, direction: Direction, index: int, field: Field) -> Rule:
        """One rule: the traffic that matches both its peers and its ports; without ports, every port."""
        other_end = "from" if direction is Direction.INGRESS else "to"
        self.check_known(field, ("name", "action", other_end, self._shape.ports))
        name, action = self._name(field["name"]), self._action(field["action"])
        peers = self._peers(direction, action, self._entries(field[other_end], self._shape.most_entries))
        ports = self._ports(field[self._shape.ports])
        if peers is None:
            # A peer without a field that is known fails closed: the rule allows nothing, and what would not allow denies everything.
            if action is Action.ALLOW:
                return Rule(direction, index, (), ports, self.at(field), action, name)
            return Rule(direction, index, (AnyPeer(),), EVERY_PORT, self.at(field), Action.DENY, name)
        if any(isinstance(port, NamedPort) for port in ports) and not all(isinstance(peer, PodPeer) for peer in peers):
            raise field[self._shape.ports].fail("may not name a port beside a peer that has none: networks, nodes or domain names")
        peers = self._held(field[other_end], peers)
        return Rule(direction, index, peers, ports, self.at(field), action, name)

    def _name(self, field: Field) -> str:
        if len(field.text("")) > LONGEST_NAME:
            raise field.fail(f"may not be longer than {LONGEST_NAME} characters")
        return field.text("")

    def _action(self, field: Field) -> Action:
        actions = self._shape.actions
        if field.text() not in actions:
            raise field.fail(f"{field.text()!r} is not one of {', '.join(actions)}")
        return actions[field.text()]

    def _entries(self, field: Field, most: int) -> tuple[Field, ...]:
        """A list that holds at least one entry, and not too many."""
        entries = tuple(field.items())
        if not entries:
            raise field.fail("must hold at least one entry")
        if len(entries) > most:
            raise field.fail(f"may not hold more than {most} entries")
        return entries

    def _peers(self, direction: Direction, action: Action, entries: Iterable[Field]) -> tuple[Peer, ...] | None:
        """The peers of a rule; None where one has no field that is known."""
        known = _POD_PEERS if direction is Direction.INGRESS else (*_POD_PEERS, *self._shape.egress_peers)
        found: list[Peer] = []
        failed = False
        for each in entries:
            written = [key for key, inner in each.fields() if inner]
            if written and not set(written) & set(known):
                reading = "matches nothing" if action is Action.ALLOW else "denies everything"
                self.note("unknown-peer", each, f"{', '.join(written)} is no peer that the API knows; the rule fails closed: it {reading}")
                failed = True
            else:
                self.check_known(each, known)
                found += self._peer(*self.only(each, known), action)
        return None if failed else tuple(found)

    def _peer(self, kind: str, field: Field, action: Action) -> Iterator[Peer]:
        if kind in _POD_PEERS:
            yield self._pods(kind, field)
        elif kind == "networks":
            for each in self._distinct(field):
                yield NetworkPeer(self._network(each), each.text())
        else:
            text = (
                f"nodes {self.selector(field)}"
                if kind == "nodes"
                else f"domain names {', '.join(map(self._domain, self._distinct(field)))}"
            )
            reading = "denies nothing" if action is Action.DENY else "perhaps matches any address outside the cluster"
            self.note("unresolvable-peer", field, f"manifests do not tell the addresses of {text}: it matches no workload, and {reading}")
            yield UnresolvedPeer(text)

    def _pods(self, kind: str, field: Field) -> PodPeer:
        """Pods of namespaces. Those on the network of their node are never among them."""
        if kind == "namespaces":
            return PodPeer(self.selector(field), LabelSelector(), host_network=False)
        self.check_known(field, ("namespaceSelector", "podSelector"))
        for key in self._shape.pods_require:
            if not field[key]:
                self.note("missing-field", field, f"{key} is required, and may be empty; read as if it were")
        return PodPeer(self.selector(field["namespaceSelector"]), self.selector(field["podSelector"]), host_network=False)

    def _distinct(self, field: Field) -> tuple[Field, ...]:
        entries = self._entries(field, MOST_ADDRESSES)
        if len({each.text() for each in entries}) < len(entries):
            raise field.fail("may not hold an entry twice")
        return entries

    def _network(self, field: Field) -> IPBlock:
        if ":" in field.text() and "." in field.text():
            raise field.fail(f"{field.text()!r} is an IPv4 address inside IPv6, which is not supported")
        return IPBlock(*self.cidr(field))

    def _domain(self, field: Field) -> str:
        if not _DOMAIN.fullmatch(field.text()):
            raise field.fail(f"{field.text()!r} is not a domain name such as example.com or *.example.com")
        return field.text()

    def _held(self, field: Field, peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
        """The peers, with the pods that the networks among them hold together; networks that could hold more are told of."""
        networks = [peer for peer in peers if isinstance(peer, NetworkPeer)]
        held = self._pod_network.held_by(peer.block for peer in networks)
        doubtful = ", ".join(peer.cidr for peer in networks if self._is_doubtful(peer.block))
        if doubtful and held is Held.NONE:
            self.note("networks-may-match-pods", field, f"{doubtful} could hold addresses of pods; read as if it held none")
        if held is Held.PERHAPS:
            self.note("networks-may-match-pods", field, f"{doubtful} holds the addresses of some pods, nobody can tell of which: may")
        return tuple(replace(peer, pods=held) if isinstance(peer, NetworkPeer) else peer for peer in peers)

    def _is_doubtful(self, block: IPBlock) -> bool:
        """Whether a network could hold addresses of pods, by what is known of them."""
        return self._pod_network.meets(block) if self._pod_network else may_hold_pods(block.family, block.addresses)

    def _ports(self, field: Field) -> tuple[PortMatch, ...]:
        if not field:
            return EVERY_PORT
        return tuple(port for each in self._entries(field, self._shape.most_entries) for port in self._shape.port(self, each))


def port_range(protocol: Protocol, field: Field) -> NumberedPorts:
    """Ports from `start` to `end`, which must lie above it."""
    start, end = read_port_number(field["start"]), read_port_number(field["end"])
    if start >= end:
        raise field.fail(f"end {end} must lie above start {start}")
    return NumberedPorts(protocol, IntervalSet(((start, end),)))


def named_port(field: Field) -> Iterator[PortMatch]:
    """A container port by its name alone, in whatever protocol."""
    return (NamedPort(field.text(), protocol) for protocol in Protocol)


def mixed_apis(policies: Iterable[Policy]) -> tuple[Diagnostic, ...]:
    """A warning where both generations of the API are in use, as while a cluster migrates: each tier's policies are read together."""
    kinds = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy"), ("ClusterNetworkPolicy",)
    listed = list(policies)
    old, new = (sorted((p for p in listed if p.ref.kind in each), key=lambda p: (p.origin.path, p.origin.line)) for each in kinds)
    if not old or not new:
        return ()
    problem = f"{new[0].ref} stands beside {old[0].ref} ({old[0].origin}): the policies of each tier are read together, by priority"
    return (Diagnostic.at("mixed-admin-apis", problem, new[0].origin),)

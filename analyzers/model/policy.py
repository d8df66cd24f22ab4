"""The policy representation that every policy API lowers to.

A dialect differs in syntax and in its tier; a rule is a rule. Selected + isolated + no matching rule = denied.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from msgspec import Struct

from analyzers.model.cluster import NamedPort
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.pod_network import Held
from analyzers.model.selectors import LabelSelector
from analyzers.sets.connections import PORTS, Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock


class Direction(StrEnum):
    """The side of a connection that a rule speaks about, seen from the subject."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Tier(IntEnum):
    """Where a policy stands in the order of evaluation; lower comes first."""

    ADMIN = 10
    NETWORK_POLICY = 20
    BASELINE = 30


class Action(StrEnum):
    """What a rule does with the connections that it matches; a pass leaves them to the next tier."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"


class AnyPeer(Struct, frozen=True, array_like=True, tag=True):
    """Everyone: every pod and every address outside the cluster."""


class PodPeer(Struct, frozen=True, array_like=True, tag=True):
    """The pods that `pods` selects in the namespaces that `namespaces` selects. A string names one namespace: the policy's own.

    `host_network` is false where pods on the network of their node do not count, however else they are read: in the admin tiers.
    """

    namespaces: LabelSelector | str
    pods: LabelSelector
    host_network: bool = True

    def __str__(self) -> str:
        where = f"namespace {self.namespaces}" if isinstance(self.namespaces, str) else f"namespaces {self.namespaces}"
        return f"pods {self.pods} in {where}"


class IPPeer(Struct, frozen=True, array_like=True, tag=True):
    """Addresses outside the cluster: a CIDR less its exceptions. `cidr` is as written, for people. `pods` are those that it holds too,
    which it matches or not, as the network plugin has it."""

    block: IPBlock
    cidr: str
    pods: Held = Held.NONE

    def __str__(self) -> str:
        return f"ipBlock {self.cidr}"


class NetworkPeer(Struct, frozen=True, array_like=True, tag=True):
    """A CIDR of the admin tiers, which traffic between pods is checked against too. `cidr` is as written, for people; `pods` are those that
    the networks of its rule hold together."""

    block: IPBlock
    cidr: str
    pods: Held = Held.NONE

    def __str__(self) -> str:
        return f"network {self.cidr}"


class UnresolvedPeer(Struct, frozen=True, array_like=True, tag=True):
    """Addresses that manifests do not tell, such as those of nodes or of a domain name: no workload, and perhaps any address outside the
    cluster. `text` is as written, for people."""

    text: str

    def __str__(self) -> str:
        return self.text


Peer = AnyPeer | PodPeer | IPPeer | NetworkPeer | UnresolvedPeer


class NumberedPorts(Struct, frozen=True, array_like=True, tag=True):
    """Ports of one protocol by number."""

    protocol: Protocol
    numbers: IntervalSet

    def __str__(self) -> str:
        shown = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in self.numbers.intervals)
        return f"{self.protocol} {shown}" if self.numbers != PORTS else f"all {self.protocol} ports"


PortMatch = NumberedPorts | NamedPort
"""A set of ports: by number, or by a name that resolves on the destination pod."""

EVERY_PORT: tuple[PortMatch, ...] = tuple(NumberedPorts(protocol, PORTS) for protocol in Protocol)
"""What a rule without ports matches."""


class Rule(Struct, frozen=True, array_like=True):
    """Allows, denies or passes connections of one direction between the policy's subject and any of `peers` on any of `ports`; without
    peers it matches nothing. `index` counts from 0 in its direction; `name` is for people."""

    direction: Direction
    index: int
    peers: tuple[Peer, ...]
    ports: tuple[PortMatch, ...]
    origin: SourceLocation
    action: Action = Action.ALLOW
    name: str = ""


class PolicyRef(Struct, frozen=True, array_like=True):
    """Which object a policy comes from."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Policy(Struct, frozen=True, array_like=True):
    """One policy, lowered: `subject` selects the pods it is about, `isolates` are the directions in which they are denied what no rule
    allows.

    In the admin tiers nothing is isolated: by ascending `priority` the first rule that matches decides. None is a priority that the API
    does not give: before or after all others of the tier.
    """

    ref: PolicyRef
    tier: Tier
    subject: PodPeer
    isolates: frozenset[Direction]
    rules: tuple[Rule, ...]
    origin: SourceLocation
    priority: int | None = None

    def decides(self, direction: Direction) -> bool:
        """Whether it decides anything in a direction."""
        return direction in self.isolates or any(rule.direction is direction for rule in self.rules)

    def rules_of(self, direction: Direction) -> Iterable[Rule]:
        """Its rules of one direction, in the order written."""
        return (rule for rule in self.rules if rule.direction is direction)

"""The values of a guardrail file: zones, guardrails, exceptions and invariants, as .flowdelta.yaml states them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from msgspec import Struct, field

from analyzers.model.selectors import LabelSelector
from analyzers.sets.connections import ConnectionSet
from analyzers.sets.ip_blocks import IPBlock
from service.signoff.flows import Certainty, Change

EVERYTHING = LabelSelector()


class Zone(Struct, frozen=True):
    """A named set of endpoints: the pods that `pods` selects in the namespaces that are named or selected; or, where `blocks` is not None,
    addresses outside the cluster. A zone of all addresses outside also holds what comes in through an ingress controller."""

    name: str
    line: int
    names: frozenset[str] | None = None
    namespaces: LabelSelector = EVERYTHING
    pods: LabelSelector = EVERYTHING
    blocks: tuple[IPBlock, ...] | None = None
    through_controllers: bool = False


class End(Struct, frozen=True):
    """One end of a condition: in any of the zones (all of the world where there are none), and in none of `beside`. `endpoint` is one
    endpoint by its id, which exceptions may name."""

    zones: tuple[Zone, ...] = ()
    beside: tuple[Zone, ...] = ()
    endpoint: str = ""


class Condition(Struct, frozen=True):
    """Flows between two ends on some ports."""

    source: End
    destination: End
    ports: ConnectionSet


class Trigger(Struct, frozen=True):
    """What brings a guardrail into play: flows of a condition that opened or closed, at least as certain as said."""

    change: Change
    condition: Condition
    certainty: Certainty


class Outcome(StrEnum):
    """What a guardrail asks for beside signatures."""

    BLOCK = "block"
    WARN = "warn"


class Signature(Struct, frozen=True):
    """Who must agree: `count` different people who are in any of the groups or named as users. Authors and contributors of the change do
    not count unless it says so; with `unknown_contributors`, a commit whose author the forge does not know does not stop the approval."""

    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    count: int = 1
    author: bool = False
    contributors: bool = False
    unknown_contributors: bool = False


class Demand(Struct, frozen=True):
    """The consequences of a guardrail: block or warn, or every one of the signatures; labels to set and people to tell."""

    outcome: Outcome | None = None
    signatures: tuple[Signature, ...] = ()
    labels: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()


class Guardrail(Struct, frozen=True):
    """One rule about changed flows. It holds for any of its triggers."""

    name: str
    line: int
    when: tuple[Trigger, ...]
    require: Demand


class Law(StrEnum):
    """Whether the flows of an invariant must not be there, or must."""

    NEVER = "never"
    ALWAYS = "always"


class Invariant(Struct, frozen=True):
    """What must hold on head, changed or not. `certainty` says from which verdict on a flow counts as there."""

    name: str
    line: int
    law: Law
    condition: Condition
    certainty: Certainty
    require: Demand


class Exemption(Struct, frozen=True):
    """Flows that a guardrail or an invariant lets pass, why, and until when (that day included)."""

    guardrail: str
    line: int
    condition: Condition
    reason: str
    expires: date


class Guardrails(Struct, frozen=True):
    """A whole file. `source` says which: the digest of its text names the version that a decision was made by."""

    source: str = ""
    zones: Mapping[str, Zone] = field(default_factory=dict)
    guardrails: tuple[Guardrail, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    exceptions: tuple[Exemption, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.guardrails or self.invariants)

    @property
    def rules(self) -> tuple[Guardrail | Invariant, ...]:
        """Every rule, guardrails first."""
        return (*self.guardrails, *self.invariants)

"""Protection lost: pods that policies isolated and no longer do, whether or not a flow of today changes, and policies that select nothing.

A flow that another rule allows anyway hides what a relabelled pod or a misspelt selector does to the next one; this says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property

from msgspec import Struct

from analyzers.impact.causation.changed import Changed, Side
from analyzers.impact.causation.mixtures import Mixtures
from analyzers.impact.rows.endpoint_sets import EndpointSet, Members
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.policy import Direction, Policy, PolicyRef
from analyzers.reachability.bits import bits_of, members_of
from analyzers.reachability.policy_index import selecting
from analyzers.reachability.universe import Universe


class Reason(StrEnum):
    """Why a policy does not protect pods any more."""

    REMOVED = "the policy was removed"
    SELECTOR = "the policy selects other pods now"
    DIRECTION = "the policy does not isolate in this direction any more"
    RELABELLED = "the pods were relabelled"
    NODE = "the pods use the network of their node now"


class LostProtection(Struct, frozen=True, eq=False):
    """Workloads that some policies isolated in a direction in base, and in head do not. With `exposed` no other policy does either: the
    default deny is lost. `origin` is where the first of the policies stands in base."""

    workloads: EndpointSet
    direction: Direction
    lost: tuple[PolicyRef, ...]
    reasons: tuple[Reason, ...]
    exposed: bool
    origin: SourceLocation

    @property
    def because(self) -> str:
        """Why, in words."""
        return " and ".join(self.reasons)


class IdlePolicy(Struct, frozen=True):
    """A policy of head that selects no known pod: a new one, or one that selected some in base."""

    policy: PolicyRef
    origin: SourceLocation
    because: str


class Protection(Struct, frozen=True):
    """Protection lost, by workloads, and policies that came to protect nothing, by name."""

    lost: tuple[LostProtection, ...] = ()
    idle: tuple[IdlePolicy, ...] = ()


def protection(universe: Universe, base: Side, head: Side, changed: Changed, mixtures: Mixtures) -> Protection:
    """What policies protected in base, and do not in head."""
    compared = _Compared(universe, base, head, changed, mixtures)
    return Protection(tuple(compared.lost()), tuple(sorted(compared.idle(), key=lambda each: _order(each.policy))))


_Loss = tuple[Policy, Reason]
_Losses = tuple[tuple[PolicyRef, Reason, SourceLocation], ...]


class _Compared:
    """The policies of two revisions, and the pods that they select."""

    def __init__(self, universe: Universe, base: Side, head: Side, changed: Changed, mixtures: Mixtures) -> None:
        self._universe, self._changed, self._mixtures, self._policies = universe, changed, mixtures, head.snapshot.policies
        self._before, self._after = base.compiled, head.compiled
        self._moved = not mixtures.same_pods and any(each.shapes[0] != each.shapes[1] for each in universe.classes)
        self._stated = [policy for each in changed.policies for policy in changed.policies_at(each, undone=False)]
        self._known: dict[tuple[Direction, int], bool] = {}

    def lost(self) -> Iterator[LostProtection]:
        """The protection lost, by direction, policies and why."""
        found: dict[tuple[Direction, _Losses, bool], list[int]] = {}
        for direction in Direction:
            stated = self._isolating(self._stated, direction)
            for number, losses in self._losses(direction).items():
                exposed = not stated >> number & 1 and not self._isolated(number, direction)
                # Where other policies still isolate, one that went only allowed: nothing is less protected.
                telling = [(policy, reason) for policy, reason in losses if exposed or reason is not Reason.REMOVED]
                if telling:
                    found.setdefault((direction, _canonical(telling), exposed), []).append(number)
        for (direction, losses_alike, exposed), classes in found.items():
            yield self._told(direction, losses_alike, exposed, classes)

    def idle(self) -> Iterator[IdlePolicy]:
        """The policies of head that came to select nothing."""
        for each in self._changed.policies:
            old = {policy.ref: policy for policy in self._changed.policies_at(each, undone=True)}
            for policy in self._changed.policies_at(each, undone=False):
                before = old.get(policy.ref)
                if not self._after.index.select(policy.subject) and (before is None or self._before.index.select(before.subject)):
                    why = "it is new" if before is None else "it selected some before"
                    yield IdlePolicy(policy.ref, policy.origin, why)
        for policy in self._reselecting:
            if not self._after.index.select(policy.subject) and self._before.index.select(policy.subject):
                yield IdlePolicy(policy.ref, policy.origin, "the pods that it selected were relabelled or removed")

    def _losses(self, direction: Direction) -> dict[int, list[_Loss]]:
        """The classes that some policy isolated in base and does not in head."""
        found: dict[int, list[_Loss]] = {}
        for old, new in self._pairs():
            if direction not in old.isolates:
                continue
            before = self._before.index.select(old.subject) & self._after.index.present
            after = self._after.index.select(new.subject) if new is not None and direction in new.isolates else 0
            for number in members_of(before & ~after):
                found.setdefault(number, []).append((old, self._reason(number, new)))
        return found

    def _pairs(self) -> Iterator[tuple[Policy, Policy | None]]:
        """The policies of base beside what became of them, so far as that can make a difference."""
        for each in self._changed.policies:
            new = {policy.ref: policy for policy in self._changed.policies_at(each, undone=False)}
            yield from ((old, new.get(old.ref)) for old in self._changed.policies_at(each, undone=True))
        yield from ((each, each) for each in self._reselecting)

    @cached_property
    def _reselecting(self) -> tuple[Policy, ...]:
        """The policies that both revisions have and that select other pods than they did."""
        if not self._moved:
            return ()
        before, after = (side.index.select for side in (self._before, self._after))
        found = selecting(self._policies, lambda subject: before(subject) != after(subject))
        return tuple(policy for policy in found if not self._changed.is_of_head(policy))

    def _reason(self, number: int, new: Policy | None) -> Reason:
        before, after = self._before.index, self._after.index
        if new is None:
            return Reason.REMOVED
        if after.select(new.subject) >> number & 1:
            return Reason.DIRECTION
        if after.hosts & ~before.hosts & 1 << number:
            return Reason.NODE
        return Reason.RELABELLED if before.select(new.subject) >> number & 1 else Reason.SELECTOR

    def _isolated(self, number: int, direction: Direction) -> bool:
        """Whether some unchanged policy isolates a class in head."""
        index = self._universe.members[number][0]
        if not self._mixtures.steady(self._universe.workloads[index]):
            return self._isolates(index, number, direction)
        key = (direction, self._before.side(direction).group_of[number])
        if key not in self._known:
            self._known[key] = self._isolates(index, number, direction)
        return self._known[key]

    def _isolates(self, index: int, number: int, direction: Direction) -> bool:
        return bool(self._isolating(self._mixtures.unchanged(index), direction) >> number & 1)

    def _isolating(self, policies: Iterable[Policy], direction: Direction) -> int:
        """The classes of head that policies isolate."""
        found = 0
        for policy in policies:
            found |= self._after.index.select(policy.subject) if direction in policy.isolates else 0
        return found

    def _told(self, direction: Direction, losses: _Losses, exposed: bool, classes: Sequence[int]) -> LostProtection:
        held = [(number, self._universe.members[number][0]) for number in classes]
        whole = {number for number, index in held if len(self._universe.workloads[index].classes) == 1}
        singles = frozenset(index for number, index in held if number not in whole)
        workloads = EndpointSet(self._universe, Members(bits_of(whole), singles))
        policies = tuple(dict.fromkeys(policy for policy, _, _ in losses))
        return LostProtection(workloads, direction, policies, tuple(dict.fromkeys(why for _, why, _ in losses)), exposed, losses[0][2])


def _canonical(losses: Iterable[_Loss]) -> _Losses:
    found = [(policy.ref, reason, policy.origin) for policy, reason in losses]
    return tuple(sorted(found, key=lambda each: (_order(each[0]), each[1], each[2].path, each[2].line)))


def _order(policy: PolicyRef) -> tuple[str, str, str]:
    return (policy.kind, policy.namespace, policy.name)

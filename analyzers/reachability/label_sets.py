"""Sets of labels: what a conjunction of requirements means, in a canonical form, and labels that meet it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from analyzers.model.selectors import Labels, Operator, Requirement


class Allowed(Struct, frozen=True, order=True):
    """What one key may be: `absent`, or one of `values`, or with `others` anything but one of `values`."""

    absent: bool
    others: bool
    values: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether no pod can meet it."""
        return not (self.absent or self.others or self.values)

    def __and__(self, more: Allowed) -> Allowed:
        one, other = frozenset(self.values), frozenset(more.values)
        if self.others and more.others:
            values = one | other
        elif self.others or more.others:
            values = other - one if self.others else one - other
        else:
            values = one & other
        return Allowed(self.absent and more.absent, self.others and more.others, tuple(sorted(values)))

    def admits(self, value: str | None) -> bool:
        """Whether a key may have this value, or be absent."""
        return self.absent if value is None else (value in self.values) is not self.others


ANYTHING = Allowed(True, True, ())

LabelSet = tuple[tuple[str, Allowed], ...]
"""What each key may be, by key; keys that may be anything are left out. Equal exactly when the same labels meet it."""


def label_set(requirements: Iterable[Requirement]) -> LabelSet:
    """What a conjunction of requirements means."""
    found: dict[str, Allowed] = {}
    for each in requirements:
        found[each.key] = found.get(each.key, ANYTHING) & _allowed(each)
    return tuple((key, found[key]) for key in sorted(found) if found[key] != ANYTHING)


def _allowed(requirement: Requirement) -> Allowed:
    if requirement.operator is Operator.IN:
        return Allowed(False, False, tuple(sorted(set(requirement.values))))
    if requirement.operator is Operator.NOT_IN:
        return Allowed(True, True, tuple(sorted(set(requirement.values))))
    return Allowed(False, True, ()) if requirement.operator is Operator.EXISTS else Allowed(True, False, ())


def holds(wanted: LabelSet, labels: Mapping[str, str]) -> bool:
    """Whether labels are in the set."""
    return all(allowed.admits(labels.get(key)) for key, allowed in wanted)


def is_empty(wanted: LabelSet) -> bool:
    """Whether no labels are in the set."""
    return any(allowed.is_nothing for _, allowed in wanted)


def pins_down(wanted: LabelSet, names: Collection[str]) -> bool:
    """Whether the set asks for some label to be there, other than these."""
    return any(not allowed.absent for key, allowed in wanted if key not in names)


Fresh = Callable[[str], str]
"""A value for a key that no requirement names."""


def witness(wanted: LabelSet, fresh: Fresh) -> Labels:
    """The fewest labels that are in the set, which must not be empty."""
    return tuple((key, allowed.values[0] if not allowed.others else fresh(key)) for key, allowed in wanted if not allowed.absent)


def fresh_among(named: Mapping[str, Collection[str]]) -> Fresh:
    """Values that stand apart from all those named, by key."""

    def fresh(key: str) -> str:
        return next(value for value in _candidates() if value not in named.get(key, ()))

    return fresh


def values_named(requirements: Iterable[Requirement]) -> dict[str, set[str]]:
    """The values that requirements name, by key."""

    found: dict[str, set[str]] = {}
    for each in requirements:
        found.setdefault(each.key, set()).update(each.values)
    return found


def _candidates() -> Iterator[str]:
    yield "any"
    number = 2
    while True:
        yield f"any-{number}"
        number += 1

"""Label selectors: a canonical form that can be compared, hashed and matched."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

Labels = tuple[tuple[str, str], ...]
"""Labels in canonical form: pairs sorted by key."""


def canonical_labels(labels: Mapping[str, str]) -> Labels:
    """The labels as sorted pairs."""
    return tuple(sorted(labels.items()))


class Operator(StrEnum):
    """The operators of a label requirement, as the API spells them."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class Requirement(Struct, frozen=True, order=True, array_like=True):
    """One condition on one label key. `values` is sorted, and empty for the two operators that take none."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet the condition. The negative operators hold when the key is absent."""
        if self.operator is Operator.IN:
            return labels.get(self.key) in self.values
        if self.operator is Operator.NOT_IN:
            return labels.get(self.key) not in self.values
        return (self.key in labels) is (self.operator is Operator.EXISTS)

    def __str__(self) -> str:
        if self.operator is Operator.IN and len(self.values) == 1:
            return f"{self.key}={self.values[0]}"
        if self.operator is Operator.IN:
            return f"{self.key} in ({', '.join(self.values)})"
        if self.operator is Operator.NOT_IN:
            return f"{self.key} not in ({', '.join(self.values)})"
        return self.key if self.operator is Operator.EXISTS else f"!{self.key}"


class LabelSelector(Struct, frozen=True, array_like=True):
    """A conjunction of requirements, sorted; `()` matches everything. Whether a selector was given at all is the reader's business."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet every requirement."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ", ".join(map(str, self.requirements)) or "all"

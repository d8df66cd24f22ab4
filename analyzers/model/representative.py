"""A pod that could exist: what a policy selects, and no known workload is."""

from __future__ import annotations

from analyzers.model.cluster import Workload
from analyzers.model.selectors import Labels

REPRESENTATIVE = "Representative"
"""The kind of a representative."""


class Representative(Workload, frozen=True):
    """A pod that stands for all that a selector means: exactly the labels that the selector asks for, in a namespace that it selects.

    `selector` is how the selector reads. `namespace_labels` are those of its namespace, name included; where the namespace is `made_up`,
    no revision has it, and `namespace` is what it goes by in the analysis.
    """

    selector: str = ""
    namespace_labels: Labels = ()
    made_up: bool = False

    @property
    def id(self) -> str:
        """The endpoint id: as the selector reads."""
        return self.selector

"""Cases: a seed names a base, a head, how they are written down, and how pods on the host network are to be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from tests.oracle.clusters import cluster
from tests.oracle.files import shown, write
from tests.oracle.mutate import mutate
from tests.oracle.reading import Document

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Case:
    """Two revisions as documents, and as the files that hold them."""

    seed: int
    host_network: str
    base: list[Document]
    head: list[Document]
    base_files: Files
    head_files: Files

    def rewritten(self) -> Case:
        """The same documents in other files and another order."""
        rng = Random(-self.seed - 1)
        return replace(self, base_files=write(rng, self.base), head_files=write(rng, self.head))

    def shown(self) -> str:
        """Everything that a person needs to see the case again."""
        return (
            f"seed {self.seed}, hostNetwork as {self.host_network}; `python -m tests.oracle {self.seed} FOLDER` writes the files:\n"
            f"===== base\n{shown(self.base_files)}\n===== head\n{shown(self.head_files)}"
        )


def case(seed: int) -> Case:
    """The case that a seed names, always the same."""
    rng = Random(seed)
    host_network = rng.choice(("node", "node", "pod"))
    base = cluster(rng)
    head = mutate(rng, base)
    return Case(seed, host_network, base, head, write(rng, base), write(rng, head))

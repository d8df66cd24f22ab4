"""Cases: a seed names a base, a head, how they are written down, how pods on the host network are to be read, and the addresses of pods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from tests.oracle.admin import networks
from tests.oracle.clusters import cluster
from tests.oracle.files import shown, write
from tests.oracle.mutate import mutate
from tests.oracle.policies import pod_cidrs
from tests.oracle.reading import Document, read

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
    pod_cidrs: tuple[str, ...] = ()

    @property
    def reading(self) -> tuple[str, tuple[str, ...]]:
        """How both revisions are to be read."""
        return self.host_network, self.pod_cidrs

    def rewritten(self) -> Case:
        """The same documents in other files and another order."""
        rng = Random(-self.seed - 1)
        return replace(self, base_files=write(rng, self.base), head_files=write(rng, self.head))

    def shown(self) -> str:
        """Everything that a person needs to see the case again."""
        return (
            f"seed {self.seed}, hostNetwork as {self.host_network}, pods of {self.pod_cidrs}; "
            f"`python -m tests.oracle {self.seed} FOLDER` writes the files:\n"
            f"===== base\n{shown(self.base_files)}\n===== head\n{shown(self.head_files)}"
        )


def _pod_cidrs(seed: int, documents: list[Document]) -> tuple[str, ...]:
    rules = [rule for each in read(documents).admin for rule in each["spec"].get("egress") or []]
    return pod_cidrs(Random(f"pods {seed}"), sorted({cidr for rule in rules for cidr in networks(rule["to"])}))


def case(seed: int) -> Case:
    """The case that a seed names, always the same."""
    rng = Random(seed)
    host_network = rng.choice(("node", "node", "pod"))
    base = cluster(rng)
    head = mutate(rng, base)
    return Case(seed, host_network, base, head, write(rng, base), write(rng, head), _pod_cidrs(seed, base))

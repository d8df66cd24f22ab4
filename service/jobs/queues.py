"""The engine's queues: two for each forge, so that one which is away or slow keeps only its own pull requests waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

REVIEWS, COMMANDS = "reviews", "commands"


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues of a worker that serves `forges`. Those without a forge in their name are for jobs of a forge that is not served any more:
    they end there, with that reason."""

    forges: tuple[str, ...]

    def of(self, kind: str, lane: str) -> str:
        """Where a job waits. A lane begins with the name of its forge."""
        forge = lane.partition(":")[0]
        return f"{kind}:{forge}" if forge in self.forges else kind

    def moved(self, queue: str, lane: str) -> str:
        """Where a job waits here that another worker, which may serve other forges, had in `queue`."""
        return self.of(queue.partition(":")[0], lane)

    def named(self, kind: str) -> Iterator[str]:
        """Every queue of a kind."""
        yield kind
        yield from (f"{kind}:{forge}" for forge in self.forges)

    @property
    def names(self) -> list[str]:
        """Every queue."""
        return [*self.named(REVIEWS), *self.named(COMMANDS)]

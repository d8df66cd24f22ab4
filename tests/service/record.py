"""A job engine in memory, so that a test can stop a job between any two steps and let it begin again."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.review.durable import Action, Json


class Killed(BaseException):
    """What a SIGKILL looks like from inside."""


@dataclass
class Record:
    """An engine in memory. `kill_at` names the count of steps at which it dies, before or after the step's effect; `lost` says that another
    worker has taken the job."""

    done: list[tuple[str, Json]] = field(default_factory=list)
    kill_at: int | None = None
    after: bool = False
    slept: list[float] = field(default_factory=list)
    position: int = 0
    lost: bool = False

    def mine(self) -> bool:
        return not self.lost

    def step(self, name: str, action: Action) -> Json:
        position, self.position = self.position, self.position + 1
        if position < len(self.done):
            assert self.done[position][0] == name, "a job that begins again takes the same steps"
            return self.done[position][1]
        if position == self.kill_at and not self.after:
            raise Killed
        result = action()
        if position == self.kill_at:
            raise Killed
        self.done.append((name, result))
        return result

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def again(self) -> Record:
        return Record(done=self.done)

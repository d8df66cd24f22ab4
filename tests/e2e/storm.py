"""A storm over the service: many pull requests at once, webhooks in any order and twice, and processes that are killed.

Everything random comes from one seed. What threads and processes make of it differs from run to run; what must hold in the end does not.
"""

from __future__ import annotations

import itertools
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import sqlalchemy as sa

from service.demo.process import ServiceProcess, deliver
from service.settings import Settings
from service.store import Store
from tests.e2e.running import ROOT
from tests.forges.github_fake import GitHubFake, Pull
from tests.forges.origin import Origin, shop
from tests.service.site import BASE, SHOP, WEBHOOK_SECRET, environment

PULLS, PUSHES, DELIVERIES = 40, 4, 5
PATIENCE = 240.0
_SHOWN = 5_000


@dataclass(frozen=True)
class Event:
    """A webhook of a pull request: `delivery` is its id, which a redelivery shares."""

    number: int
    action: str
    delivery: str


@dataclass(frozen=True)
class Push:
    """A new head of a pull request. The policy at head opens the port, which no other head does."""

    number: int
    version: int

    @property
    def port(self) -> int:
        return 10_000 + 100 * self.number + self.version


def timeline(random: Random, pulls: int) -> list[Event | Push]:
    """Every push, and after each its event, some time later: so events come out of order. One of each pull request comes twice."""
    moments: list[tuple[float, int, Event | Push]] = []
    order = itertools.count()
    for number in range(1, pulls + 1):
        events = []
        for version, moment in enumerate(sorted(random.random() for _ in range(PUSHES))):
            event = Event(number, "synchronize" if version else "opened", f"{number}-{version}")
            events.append((moment + random.expovariate(6), next(order), event))
            moments.append((moment, next(order), Push(number, version)))
        again = random.choice(events)
        moments += [*events, (again[0] + random.expovariate(6), next(order), again[2])]
    return [what for _, _, what in sorted(moments, key=lambda each: each[:2])]


class Repository:
    """acme/shop at the forge and in git, with no pull request yet."""

    def __init__(self, github: GitHubFake, origin: Origin) -> None:
        self.github, self._origin = github, origin
        self._base = origin.commit(BASE, shop(7070))
        github.repository(SHOP).branches["main"] = self._base
        self._newest: dict[int, Push] = {}

    def push(self, push: Push) -> None:
        """A new head, first in git and then at the forge, as it is."""
        head = self._origin.commit(f"refs/pull/{push.number}/head", shop(push.port), self._base)
        self._newest[push.number] = push
        known = self.github.repository(SHOP).pulls.get(push.number)
        if known is None:
            self.github.repository(SHOP).pulls[push.number] = Pull(push.number, base="main", base_sha=self._base, head_sha=head)
        else:
            known.head_sha = head

    def unsettled(self) -> list[str]:
        """What is not yet as it must be in the end: one comment on each pull request, about its newest head, and that head's check."""
        return [said for number, push in sorted(self._newest.items()) if (said := self._wrong(number, push))]

    def _wrong(self, number: int, push: Push) -> str:
        bodies = [comment.body for comment in self.github.comments(SHOP, number)]
        states = [state for state, _ in self.github.statuses(SHOP, self.github.repository(SHOP).pulls[number].head_sha)]
        if len(bodies) != 1:
            return f"#{number} has {len(bodies)} comments"
        if str(push.port) not in bodies[0]:
            return f"the comment on #{number} is about another head"
        return "" if states[-1:] == ["success"] else f"the check of #{number} went {states}"


class Fleet:
    """Processes over one set of settings: two that take webhooks, one of them a worker too, and another worker."""

    KINDS = (("serve",), ("serve", "--no-worker"), ("worker",))

    def __init__(self, github: GitHubFake, origin: Origin, data: Path, **settings: str) -> None:
        self.environment = environment(data, github, origin, **settings)
        self._running: list[ServiceProcess] = []
        self.killed = 0

    def __enter__(self) -> Fleet:
        self._running = [self._start(kind) for kind in self.KINDS]
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()

    def kill(self, random: Random) -> None:
        """Kill one of them, at once and without a word, and start another in its place."""
        place = random.randrange(len(self.KINDS))
        self._running[place].kill()
        self._running[place] = self._start(self.KINDS[place])
        self.killed += 1

    def deliver(self, event: Event) -> None:
        """Send a webhook to one of those that take them; where nobody answers, it is sent again, as people do."""
        payload = {
            "action": event.action,
            "number": event.number,
            "pull_request": {"number": event.number},
            "repository": {"full_name": SHOP},
        }
        for process in itertools.cycle(self._running[:2]):
            process.wait_until_it_answers()
            try:
                status = deliver(f"{process.url}/webhooks/github", WEBHOOK_SECRET, payload, delivery=event.delivery)
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                continue
            if status in (200, 202):
                return

    def log(self) -> str:
        """The end of what the processes that run now said."""
        return "\n".join(f"--- {' '.join(kind)}\n{each.log()[-_SHOWN:]}" for kind, each in zip(self.KINDS, self._running, strict=True))

    def pending(self) -> list[str]:
        """What somebody would still have to do, by our own database and by the engine's."""
        settings = Settings.from_environment(self.environment)
        store = Store.open(settings)
        try:
            waiting = [f"{request.lane} is no job yet" for request in store.undispatched()]
            waiting += [f"{each.request.lane} is {state}" for state in ("queued", "running") for each in store.reviews(state=state)]
        finally:
            store.close()
        return waiting + [f"job {id} is {status}" for id, status in _unfinished(settings)]

    def _start(self, kind: tuple[str, ...]) -> ServiceProcess:
        return ServiceProcess(ROOT, self.environment, kind, answers=kind[0] == "serve")


def _unfinished(settings: Settings) -> Iterator[tuple[str, str]]:
    url = settings.database_url.reveal().replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(url or f"sqlite:///{settings.data_dir}/jobs.sqlite3")
    table = sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("status"), schema="flowdelta_jobs" if url else None)
    query = sa.select(table.c.workflow_uuid, table.c.status).where(table.c.status.not_in(("SUCCESS", "CANCELLED")))
    try:
        with engine.connect() as connection:
            yield from ((id, status) for id, status in connection.execute(query))
    finally:
        engine.dispose()


@dataclass
class Storm:
    """Plays a timeline on a fleet."""

    repository: Repository
    fleet: Fleet
    random: Random
    pulls: int = PULLS

    def blow(self, kills: int, also: Callable[[int], None] = lambda _: None) -> None:
        """Push and deliver everything, killing processes at random moments, half of them after the last webhook. `also` is told how many
        webhooks were delivered."""
        actions = timeline(self.random, self.pulls)
        fatal = set(self.random.sample(range(len(actions)), kills // 2))
        delivered = 0
        for position, action in enumerate(actions):
            if isinstance(action, Push):
                self.repository.push(action)
            else:
                self.fleet.deliver(action)
                delivered += 1
                also(delivered)
            if position in fatal:
                self.fleet.kill(self.random)
        assert delivered == self.pulls * DELIVERIES
        for _ in range(kills - kills // 2):
            self._progress(self.random.randint(5, 40))
            self.fleet.kill(self.random)

    def settle(self) -> None:
        """Until every pull request is as it must be and nothing is left to do."""
        self._until(lambda: not self.repository.unsettled(), self.repository.unsettled)
        self._until(lambda: not self.fleet.pending(), self.fleet.pending)
        assert self.repository.unsettled() == []

    def _progress(self, calls: int) -> None:
        """Until the forge was called that much more often, or nothing is left to call it for."""
        github = self.repository.github
        wanted = len(github.calls) + calls
        github.wait_until(lambda: len(github.calls) >= wanted or not self.repository.unsettled(), PATIENCE, otherwise=self.fleet.log)

    def _until(self, condition: Callable[[], bool], wrong: Callable[[], list[str]]) -> None:
        for _ in range(round(PATIENCE / 0.5)):
            if condition():
                return
            with suppress(TimeoutError):
                self.repository.github.wait_until(lambda: False, 0.5)
        raise AssertionError("\n".join([*wrong(), self.fleet.log()]))

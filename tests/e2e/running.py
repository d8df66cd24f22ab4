"""The real service in processes of its own, as an operator runs it, for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from service.demo.process import ServiceProcess, deliver
from service.settings import Settings
from service.store import Store
from tests.service.site import NUMBER, SHOP, WEBHOOK_SECRET, Site, environment

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


class Running:
    """Starts services over one data folder, delivers events to them and waits for what they do."""

    def __init__(self, site: Site, data: Path, **settings: str) -> None:
        self.site, self.environment = site, environment(data, site.github, site.origin, **settings)
        self._delivered = 0

    def serve(self, *options: str) -> ServiceProcess:
        """`flowdelta serve`."""
        return ServiceProcess(ROOT, self.environment, ("serve", *options))

    def worker(self) -> ServiceProcess:
        """`flowdelta worker`."""
        return ServiceProcess(ROOT, self.environment, ("worker",), answers=False)

    def deliver(self, service: ServiceProcess, action: str = "opened", *, delivery: str = "", repository: str = SHOP, **more: Any) -> int:
        """Send a signed event of the pull request; the status of the answer."""
        self._delivered += 1
        payload = {"action": action, "number": NUMBER, "pull_request": {"number": NUMBER}, "repository": {"full_name": repository}, **more}
        return deliver(f"{service.url}/webhooks/github", WEBHOOK_SECRET, payload, delivery=delivery or f"delivery-{self._delivered}")

    def send(self, service: ServiceProcess, kind: str, payload: dict[str, Any]) -> int:
        """Send any signed event of the repository; the status of the answer."""
        self._delivered += 1
        body = {"repository": {"full_name": SHOP}, **payload}
        return deliver(f"{service.url}/webhooks/github", WEBHOOK_SECRET, body, delivery=f"delivery-{self._delivered}", event=kind)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The database of the service."""
        opened = Store.open(Settings.from_environment(self.environment))
        try:
            yield opened
        finally:
            opened.close()

    def wait(self, condition: Callable[[], bool], *services: ServiceProcess) -> None:
        """Until a call to the forge makes it true."""
        self.site.github.wait_until(condition, PATIENCE, otherwise=lambda: "\n".join(service.log() for service in services))

    def wait_for_verdict(self, *services: ServiceProcess) -> None:
        """Until the commit of the head has a final status and the comment is there."""
        self.wait(lambda: bool(self.site.comments) and self.site.states[-1:] not in ([], ["pending"]), *services)

    def wait_for_record(self, state: str, *services: ServiceProcess) -> None:
        """Until the newest review is recorded in that state, which no call to the forge tells."""
        for _ in range(round(PATIENCE / 0.2)):
            with self.store() as store:
                if [review.state for review in store.reviews(limit=1)] == [state]:
                    return
            with suppress(TimeoutError):
                self.site.github.wait_until(lambda: False, 0.2)
        raise AssertionError("\n".join(service.log() for service in services))

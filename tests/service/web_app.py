"""The web side alone, over a real database, real git and a stand-in forge: no worker, so nothing is reviewed unless a test does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask
from flask.testing import FlaskClient

from service.analysis.runner import run
from service.checkout.mirror import Mirrors
from service.forges import connect
from service.settings import Settings
from service.store import Scope, Store
from service.tokens import digest, generate
from service.web.desk import Desk
from service.web.reporting import Analyse
from service.web.wiring import Parts, register


@dataclass
class Web:
    """One web process. `woken` counts how often the worker was told that there is something to do."""

    app: Flask
    parts: Parts
    woken: list[None] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.parts.store

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def bearer(self, *scopes: Scope, expires: float | None = None) -> dict[str, str]:
        """The header of a new token."""
        return {"Authorization": f"Bearer {grant(self.store, *scopes, expires=expires)}"}


def grant(store: Store, *scopes: Scope, expires: float | None = None) -> str:
    """A new token; one that may do everything where no scope is named."""
    token = generate()
    store.add_token(digest(token), "test", scopes or tuple(Scope), expires)
    return token


@contextmanager
def web(settings: Settings, analyse: Analyse = run, patience: float = 60.0, waiting: int = 8) -> Iterator[Web]:
    """A web process of these settings, until the block ends."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store.open(settings)
    desk = Desk(store, lease=settings.lease, patient=4, workers=2, waiting=waiting, patience=patience)
    mirrors = Mirrors(settings.data_dir / "mirrors", allow_file=settings.allow_local_git)
    woken: list[None] = []
    parts = Parts(settings, store, connect(settings), mirrors, analyse, desk, lambda: woken.append(None), lambda: None)
    app = Flask("flowdelta", static_folder=None)
    register(app, parts)
    yield Web(app, parts, woken)
    desk.stop()
    store.close()

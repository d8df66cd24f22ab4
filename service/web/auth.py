"""Who may do what: tokens looked up by their SHA-256, their scopes, and how often each may ask.

A valid token is never held back for the wrong ones that others sent from the same address: behind a proxy all clients share one.
"""

from __future__ import annotations

import base64
import ipaddress
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, request

from service.store import Scope, Store, StoreError, Token
from service.tokens import digest, is_token
from service.web.problems import Problem
from service.web.rates import Rate

log = logging.getLogger(__name__)
_CHALLENGE = 'Bearer realm="flowdelta"'
_BROWSER_CHALLENGE = 'Basic realm="flowdelta: any user name, a token as password"'
_NOTED_EVERY = 60.0  # seconds: that a token is used is not written down for every request
_FAILURES = 30  # wrong tokens a minute from one address, before it is told to wait


@dataclass(frozen=True, slots=True)
class Doorman:
    """Lets requests in that carry a token. One serves all threads of a process."""

    store: Store
    requests: Rate
    failures: Rate

    @classmethod
    def of(cls, store: Store, per_minute: int) -> Doorman:
        """One that lets each token ask so often a minute."""
        return cls(store, Rate("token", per_minute), Rate("failures", _FAILURES))

    def admit(self, scopes: Sequence[Scope], *, browser: bool = False) -> None:
        """Raise `Problem` unless the current request carries a token with one of the scopes, and does so not too often.

        With `browser`, the token is also taken as the password of a login dialogue: people follow links to reports.
        """
        token = self._known(browser)
        g.rate = self.requests.count(token.id)
        if not g.rate.within:
            raise Problem(429, "too-many-requests", "The token asks too often.", {"Retry-After": str(g.rate.reset)})
        if not {*scopes, Scope.ADMIN} & token.scopes:
            raise Problem(403, "missing-scope", f"This needs a token with the scope {' or '.join(scopes)}.")
        self._note(token)
        g.token = token

    def _known(self, browser: bool) -> Token:
        presented = _presented(browser)
        challenge = {"WWW-Authenticate": _BROWSER_CHALLENGE if browser else _CHALLENGE}
        if presented is None:
            raise Problem(401, "missing-token", "This needs a bearer token: Authorization: Bearer <token>.", challenge)
        token = self._looked_up(presented) if is_token(presented) else None
        if token is not None:
            return token
        failures = self.failures.count(_client())
        if not failures.within:
            raise Problem(429, "too-many-failures", "Too many wrong tokens came from here.", {"Retry-After": str(failures.reset)})
        log.warning("a wrong token was refused")
        raise Problem(401, "wrong-token", "The token is unknown, revoked or expired.", challenge)

    def _looked_up(self, presented: str) -> Token | None:
        try:
            return self.store.token(digest(presented))
        except StoreError:
            log.exception("a token could not be looked up")
            raise Problem(503, "storage", "The database does not answer; ask again.", {"Retry-After": "30"}) from None

    def _note(self, token: Token) -> None:
        if token.used is not None and token.used > time.time() - _NOTED_EVERY:
            return
        try:
            self.store.used_token(token.id)
        except StoreError:
            log.exception("the use of a token could not be noted")  # no reason to refuse it


def _presented(browser: bool) -> str | None:
    """What was sent as a token, or None where nothing was."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if browser and scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2] or None
        except ValueError:
            return None
    return None


def _client() -> str:
    """The address that the request comes from; of IPv6 the network, since one client has all of it."""
    try:
        address = ipaddress.ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
